"""action: limit bounds what a statement may take; the client goes on by the same connection."""
import time

import psycopg
import pytest

from support import messages as m
from support.proxy import login
from support.wire import error_in, summaries


def bounded(when=None, **limit) -> dict:
    return {"name": "bounded", "when": when or {}, "action": "limit", "limit": limit}


def limiting(sluice, mode="transaction", when=None, **limit):
    return sluice(pool={"mode": mode}, policies=[bounded(when, **limit)])


def is_too_long(reply) -> bool:
    error = error_in(reply)
    return (error.sqlstate, error.text, error.fields["R"]) == ("57014", 'canceling statement due to policy "bounded"', "pgsluice")


@pytest.fixture(params=["transaction", "session"])
def mode(request):
    return request.param


def test_a_statement_that_runs_too_long_is_cancelled(sluice, mode):
    with login(limiting(sluice, mode, max_duration="300ms")) as client:
        began = time.monotonic()
        reply = client.query("select pg_sleep(30)")
        assert is_too_long(reply) and reply[-1].status == "I"
        assert 0.25 < time.monotonic() - began < 5
        client.send(m.unnamed("select pg_sleep(30)"), m.SYNC)
        assert is_too_long(client.until_ready())
        assert client.value("select 1") == "1"


def test_a_transaction_fails_with_it(sluice, mode):
    with login(limiting(sluice, mode, max_duration="300ms")) as client:
        client.query("begin")
        client.query("create temp table kept (a int)")
        client.query("savepoint s")
        reply = client.query("select pg_sleep(30)")
        assert is_too_long(reply) and reply[-1].status == "E"
        assert error_in(client.query("select 1")).sqlstate == "25P02"
        client.query("rollback to s")
        assert client.value("select count(*) from kept") == "0"
        assert client.query("rollback")[-1].status == "I"


FIRST = [m.query("select pg_sleep(30)"), m.query("select 1; select pg_sleep(30)"), m.unnamed("select pg_sleep(30)") + m.SYNC]


@pytest.mark.parametrize("first", FIRST, ids=["query", "second_of_a_query", "extended"])
def test_the_first_statement_behind_a_lazy_begin_is_cancelled_too(sluice, first):
    proxy = limiting(sluice, max_duration="300ms")
    with login(proxy) as client, login(proxy) as other:
        client.query("set work_mem = '9MB'")
        other.query("select 1")  # by the same server: the setting is restored in front of BEGIN
        assert client.query("begin")[-1].status == "T"
        client.send(first)
        reply = client.until_ready(timeout=5)
        assert is_too_long(reply) and reply[-1].status == "E"
        assert client.query("rollback")[-1].status == "I"


def test_what_sql_execute_returns_is_not_limited_and_may_be_blocked(sluice):
    many = "select a from generate_series(1, 9) a"
    block = {"name": "no execute", "when": {"statements": ["execute"]}, "action": "block"}
    for policies, is_blocked in ([bounded(max_rows=3)], False), ([block, bounded(max_rows=3)], True):
        with login(sluice(policies=policies)) as client:
            client.query(f"prepare by_sql as {many}")
            client.send(m.parse(many, "by_parse"), m.SYNC)
            client.until_ready()
            for name in ("by_sql", "by_parse"):
                reply = client.query(f"execute {name}")
                assert sum(seen.tag == "D" for seen in reply) == (0 if is_blocked else 9)
                assert any(seen.tag == "E" for seen in reply) == is_blocked
            client.send(m.bind("by_parse"), m.execute(), m.SYNC)
            assert error_in(client.until_ready()).sqlstate == "54000"
            client.send(m.execute("no such portal"), m.SYNC)
            assert error_in(client.until_ready()).sqlstate == "54000"


@pytest.mark.parametrize("limit", [{"max_rows": 3}, {"max_bytes": "1KiB"}], ids=["rows", "bytes"])
def test_the_first_result_behind_a_lazy_begin_is_limited_too(sluice, limit):
    with login(limiting(sluice, **limit)) as client:
        for first in (m.query("select repeat('x', 400) from generate_series(1, 9)"),
                      m.unnamed("select repeat('x', 400) from generate_series(1, 9)") + m.SYNC):
            client.query("begin")
            client.send(first)
            reply = client.until_ready()
            assert error_in(reply).sqlstate == "54000" and reply[-1].status == "E"
            assert sum(seen.tag == "D" for seen in reply) < 4
            assert client.query("rollback")[-1].status == "I"


def test_in_a_pipeline_what_runs_before_it_does_not_count(sluice, mode):
    with login(limiting(sluice, mode, when={"pattern": "bounded"}, max_duration="700ms")) as client:
        client.send(m.unnamed("select pg_sleep(1)"), m.unnamed("select pg_sleep(0.2) /* bounded */"), m.SYNC)
        assert sum(text.startswith("C:SELECT 1") for text in summaries(client.until_ready())) == 2
        client.send(m.unnamed("select pg_sleep(1)"), m.unnamed("select pg_sleep(30) /* bounded */"), m.unnamed("select 1"), m.SYNC)
        reply = client.until_ready()
        assert is_too_long(reply) and sum(text.startswith("C:") for text in summaries(reply)) == 1
        assert client.value("select 1") == "1"


def test_by_a_driver(sluice, mode):
    with psycopg.connect(**limiting(sluice, mode, max_duration="300ms").dsn(), prepare_threshold=0) as driver:
        for _ in range(2):
            with pytest.raises(psycopg.errors.QueryCanceled, match="policy"):
                driver.execute("select pg_sleep(%s)", (30,))
            driver.rollback()
            assert driver.execute("select 1").fetchone() == (1,)


def test_statements_at_their_limit_hit_nothing_else(sluice):
    """Each ends by itself just when it is cancelled, or is cancelled; what follows is never hit."""
    proxy = limiting(sluice, when={"pattern": "bounded"}, max_duration="100ms")
    with login(proxy) as one, login(proxy) as other:
        for i in range(40):
            sleep = 0.1 + 0.0015 * i
            reply = one.query(f"select pg_sleep({sleep}) /* bounded */")
            assert any(text.startswith("C:SELECT") for text in summaries(reply)) or is_too_long(reply)
            assert one.value("select 1 from pg_sleep(0.005)") == "1"
            assert other.value("select 2") == "2"


SERIES = "select i, repeat('x', 50) from generate_series(1, {}) i"


def is_too_large(reply, detail="max_rows is 10.") -> bool:
    error = error_in(reply)
    return (error.sqlstate, error.text, error.fields["D"]) == ("54000", 'result is larger than policy "bounded" allows', detail)


def rows_of(reply) -> int:
    return sum(message.tag == "D" for message in reply)


@pytest.mark.parametrize("count", [11, 100, 3_000_000])
def test_a_result_that_is_too_large_is_cut_off(sluice, mode, count):
    """Small ones are done before the cancel comes, large ones are ended by it."""
    with login(limiting(sluice, mode, max_rows=10)) as client:
        for _ in range(3):
            reply = client.query(SERIES.format(count))
            assert rows_of(reply) == 10 and is_too_large(reply) and reply[-1].status == "I"
            client.send(m.unnamed(SERIES.format(count)), m.SYNC)
            reply = client.until_ready()
            assert rows_of(reply) == 10 and is_too_large(reply) and reply[-1].status == "I"
            assert rows_of(client.query(SERIES.format(10))) == 10
            reply = client.query(f"copy ({SERIES.format(count)}) to stdout")
            assert sum(message.tag == "d" for message in reply) == 10 and is_too_large(reply)
        assert client.value("select 1") == "1"


@pytest.mark.parametrize("count", [11, 3_000_000])
def test_a_transaction_fails_with_a_result_that_is_too_large(sluice, mode, count):
    with login(limiting(sluice, mode, max_rows=10)) as client:
        for send in (lambda sql: [m.query(sql)], lambda sql: [m.unnamed(sql), m.SYNC]):
            client.query("begin")
            client.query("savepoint s")
            client.send(*send(SERIES.format(count)))
            reply = client.until_ready()
            assert is_too_large(reply) and reply[-1].status == "E"
            assert error_in(client.query("select 1")).sqlstate == "25P02"
            assert client.query("rollback to s")[-1].status == "T"
            assert client.query("commit")[-1].status == "I"


@pytest.mark.parametrize("count", [11, 3_000_000])
def test_a_pipeline_is_rolled_back_with_it(sluice, postgres, mode, count):
    with login(limiting(sluice, mode, max_rows=10)) as client:
        client.send(m.unnamed("insert into target values (77, 'x')"), m.unnamed(SERIES.format(count)), m.unnamed("select 1"), m.SYNC,
                    m.unnamed("select count(*) from target where a = 77"), m.SYNC, m.query("select 3"))
        reply = client.until_ready()
        assert is_too_large(reply) and rows_of(reply) == 10
        assert [message.row for message in client.until_ready() if message.tag == "D"] == [[b"0"]]
        assert rows_of(client.until_ready()) == 1


def test_bytes_and_long_rows(sluice, mode):
    with login(limiting(sluice, mode, max_bytes="100KiB")) as client:
        assert is_too_large(client.query("select repeat('x', 10000000)"), "max_bytes is 102400.")
        reply = client.query("select repeat('x', 10000) from generate_series(1, 1000000)")
        assert is_too_large(reply, "max_bytes is 102400.") and rows_of(reply) == 10
        assert client.value("select length(repeat('x', 100000))") == "100000"


def test_what_changes_something_keeps_its_result(sluice, mode, postgres):
    with login(limiting(sluice, mode, max_rows=10)) as client:
        reply = client.query("insert into target select i, 'kept' from generate_series(1, 20) i returning a")
        assert rows_of(reply) == 20 and "C:INSERT 0 20" in summaries(reply)
        client.query("delete from target where b = 'kept'")


def test_large_results_by_a_driver(sluice, mode):
    with psycopg.connect(**limiting(sluice, mode, max_rows=10).dsn(), prepare_threshold=0) as driver:
        for count in (11, 1_000_000) * 2:
            with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="larger than policy"):
                driver.execute("select generate_series(1, %s)", (count,))
            driver.rollback()
        with driver.pipeline():
            few = driver.execute("select generate_series(1, %s)", (10,))
            one = driver.execute("select 1")
        assert len(few.fetchall()) == 10 and one.fetchone() == (1,)


# --- Names: a limit holds for what runs, whatever the client has made of its name.

ROWS = "select generate_series(1, 100) /* bounded */"


def few_rows(sluice, mode):
    return login(limiting(sluice, mode, when={"pattern": "bounded"}, max_rows=10))


def test_what_nobody_can_tell_a_limit_of_is_refused(sluice, mode):
    with login(limiting(sluice, mode, when={"statements": ["select"]}, max_rows=10)) as client:
        error = error_in(client.query("selec 1"))
        assert error.sqlstate == "42501" and 'policy "bounded" asks what it does' in error.text
        assert error_in(client.query("select " + "1+" * 20000 + "1")).sqlstate == "42501", "longer than limits.parse_inline"
        assert error_in(client.query("select '" + "x" * 2_000_000 + "'")).sqlstate == "54000", "longer than limits.inspect_bytes"
        client.send(m.unnamed("selec 1"), m.SYNC)
        assert error_in(client.until_ready()).sqlstate == "42501"
        assert client.value("select 1") == "1"


def test_a_long_comment_is_no_way_past_a_limit_for_all(sluice, mode):
    padding = "/*" + "x" * 60_000 + "*/"
    with login(limiting(sluice, mode, when={"users": ["app"]}, max_rows=10)) as client:
        for send in (lambda text: client.send(m.query(text)), lambda text: client.send(m.unnamed(text), m.SYNC)):
            send(f"select generate_series(1, 100) {padding}")
            reply = client.until_ready()
            assert error_in(reply).sqlstate == "42501" and rows_of(reply) == 0
        client.query("set client_encoding to sjis")
        assert error_in(client.query("select generate_series(1, 100), '\\'")).sqlstate == "42501"


def test_it_passes_without_a_limit_where_the_operator_says_so(sluice):
    policies = [bounded({"statements": ["select"]}, max_rows=10)]
    with login(sluice(policies=policies, policy_defaults={"on_unparsable": "allow"})) as client:
        assert error_in(client.query("selec 1")).sqlstate == "42601", "PostgreSQL's own error"
        reply = client.query(f"select generate_series(1, 100) /*{'x' * 60_000}*/")
        assert rows_of(reply) == 100 and "C:SELECT 100" in summaries(reply)


def test_a_statement_has_the_limit_of_what_it_was_when_it_was_parsed(sluice):
    """Read by the settings of later its row generator stands in a constant."""
    with login(limiting(sluice, "transaction", when={"functions": ["generate_series"]}, max_rows=10)) as client:
        client.send(m.parse(r"select 'a\', generate_series(1, 100) --'", "s"), m.SYNC)
        client.until_ready()
        client.query("set standard_conforming_strings = off")
        client.send(m.bind("s"), m.execute(), m.SYNC)
        reply = client.until_ready()
        assert error_in(reply).sqlstate == "42501" and rows_of(reply) == 0
        assert "D:a', generate_series(1, 100) --" in summaries(client.query(r"select 'a\', generate_series(1, 100) --'")), "as it reads now"


def test_a_portal_is_told_by_as_many_bytes_of_its_name_as_postgresql_looks_at(sluice, mode):
    with few_rows(sluice, mode) as client:
        client.send(m.parse(ROWS), m.bind("", "x" * 63 + "A"), m.execute("x" * 63 + "B"), m.SYNC)
        reply = client.until_ready()
        assert rows_of(reply) == 10 and error_in(reply).sqlstate == "54000"


def test_a_bind_that_fails_does_not_free_the_portal_of_that_name(sluice, mode):
    with few_rows(sluice, mode) as client:
        client.query("begin")
        client.send(m.parse(ROWS, "s"), m.bind("s", "p"), m.SYNC)
        client.until_ready()
        client.query("savepoint s")
        client.send(m.parse("select 1", "t"), m.bind("t", "p"), m.SYNC)
        assert error_in(client.until_ready()).sqlstate == "42P03"
        client.query("rollback to s")
        client.send(m.execute("p"), m.SYNC)
        reply = client.until_ready()
        assert rows_of(reply) <= 10 and error_in(reply).sqlstate == "54000"


def test_a_parse_that_is_skipped_does_not_free_the_unnamed_statement(sluice, mode):
    with few_rows(sluice, mode) as client:
        client.send(m.parse(ROWS), m.SYNC, m.bind("nowhere"), m.parse("select 1"), m.SYNC, m.bind(), m.execute(), m.SYNC)
        reply = client.until_ready(3)
        errors = [message.sqlstate for message in reply if message.tag == "E"]
        assert rows_of(reply) <= 10 and errors == ["26000", "54000"]


def test_what_only_sql_has_named_does_not_run_without_its_limit(sluice, mode):
    with few_rows(sluice, mode) as client:
        client.query("begin")
        client.query(f"prepare q as {ROWS}")
        client.query(f"declare c cursor for {ROWS}")
        for messages in ([m.execute("c")], [m.bind("q", "p"), m.execute("p")]):
            client.query("savepoint s")
            client.send(*messages, m.SYNC)
            reply = client.until_ready()
            assert rows_of(reply) == 0 and error_in(reply).sqlstate == "54000"
            client.query("rollback to s")
        client.query("rollback")


def test_names_may_be_used_again_and_pipelines_go_on(sluice, mode):
    with few_rows(sluice, mode) as client:
        for text in ("select 1", ROWS, "select 2"):
            client.send(m.parse(text, "s"), m.bind("s", "p"), m.execute("p"), m.SYNC)
            assert rows_of(client.until_ready()) == (10 if text == ROWS else 1)
            client.send(m.close_portal("p"), m.close_statement("s"), m.SYNC)
            assert summaries(client.until_ready()) == ["3", "3", "Z:I"]
        client.send(*[m.unnamed(f"select {number}") + m.SYNC for number in range(5)], m.unnamed("select 1/0"), m.SYNC, m.unnamed("select 7"), m.SYNC)
        assert [rows_of(client.until_ready()) for _ in range(7)] == [1] * 5 + [0, 1]


def test_a_bind_whose_names_never_end_is_refused(sluice, mode):
    with login(sluice(pool={"mode": mode}, limits={"inspect_bytes": "16KiB", "parse_inline": "1KiB"})) as client:
        client.send(m.parse("select 1"), m.bind("", "p" * 3_000_000), m.execute("p" * 63), m.SYNC)
        assert error_in(client.until_ready()).sqlstate == "54000"
        assert client.value("select 1") == "1"


BOUNDED = "select generate_series(1, 100) /* bounded */"
PARSED = m.parse("select 1", "s") + m.SYNC
RUNS_S = m.bind("s") + m.execute() + m.SYNC
# What gives a name that the protocol has given to another statement. Each step is sent when the one before is answered.
TAKEN = {
    "deallocate": (PARSED, m.query("deallocate s"), m.query(f"prepare s as {BOUNDED}"), RUNS_S),
    "in one text": (PARSED, m.query(f"deallocate s; prepare s as {BOUNDED}"), RUNS_S),
    "in one batch": (PARSED, m.unnamed("deallocate s") + m.unnamed(f"prepare s as {BOUNDED}") + RUNS_S),
    "behind a comment": (PARSED, m.query("/* */ deallocate s"), m.query(f"prepare s as {BOUNDED}"), RUNS_S),
    "do": (PARSED, m.query(f"do $$ begin execute 'deallocate s'; execute 'prepare s as {BOUNDED}'; end $$"), RUNS_S),
    "a name that sql has given": (m.query(f"prepare s as {BOUNDED}"), PARSED, RUNS_S),
    "close": (m.query("begin"), m.parse("select 1", "s") + m.bind("s", "p") + m.SYNC, m.query("close p"),
              m.query(f"declare p cursor for {BOUNDED}"), m.execute("p") + m.SYNC),
    "close in one text": (m.query("begin"), m.parse("select 1", "s") + m.bind("s", "p") + m.SYNC,
                          m.query(f"close p; declare p cursor for {BOUNDED}"), m.execute("p") + m.SYNC),
    "close in one batch": (m.query("begin"), m.parse("select 1", "s") + m.bind("s", "p") + m.unnamed("close p")
                           + m.unnamed(f"declare p cursor for {BOUNDED}") + m.execute("p") + m.SYNC),
}


@pytest.mark.parametrize("way", TAKEN)
def test_a_name_that_sql_gives_to_another_statement_does_not_lift_its_limit(sluice, mode, way):
    with login(limiting(sluice, mode, when={"pattern": "bounded"}, max_rows=10)) as client:
        for step in TAKEN[way]:
            client.send(step)
            reply = client.until_ready()
        assert sum(x.tag == "D" for x in reply) <= 10


def test_other_names_stay_known_behind_a_deallocate(sluice, mode):
    with login(limiting(sluice, mode, when={"pattern": "bounded"}, max_rows=10)) as client:
        client.send(PARSED + m.parse("select 2", "other") + m.SYNC)
        client.until_ready(2)
        client.query("deallocate other")
        client.send(RUNS_S)
        assert summaries(client.until_ready()) == ["2", "D:1", "C:SELECT 1", "Z:I"]
