"""action: limit with concurrency and rate: who may begin, over all workers, by both protocols."""
import threading
import time

import psycopg
import pytest

from support import messages as m
from support.proxy import login
from support.wire import error_in, summaries


def limiting(sluice, mode="transaction", when=None, size=10, **limit):
    policy = {"name": "few", "when": when or {"pattern": "costly"}, "action": "limit", "limit": limit}
    return sluice(workers=2, pool={"mode": mode, "size": size, "query_wait_timeout": "3s"}, policies=[policy])


def refusal(reply):
    error = error_in(reply)
    return error.sqlstate, error.text


@pytest.fixture(params=["transaction", "session"])
def mode(request):
    return request.param


def crowd(proxy, count, work):
    """`count` clients at once, on both workers; what `work` returned for each."""
    results = [None] * count

    def run(i):
        with login(proxy) as client:
            results[i] = work(client)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_those_beyond_are_refused_and_the_next_one_passes(sluice, mode):
    proxy = limiting(sluice, mode, concurrency=1)
    with login(proxy) as one, login(proxy) as other:
        one.send(m.query("select pg_sleep(1) /* costly */"))
        time.sleep(0.3)
        beyond = ("53400", 'policy "few" allows 1 at a time')
        reply = other.query("select 1 /* costly */")
        assert refusal(reply) == beyond and reply[-1].status == "I"
        other.send(m.unnamed("select 1 /* costly */"), m.SYNC)
        assert refusal(other.until_ready()) == beyond
        other.query("begin")
        assert other.query("select 1 /* costly */")[-1].status == "E"
        other.query("rollback")
        assert other.value("select 1") == "1"
        one.until_ready()
        assert other.value("select 1 /* costly */") == "1"


@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_so_many_run_at_a_time_and_the_others_wait(sluice, mode, protocol):
    sql = "select pg_sleep(0.15) /* costly */"
    proxy = limiting(sluice, mode, concurrency=2, excess="queue")

    def work(client):
        reply = client.query(sql) if protocol == "simple" else (client.send(m.unnamed(sql), m.SYNC), client.until_ready())[1]
        return "C:SELECT 1" in summaries(reply)
    began = time.monotonic()
    assert crowd(proxy, 8, work) == [True] * 8
    assert time.monotonic() - began >= 0.6, "two at a time"


def test_queries_that_wait_take_no_server(sluice):
    proxy = limiting(sluice, size=2, concurrency=1, excess="queue")
    with login(proxy) as one, login(proxy) as two, login(proxy) as three:
        one.send(m.query("select pg_sleep(2) /* costly */"))
        time.sleep(0.2)
        two.send(m.query("select 2 /* costly */"))
        assert three.value("select 3") == "3"
        assert one.silent_for(0.01) and two.silent_for(0.01), "it has not waited for them"
        assert "C:SELECT 1" in summaries(one.until_ready()) and "C:SELECT 1" in summaries(two.until_ready())


def test_waits_end_in_time_and_turns_come_back_from_clients_that_vanish(sluice):
    proxy = limiting(sluice, concurrency=1, excess="queue")
    with login(proxy) as one, login(proxy) as two:
        one.send(m.query("select pg_sleep(30) /* costly */"))
        time.sleep(0.2)
        assert refusal(two.query("select 1 /* costly */")) == ("53300", 'timed out waiting: policy "few" allows 1 at a time')
        one.reset()
        assert two.value("select 1 /* costly */") == "1"


def test_rate(sluice, mode):
    with login(limiting(sluice, mode, rate=3)) as client:
        seen = [client.query("select 1 /* costly */") for _ in range(6)]
        refused = [reply for reply in seen if any(text.startswith("E:") for text in summaries(reply))]
        assert len(refused) == 3 and refusal(refused[0]) == ("53400", 'policy "few" allows 3 per second')
        time.sleep(0.4)
        assert client.value("select 1 /* costly */") == "1"


def test_those_beyond_the_rate_may_wait(sluice, mode):
    with login(limiting(sluice, mode, rate=10, excess="queue")) as client:
        began = time.monotonic()
        for _ in range(10):
            client.query("select 1 /* costly */")
            client.send(m.unnamed("select 1 /* costly */"), m.SYNC)
            assert "C:SELECT 1" in summaries(client.until_ready())
        assert time.monotonic() - began >= 0.9


def test_users_are_counted_apart(sluice):
    proxy = limiting(sluice, concurrency=1, per="user")
    with login(proxy) as one, login(proxy) as two, login(proxy, user="other") as other:
        one.send(m.query("select pg_sleep(0.5) /* costly */"))
        time.sleep(0.2)
        assert refusal(two.query("select 1 /* costly */"))[0] == "53400"
        assert other.value("select 1 /* costly */") == "1"
        one.until_ready()


def test_by_a_driver(sluice, mode):
    proxy = limiting(sluice, mode, concurrency=1)
    with psycopg.connect(**proxy.dsn(), prepare_threshold=0, autocommit=True) as driver:
        for _ in range(3):
            assert driver.execute("select %s /* costly */", (1,)).fetchone() == (1,)
        with driver.pipeline():
            both = [driver.execute("select %s::int /* costly */", (i,)) for i in range(5)]
        assert [each.fetchone()[0] for each in both] == [0, 1, 2, 3, 4]
        with login(proxy) as busy:
            busy.send(m.query("select pg_sleep(0.5) /* costly */"))
            time.sleep(0.2)
            with pytest.raises(psycopg.errors.ConfigurationLimitExceeded, match="at a time"):
                driver.execute("select %s /* costly */", (1,))
            busy.until_ready()
        assert driver.execute("select %s /* costly */", (1,)).fetchone() == (1,)


def test_a_commit_whose_locks_the_statement_in_front_waits_for_needs_no_turn(sluice, mode):
    proxy = limiting(sluice, mode, when={"users": ["app"]}, concurrency=1, excess="queue")
    with login(proxy) as one, login(proxy) as other:
        one.query("begin")
        one.query("lock table target")
        other.send(m.query("update target set b = 'other'"))
        time.sleep(0.3)
        begun = time.monotonic()
        assert summaries(one.query("commit")) == ["C:COMMIT", "Z:I"]
        assert time.monotonic() - begun < 2
        assert summaries(other.until_ready())[-1] == "Z:I"
