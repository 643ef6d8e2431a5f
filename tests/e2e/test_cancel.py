"""Cancel requests reach the query of their own client and nothing else."""
import threading
import time

import psycopg
import pytest

from support import messages as m
from support.proxy import hold_server, login
from support.system import eventually, free_port
from support.wire import Closed, WireClient, error_in, summaries


def send_cancel(address, pid, secret, wait=True):
    with WireClient(address) as client:
        client.send(m.cancel_request(pid, secret))
        if wait:
            assert client.rest() == []


def until_asleep(postgres, count=1):
    """PostgreSQL drops a cancel that comes before it has begun the query."""
    eventually(lambda: len(postgres.execute("select 1 from pg_stat_activity where query = 'select pg_sleep(20)' and wait_event = 'PgSleep'")) == count,
               what="the query to run")


def sleeper(target, seconds=20):
    client = target.login()
    client.send(m.query(f"select pg_sleep({seconds})"))
    eventually(lambda: target.postgres.execute(
        "select 1 from pg_stat_activity where query = %s and state = 'active'", (f"select pg_sleep({seconds})",)), what="the query to run")
    return client


def test_cancel_stops_the_running_query(target):
    with sleeper(target) as client:
        send_cancel(target.address, client.pid, client.secret)
        error = error_in(client.until_ready())
        assert (error.sqlstate, error.text) == ("57014", "canceling statement due to user request")
        assert client.value("select 1") == "1"


def test_cancel_with_the_wrong_secret_does_nothing(target):
    with sleeper(target, 1.5) as client:
        for wrong in (bytes(4), bytes(byte ^ 0xFF for byte in client.secret), client.secret[:3] + bytes([client.secret[3] ^ 1])):
            send_cancel(target.address, client.pid, wrong)
        assert [x[0] for x in summaries(client.until_ready())] == ["T", "D", "C", "Z"]


def test_cancel_of_an_idle_client_does_nothing(target):
    with target.login() as client:
        send_cancel(target.address, client.pid, client.secret)
        assert client.value("select 1") == "1"
        assert client.value("select 2") == "2"


def test_cancel_in_an_open_transaction_fails_it(target):
    with target.login() as client:
        client.query("begin")
        client.send(m.query("select pg_sleep(20)"))
        until_asleep(target.postgres)
        send_cancel(target.address, client.pid, client.secret)
        assert client.until_ready()[-1].status == "E"
        assert summaries(client.query("rollback")) == ["C:ROLLBACK", "Z:I"]


def test_psycopg_cancel(target):
    with target.connect() as connection:
        threading.Timer(0.3, connection.cancel).start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("select pg_sleep(20)")
        assert connection.execute("select 1").fetchone() == (1,)


def test_cancel_of_a_pipeline_skips_to_its_sync(target):
    with target.login() as client:
        client.send(m.unnamed("select pg_sleep(20)"), m.unnamed("select 2"), m.SYNC, m.unnamed("select 3"), m.SYNC)
        until_asleep(target.postgres)
        send_cancel(target.address, client.pid, client.secret)
        reply = summaries(client.until_ready(2))
        assert reply == ["1", "2", "T", "E:ERROR:57014", "Z:I", "1", "2", "T", "D:3", "C:SELECT 1", "Z:I"]


def test_cancel_of_copy_in(target):
    with target.login() as client:
        client.send(m.query("copy target from stdin"))
        client.receive_until("G")
        client.send(m.copy_data(b"1\tx\n"))
        time.sleep(0.2)
        send_cancel(target.address, client.pid, client.secret)
        time.sleep(0.2)
        client.send(m.copy_data(b"2\tx\n"), m.COPY_DONE)
        assert summaries(client.until_ready()) == ["E:ERROR:57014", "Z:I"]
        assert client.value("select count(*) from target") == "0"


def test_keys_differ_between_clients_and_are_not_guessable(sluice):
    proxy = sluice()
    clients = [login(proxy) for _ in range(20)]
    keys = {(client.pid, client.secret) for client in clients}
    assert len(keys) == 20 and all(pid > 0 for pid, _ in keys)
    assert len({pid for pid, _ in keys}) == 20
    for client in clients:
        client.close()


def test_key_stays_with_the_client_while_servers_change(sluice, postgres):
    proxy = sluice(pool={"size": 2})
    with login(proxy) as client, login(proxy) as other:
        for _ in range(3):
            client.query("select 1")
            hold_server(other)
            client.send(m.query("select pg_sleep(20)"))
            until_asleep(postgres)
            send_cancel(proxy.address, client.pid, client.secret)
            assert summaries(client.until_ready()) == ["T", "E:ERROR:57014", "Z:I"]
            other.query("commit")


def test_as_many_cancels_as_servers_while_the_pool_is_full(sluice, postgres):
    proxy = sluice(pool={"size": 4})
    clients = [login(proxy) for _ in range(4)]
    for client in clients:
        client.send(m.query("select pg_sleep(20)"))
    until_asleep(postgres, 4)
    for client in clients:
        send_cancel(proxy.address, client.pid, client.secret, wait=False)
    for client in clients:
        assert error_in(client.until_ready()).sqlstate == "57014"
        client.close()


def test_cancel_of_a_client_that_waits_for_a_server_ends_its_wait(sluice):
    proxy = sluice(pool={"size": 1, "query_wait_timeout": "30s"})
    with login(proxy) as holder, login(proxy) as waiter:
        hold_server(holder)
        waiter.send(m.query("select 'never run'"))
        assert waiter.silent_for(0.3)
        send_cancel(proxy.address, waiter.pid, waiter.secret)
        reply = waiter.until_ready()
        assert summaries(reply) == ["E:ERROR:57014", "Z:I"]
        assert holder.query("select 1")[-1].status == "T"
        holder.query("commit")
        assert waiter.value("select 'usable'") == "usable"


def test_cancel_while_the_settings_are_restored_is_of_the_query_behind_them(sluice, postgres):
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy) as client, login(proxy) as other, postgres.connect("app") as blocking:
        # Its value is looked up in pg_tablespace each time that it is set.
        client.query("set default_tablespace = 'pg_default'")
        other.query("select 1")
        blocking.execute("begin; lock table pg_tablespace in access exclusive mode")
        client.send(m.query("select pg_sleep(20)"))
        eventually(lambda: blocking.execute("select 1 from pg_locks where not granted").fetchall(), what="the settings to be waited for")
        send_cancel(proxy.address, client.pid, client.secret, wait=False)
        assert client.silent_for(0.5)
        blocking.execute("rollback")
        assert error_in(client.until_ready()).text == "canceling statement due to user request"
        assert client.value("show default_tablespace") == "pg_default"


def test_late_cancels_never_hit_the_next_client_of_the_server(sluice):
    proxy = sluice(pool={"size": 1})
    stop, failures = threading.Event(), []

    def victim():
        with login(proxy) as client:
            while not stop.is_set():
                reply = summaries(client.query("select pg_sleep(0.01)"))
                if any(x[0] == "E" for x in reply):
                    failures.append(reply)
    thread = threading.Thread(target=victim)
    thread.start()
    try:
        with login(proxy) as client:
            for _ in range(100):
                client.query("select 1")
                send_cancel(proxy.address, client.pid, client.secret, wait=False)
    finally:
        time.sleep(0.2)
        stop.set()
        thread.join(20)
    assert not failures, failures[:3]


@pytest.mark.parametrize("mode", ["session", "transaction"])
@pytest.mark.parametrize("first", ["select pg_sleep(0.0005)", "select pg_sleep(20)"])
def test_a_cancel_that_has_ended_does_not_hit_what_comes_next(sluice, postgres, mode, first):
    """libpq takes the end of the connection for the end of the cancel, and so do those who use it."""
    proxy = sluice(pool={"mode": mode, "size": 1})
    with login(proxy) as client:
        client.query("begin")
        for _ in range(60):
            client.query("savepoint s")
            client.send(m.query(first))
            if "(20)" in first:
                until_asleep(postgres)  # before PostgreSQL has read the query it drops a cancel without a word
            send_cancel(proxy.address, client.pid, client.secret)
            client.until_ready()
            client.query("rollback to s")
            assert [x.sqlstate for x in client.query("select pg_sleep(0.003)") if x.tag == "E"] == []


def test_cancel_race_from_many_clients(sluice):
    """Each client cancels its own queries at random moments; the others' must never fail."""
    proxy = sluice(pool={"size": 2})
    stop, failures = threading.Event(), []

    def canceller():
        with login(proxy) as client:
            while not stop.is_set():
                client.send(m.query("select pg_sleep(0.02)"))
                send_cancel(proxy.address, client.pid, client.secret, wait=False)
                client.until_ready()

    def victim():
        with login(proxy) as client:
            while not stop.is_set():
                reply = summaries(client.query("select pg_sleep(0.005)"))
                if any(x[0] == "E" for x in reply):
                    failures.append(reply)
    threads = [threading.Thread(target=job) for job in (canceller, canceller, victim, victim)]
    for thread in threads:
        thread.start()
    time.sleep(4)
    stop.set()
    for thread in threads:
        thread.join(20)
    assert not failures, failures[:3]


def test_neither_dialing_nor_cancelling_needs_a_timeout(sluice, postgres):
    proxy = sluice(cluster={"servers": [{"host": "localhost", "port": postgres.port}]}, timeouts={"connect": 0, "cancel": 0})
    with login(proxy) as client:
        client.send(m.query("select pg_sleep(20)"))
        until_asleep(postgres)
        send_cancel(proxy.address, client.pid, client.secret)
        assert error_in(client.until_ready()).sqlstate == "57014"
        assert client.value("select 'usable'") == "usable"


def limited_source(sluice, mode):
    """A proxy, its addresses by IPv4 and IPv6, and how many cancels had which outcome."""
    proxy = sluice(listeners=[{"address": "127.0.0.1", "port": free_port()}, {"address": "::1", "port": free_port()}], pool={"mode": mode})
    ours, others = [(listener["address"], listener["port"]) for listener in proxy.config["listeners"]]

    def outcomes():
        metrics = proxy.metrics()
        return {outcome: metrics.sum("pgsluice_cancel_requests_total", outcome=outcome)
                for outcome in ("unknown_key", "limited", "forwarded")}
    return proxy, ours, others, outcomes


def guess_keys(address, client, count):
    for guess in range(count):
        send_cancel(address, client.pid, bytes(byte ^ 0xFF for byte in client.secret[:3]) + bytes([guess]))


def test_a_source_that_guesses_keys_is_not_heard_for_a_while(sluice, postgres):
    """In session mode, where 32 bits of a key are secret: not with a right key either, which could be a guess."""
    proxy, ours, others, outcomes = limited_source(sluice, "session")
    with login(proxy) as client:
        client.send(m.query("select pg_sleep(20)"))
        until_asleep(postgres)
        guess_keys(ours, client, 100)
        send_cancel(ours, client.pid, client.secret)
        assert outcomes() == {"unknown_key": 100, "limited": 1, "forwarded": 0}
        assert [event["address"] for event in proxy.awaited_events("cancel_limited")] == ["127.0.0.1"]
        send_cancel(others, client.pid, client.secret)
        assert outcomes()["forwarded"] == 1
        assert error_in(client.until_ready()).sqlstate == "57014"


def test_a_key_that_nobody_can_guess_is_heard_from_a_source_that_guesses(sluice, postgres):
    proxy, ours, _, outcomes = limited_source(sluice, "transaction")
    with login(proxy) as client:
        client.send(m.query("select pg_sleep(20)"))
        until_asleep(postgres)
        guess_keys(ours, client, 103)
        assert outcomes() == {"unknown_key": 100, "limited": 3, "forwarded": 0}
        send_cancel(ours, client.pid, client.secret)
        assert error_in(client.until_ready()).sqlstate == "57014"
        assert outcomes() == {"unknown_key": 100, "limited": 3, "forwarded": 1}


def test_random_cancels_open_no_server_connection(sluice, postgres):
    proxy = sluice()
    with login(proxy) as client:
        client.query("select 1")
        before = postgres.log().count("connection received")
        for number in range(200):
            try:
                send_cancel(proxy.address, number + 1, number.to_bytes(4, "big"), wait=False)
            except (Closed, OSError):
                pass
        time.sleep(0.5)
        assert postgres.log().count("connection received") == before
        assert client.value("select 1") == "1"


def test_session_mode_gives_the_servers_own_pid(sluice, postgres):
    proxy = sluice(pool={"mode": "session"})
    with login(proxy) as client:
        assert client.value("select pg_backend_pid()") == str(client.pid)
        client.send(m.query("select pg_sleep(20)"))
        until_asleep(postgres)
        send_cancel(proxy.address, client.pid, client.secret)
        assert error_in(client.until_ready()).sqlstate == "57014"


# A cancel that outruns its query is dropped by PostgreSQL, and this one catches as many as it is told to.
def stubborn(cancels):
    return (f"do $$ begin for i in 1..{cancels} loop begin perform pg_sleep(20); "
            "exception when query_canceled then null; end; end loop; end $$")


def vanish_from(proxy, postgres, cancels):
    client = login(proxy)
    pid = client.value("select pg_backend_pid()")
    client.send(m.query(stubborn(cancels)))
    eventually(lambda: postgres.execute("select 1 from pg_stat_activity where pid = %s and wait_event = 'PgSleep'", (pid,)),
               what="the query to run")
    client.reset()
    return pid


def test_query_of_a_client_that_vanished_is_cancelled_until_it_ends(sluice, postgres):
    proxy = sluice(pool={"size": 1})
    pid = vanish_from(proxy, postgres, 3)
    with login(proxy) as next_client:
        assert next_client.value("select pg_backend_pid()") == pid


def test_server_that_takes_too_long_over_what_a_vanished_client_left_is_closed(sluice, postgres):
    proxy = sluice(pool={"size": 1}, timeouts={"abandoned": "300ms"})
    pid = vanish_from(proxy, postgres, 20)  # PostgreSQL signals the process and its group: one cancel may strike twice
    with login(proxy) as next_client:
        assert next_client.value("select pg_backend_pid()") != pid
    assert proxy.metrics().sum("pgsluice_server_closes_total", reason="reset_failed") == 1
    postgres.execute("select pg_terminate_backend(%s)", (int(pid),))
