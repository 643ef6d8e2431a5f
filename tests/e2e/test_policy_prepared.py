"""Rules about what a statement does, where the statement was prepared in another session than it runs in, so to speak: other
settings, another transaction, other rules."""
import pytest

from support import messages as m
from support.proxy import login
from support.statements import prepare
from support.wire import error_in, summaries

NO_DELETE = {"name": "no-delete", "when": {"statements": ["delete"]}}
# One harmless SELECT; where backslashes escape, it ends at the second quote and has a DELETE behind it.
HIDDEN = r"with a as (select '\''), b as (delete from target returning 1) select * from b --') select 1"
SETS = {
    "set": "set standard_conforming_strings = off",
    "set_config": "select set_config('standard_conforming_strings', 'off', false)",
    "do": "do $$ begin perform set_config('standard_conforming_strings', 'off', false); end $$",
    "set local": "begin; set local standard_conforming_strings = off",
}


def extended(client, sql):
    client.send(m.parse(sql), m.describe_statement(), m.bind(), m.execute(), m.SYNC)
    return client.until_ready()


def bound(client, name=""):
    client.send(m.bind(name), m.execute(), m.SYNC)
    return client.until_ready()


EXECUTES = {
    "simple": lambda client: client.query("execute a"),
    "extended": lambda client: extended(client, "execute a"),
    "explained": lambda client: client.query("explain analyze execute a"),
    "behind another": lambda client: client.query("select 1; execute a"),
}


def is_blocked(reply, rule="no-delete") -> bool:
    error = error_in(reply)
    return (error.sqlstate, error.fields.get("R"), error.text) == ("42501", "pgsluice", f'blocked by policy "{rule}"')


def is_unknown(reply) -> bool:
    error = error_in(reply)
    return (error.sqlstate, error.fields.get("R")) == ("42501", "pgsluice") and "cannot be parsed" in error.text


def fill(client):
    assert "C:INSERT 0 1" in summaries(client.query("insert into target values (1, 'x')"))


def still_full(client):
    client.query("rollback")
    return client.value("select count(*) from target") == "1"


@pytest.mark.parametrize("pool, way", [*(({}, way) for way in SETS), *(({"mode": "statement"}, way) for way in SETS if way != "set local"),
                                       ({"session_state": "ignore"}, "set"), ({"session_state": "ignore"}, "set local")])
@pytest.mark.parametrize("how", EXECUTES)
def test_what_execute_runs_is_judged_as_it_reads_then(sluice, pool, way, how):
    with login(sluice(policies=[NO_DELETE], pool=pool)) as client:
        fill(client)
        assert prepare(client, "a", HIDDEN) == ["1", "Z:I"]
        client.query(SETS[way])
        assert is_blocked(EXECUTES[how](client))
        assert still_full(client)


def test_the_read_only_recipe_lets_nothing_be_written_by_execute(sluice):
    reads = {"name": "reads", "action": "allow", "when": {"statements": ["select", "set", "prepare", "execute", "transaction"]}}
    with login(sluice(policies=[reads, {"name": "no-delete", "when": {}}])) as client:
        assert prepare(client, "a", HIDDEN) == ["1", "Z:I"]
        client.query("set standard_conforming_strings = off")
        assert is_blocked(client.query("execute a"))
        assert is_blocked(extended(client, "execute a"))


def test_execute_behind_the_end_of_a_failed_transaction_is_not_read_by_its_settings(sluice):
    for state in ({}, {"session_state": "ignore"}):
        with login(sluice(policies=[NO_DELETE], pool=state)) as client:
            client.query("set standard_conforming_strings = off")
            client.query("begin")
            client.query("set local standard_conforming_strings = on")
            assert prepare(client, "a", HIDDEN) == ["1", "Z:T"]
            client.query("select 1/0")
            reply = client.query("rollback; execute a")
            assert is_unknown(reply) and reply[-1].status == "E"


@pytest.mark.parametrize("sql", [r"select 'a1' ~ '^\w\d$'", r"select 'ü' < 'ä' or 'a1' ~ '\d'", "select true"])
def test_what_reads_the_same_by_any_settings_passes(sluice, postgres, sql):
    with login(sluice(policies=[NO_DELETE], pool={"max_prepared_statements": 1})) as client:
        assert prepare(client, "a", sql) == ["1", "Z:I"]
        for setting in ("standard_conforming_strings = off", "timezone = 'Asia/Tokyo'"):
            client.query(f"set {setting}")
            for reply in (client.query("execute a"), extended(client, "execute a"), bound(client, "a")):
                assert "C:SELECT 1" in summaries(reply)
            prepare(client, "b", "select 1")
            client.send(m.describe_statement("a"), m.bind("a"), m.execute(), m.SYNC)
            assert "C:SELECT 1" in summaries(client.until_ready())
            client.send(m.close_statement("b"), m.SYNC)
            client.until_ready()


def replace_server(client, proxy, postgres):
    postgres.terminate(int(client.value("select pg_backend_pid()")))


def evict(client, proxy, postgres):
    assert "1" in prepare(client, "other", "select 1")


@pytest.mark.parametrize("lose", [replace_server, evict])
@pytest.mark.parametrize("state", ["auto", "ignore"])
def test_what_is_parsed_anew_to_be_bound_is_judged_as_it_reads_then(sluice, postgres, lose, state):
    pool = {"size": 1, "max_prepared_statements": 1}
    if state != "auto":
        pool["session_state"] = state
    proxy = sluice(policies=[NO_DELETE], pool=pool, workers=1)
    with login(proxy) as client:
        fill(client)
        assert prepare(client, "a", HIDDEN) == ["1", "Z:I"]
        client.query("set standard_conforming_strings = off")
        assert "C:SELECT 1" in summaries(bound(client, "a")), "parsed as it was judged"
        lose(client, proxy, postgres)
        client.query("set standard_conforming_strings = off")
        client.send(m.describe_statement("a"), m.SYNC)
        assert is_blocked(client.until_ready())
        assert is_blocked(bound(client, "a"))
        assert still_full(client)


def test_the_unnamed_statement_that_another_client_has_displaced_is_judged_as_it_reads_then(sluice):
    proxy = sluice(policies=[NO_DELETE], pool={"size": 1}, workers=1)
    with login(proxy) as client, login(proxy) as other:
        fill(client)
        prepare(client, "sets", SETS["set"])
        assert prepare(client, "", HIDDEN) == ["1", "Z:I"]
        bound(client, "sets")
        extended(other, "select 1")
        client.send(m.describe_statement(""), m.SYNC)
        for reply in (client.until_ready(), bound(client)):
            assert is_blocked(reply) or is_unknown(reply), "its server has just been given the settings, and may tell of others"
        assert still_full(client)


def test_what_is_parsed_anew_behind_an_unseen_setting_is_not_known(sluice, postgres):
    unseen = "select query_to_xml('select set_con'||'fig(''standard_conforming_strings'',''off'',false)',true,true,'')"
    proxy = sluice(policies=[NO_DELETE], pool={"size": 1, "max_prepared_statements": 1}, workers=1)
    with login(proxy) as client:
        fill(client)
        assert prepare(client, "a", HIDDEN) == ["1", "Z:I"]
        evict(client, proxy, postgres)
        client.send(m.unnamed(unseen), m.bind("a"), m.execute(), m.SYNC)
        assert is_unknown(client.until_ready())
        assert still_full(client)


@pytest.fixture
def billing(postgres):
    for statement in ("create schema billing", "create table billing.invoices (a int)", "grant usage on schema billing to app",
                      "grant select on billing.invoices to app", "create table invoices (a int)", "grant select on invoices to app"):
        postgres.execute(statement, dbname="app")
    yield
    postgres.execute("drop schema billing cascade; drop table invoices", dbname="app")


def test_what_execute_runs_is_judged_by_the_search_path_of_then(sluice, billing):
    with login(sluice(policies=[{"name": "no-billing", "when": {"tables": ["billing.*"]}}])) as client:
        client.query("set search_path = public")
        assert prepare(client, "a", "select a from invoices") == ["1", "Z:I"]
        assert "C:SELECT 0" in summaries(client.query("execute a"))
        assert is_blocked(client.query("set search_path = billing; execute a"), "no-billing")
        client.query("set search_path = billing")
        for reply in (client.query("execute a"), extended(client, "execute a"), bound(client, "a")):
            assert is_blocked(reply, "no-billing")
        client.query("set search_path = public")
        assert "C:SELECT 0" in summaries(client.query("execute a"))


def test_what_execute_runs_is_judged_by_the_transaction_and_the_rules_of_then(sluice):
    proxy = sluice(policies=[{"name": "no-notify", "when": {"functions": ["pg_notify"], "in_transaction": True}}])
    with login(proxy) as client:
        prepare(client, "a", "select pg_notify('c', 'x')")
        assert "C:SELECT 1" in summaries(client.query("execute a"))
        assert is_blocked(client.query("begin; execute a; commit"), "no-notify")
        client.query("begin")
        reply = client.query("execute a")
        assert is_blocked(reply, "no-notify") and reply[-1].status == "E"
        client.query("rollback")
        proxy.reload(changes={"policies": [{"name": "none", "when": {"functions": ["pg_notify"]}}]})
        assert is_blocked(client.query("execute a"), "none")
        assert is_blocked(extended(client, "execute a"), "none")


def test_a_statement_whose_name_is_part_of_the_one_that_execute_runs_is_not_judged_with_it(sluice):
    proxy = sluice(policies=[])
    with login(proxy) as client:
        prepare(client, "s1", "delete from target")
        prepare(client, "s10", "select 1")
        proxy.reload(changes={"policies": [NO_DELETE]})
        assert "C:SELECT 1" in summaries(client.query("execute s10"))
        assert is_blocked(client.query("execute s1"))
