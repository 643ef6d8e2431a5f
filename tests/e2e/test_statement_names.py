"""SQL and the protocol name prepared statements in one namespace; against PostgreSQL itself, too."""
import pytest

from support import messages as m
from support.statements import prepare, run
from support.wire import summaries

TAKEN, UNKNOWN = "E:ERROR:42P05", "E:ERROR:26000"


@pytest.fixture
def client(target):
    with target.login() as client:
        yield client


@pytest.fixture
def other(target):
    """Of the same pool."""
    with target.login() as client:
        yield client


def extended(client, sql):
    client.send(m.parse(sql), m.describe_statement(), m.bind(), m.execute(), m.SYNC)
    return [x for x in summaries(client.until_ready()) if x[0] not in "12ntT"]


WAYS = {"simple": lambda client, sql: [x for x in summaries(client.query(sql)) if x[0] != "T"], "extended": extended}


@pytest.fixture(params=WAYS)
def say(request):
    return WAYS[request.param]


@pytest.mark.parametrize("name, sql", [("one", "execute one"), ("one", "EXECUTE One ;"), ("A b", 'execute "A b"')])
def test_execute_runs_what_a_parse_has_prepared(client, say, name, sql):
    prepare(client, name, "select 'found'")
    for _ in range(2):
        assert say(client, sql) == ["D:found", "C:SELECT 1", "Z:I"]
    assert "D:found" in run(client, name)


def test_execute_is_described_by_what_it_runs(client):
    prepare(client, "one", "select 'found' as found")
    client.send(m.parse("execute one", "runs"), m.describe_statement("runs"), m.SYNC)
    assert [x.body for x in client.until_ready() if x.tag == "T"][0].startswith(b"\0\1found\0")
    client.send(m.bind("runs"), m.describe_portal(), m.execute(), m.SYNC)
    seen = client.until_ready()
    assert [x for x in summaries(seen) if x in ("T", "D:found")] == ["T", "D:found"]


def test_execute_gives_parameters_to_what_a_parse_has_prepared(client, say):
    client.send(m.parse("select $1::int + $2", "sum", types=[23, 23]), m.SYNC)
    client.until_ready()
    assert say(client, "execute sum(20, 22)") == ["D:42", "C:SELECT 1", "Z:I"]


def test_execute_in_a_transaction_and_behind_errors(client, say):
    prepare(client, "one", "select 'found'")
    prepare(client, "broken", "select 1/0")
    client.query("begin")
    assert "D:found" in say(client, "execute one")
    assert say(client, "execute broken") == ["E:ERROR:22012", "Z:E"]
    assert say(client, "execute one") == ["E:ERROR:25P02", "Z:E"]
    client.query("rollback")
    assert "D:found" in say(client, "execute one")


@pytest.mark.parametrize("way_out", ["commit", "ROLLBACK", "end work", "rollback and chain", "rollback to one", "rollback to savepoint one"])
def test_execute_behind_the_end_of_a_failed_transaction(client, way_out):
    """In one text, which finds the transaction as it failed."""
    prepare(client, "one", "select 'found'")
    client.query("begin isolation level serializable; savepoint one; set local work_mem = '3MB'; select 1/0")
    answer = [x for x in summaries(client.query(f"{way_out}; execute one; show transaction_isolation")) if x[0] != "T"]
    stays = "chain" in way_out or "to" in way_out
    level = "serializable" if stays else "read committed"
    assert answer == ["C:ROLLBACK", "D:found", "C:SELECT 1", f"D:{level}", "C:SHOW", "Z:T" if stays else "Z:I"]
    client.query("rollback")
    assert client.value("select 'usable'") == "usable"


def test_nothing_of_a_text_that_cannot_be_parsed_happens_to_a_failed_transaction(client):
    prepare(client, "one", "select 'found'")
    client.query("begin; create table kept (a int); savepoint one; select 1/0")
    assert summaries(client.query("commit; execute one; selec")) == ["E:ERROR:42601", "Z:E"]
    assert summaries(client.query("rollback to missing; execute one")) == ["E:ERROR:3B001", "Z:E"]
    assert summaries(client.query("rollback to one; select count(*) from kept"))[-1] == "Z:T"
    client.query("rollback")


def test_execute_of_what_has_lost_its_table(client, say, postgres):
    postgres.execute("create table short_lived (a int)", dbname="app")
    prepare(client, "gone", "select a from short_lived")
    postgres.execute("drop table short_lived", dbname="app")
    assert say(client, "execute gone") == ["E:ERROR:42P01", "Z:I"]
    assert say(client, "execute gone") == ["E:ERROR:42P01", "Z:I"]
    assert client.value("select 'usable'") == "usable"


def test_explain_and_create_table_as_execute(client, say):
    prepare(client, "one", "select 1 as a")
    assert "C:EXPLAIN" in say(client, "explain (costs off) execute one")
    assert say(client, "create temp table made as execute one")[0] == "C:SELECT 1"
    assert client.value("select a from made") == "1"
    client.query("drop table made")


def test_execute_of_something_that_sets_is_kept_for_its_client(client, other, say):
    before = other.value("show work_mem")
    prepare(client, "sets", "select set_config('work_mem', '7MB', false)")
    assert "D:7MB" in say(client, "execute sets")
    assert other.value("show work_mem") == before
    assert client.value("show work_mem") == "7MB"


@pytest.mark.parametrize("end", [m.close_statement("one") + m.SYNC, m.query("deallocate one")])
def test_a_name_that_is_given_up_in_the_same_transaction_is_gone(client, end):
    prepare(client, "one", "select 'found'")
    client.query("begin")
    assert "D:found" in extended(client, "execute one")
    client.send(end)
    client.until_ready()
    assert run(client, "one") == [UNKNOWN, "Z:E"]
    client.query("rollback")


def test_others_do_not_find_the_names(client, other, say):
    prepare(client, "one", "select 'found'")
    assert "D:found" in say(client, "execute one")
    assert say(other, "execute one") == [UNKNOWN, "Z:I"]
    assert other.value("select count(*) from pg_prepared_statements where name = 'one'") == "0"


def test_sql_cannot_take_a_name_that_a_parse_has_given(client, say):
    prepare(client, "one", "select 'protocol'")
    assert say(client, "prepare one as select 'sql'") == [TAKEN, "Z:I"]
    assert "D:protocol" in run(client, "one")
    assert say(client, "execute one")[0] == "D:protocol"


def test_a_parse_cannot_take_a_name_that_sql_has_given(client):
    assert summaries(client.query("prepare one as select 'sql'")) == ["C:PREPARE", "Z:I"]
    assert prepare(client, "one", "select 'protocol'") == [TAKEN, "Z:I"]
    assert prepare(client, "one", "selekt") == ["E:ERROR:42601", "Z:I"]
    assert prepare(client, "two", "select 'protocol'") == ["1", "Z:I"]
    assert "D:protocol" in run(client, "two")
    assert summaries(client.query("execute one"))[1] == "D:sql"
    client.query("deallocate one")
    assert prepare(client, "one", "select 'protocol'") == ["1", "Z:I"]
    assert "D:protocol" in run(client, "one")


def test_in_one_go(client):
    client.send(m.query("prepare one as select 'sql'"), m.parse("select 'protocol'", "one"), m.SYNC, m.query("execute one"))
    assert summaries(client.until_ready()) == ["C:PREPARE", "Z:I"]
    assert summaries(client.until_ready()) == [TAKEN, "Z:I"]
    assert "D:sql" in summaries(client.until_ready())
    client.query("deallocate all")


def test_a_batch_in_front_is_answered_first(client):
    client.send(m.parse("select 'early'", "one"), m.bind("one"), m.execute(), m.query("execute one"), m.query("select 'next'"), m.SYNC)
    seen = summaries(client.until_ready())
    assert [x for x in seen if x[0] in "DZE"] == ["D:early", "D:early", "Z:I"]
    assert "D:next" in summaries(client.until_ready())
    assert summaries(client.until_ready()) == ["Z:I"]


# --- no more than is named ---

def test_values_and_comments_are_no_names(client, say):
    client.query("create table orders (a int)")
    prepare(client, "orders", "select * from orders")
    prepare(client, "find", "select $1::text")
    client.query("drop table orders")
    assert say(client, "execute find('orders') /* orders */") == ["D:orders", "C:SELECT 1", "Z:I"]


def test_execute_waits_for_no_lock_of_what_it_does_not_run(client, other):
    other.query("create table held (a int)")
    prepare(client, "held", "select * from held")
    prepare(client, "find", "select $1::text")
    other.query("begin; lock table held")
    assert client.query("execute find('held')")[-1].tag == "Z"
    other.query("rollback; drop table held")


def test_as_many_as_a_text_names(client):
    for number in range(40):
        prepare(client, f"s{number}", f"select {number}")
    seen = summaries(client.query("; ".join(f"execute s{number}" for number in range(40))))
    assert [x for x in seen if x[0] in "DE"] == [f"D:{number}" for number in range(40)]


@pytest.mark.parametrize("sql", [
    "select * from pgsluice_stats", "select pgsluice_f(1)", "select 'pgsluice_x'::int", "select pgsluice_column",
    "do $$ begin raise exception 'gone: pgsluice_stats' using errcode = '26000', hint = 'look'; end $$",
    "do $$ begin raise exception 'no \"pgsluice_0123456789abcdef0123456789abcdef\"' using errcode = '42P05'; end $$",
])
def test_what_is_called_as_our_names_are_keeps_its_name_in_errors(client, sql):
    client.send(m.parse(sql, "mine"), m.SYNC)
    parsed = client.until_ready()
    client.send(m.bind("mine"), m.execute(), m.SYNC)
    errors = [x for x in parsed + client.until_ready() if x.tag == "E"]
    assert b"pgsluice_" in errors[0].body and b"mine" not in errors[0].body
