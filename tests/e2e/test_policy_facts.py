"""Rules over what a statement does, as PostgreSQL's parser reads it, in both protocols."""
import psycopg
import pytest

from support import messages as m
from support.proxy import login
from support.system import eventually
from support.wire import error_in, summaries


def rule(name="rule", action="block", mode="enforce", **when):
    return {"name": name, "action": action, "mode": mode, "when": when}


def is_blocked(reply) -> bool:
    errors = [message for message in reply if message.tag == "E"]
    return any((error.sqlstate, error.fields.get("R")) == ("42501", "pgsluice") for error in errors)


def judged(client, sql):
    """By the simple and by the extended protocol: they agree."""
    simple = is_blocked(client.query(sql))
    client.send(m.parse(sql), m.SYNC)
    extended = is_blocked(client.until_ready())
    if ";" not in sql.rstrip("; "):
        assert simple == extended, sql
    return simple


@pytest.mark.parametrize("sql, blocked", [
    ("delete from target", True),
    ("DELETE/* where */FROM target -- where", True),
    ("delete from target where a = 1", False),
    ("select 'delete from target'", False),
    ("with gone as (delete from target returning a) select * from gone", True),
    ("explain analyze delete from target", True),
    ("explain delete from target", False),
    ("prepare p as delete from target", True),
    ("select 1; delete from target", True),
    ("delete from target where a = 1; select 1", False),
    ("update target set b = 'x'", True),
    ("update target set b = 'x' where true", False),
])
def test_delete_and_update_without_where(sluice, sql, blocked):
    with login(sluice(policies=[rule(statements=["delete", "update"], without_where=True)])) as client:
        assert judged(client, sql) is blocked


@pytest.mark.parametrize("sql", [
    'select * from target', 'select * from "target"', 'select * from U&"\\0074arget"', 'select * from public.target',
    "TABLE target", "select (select max(a) from target)", "with x as (select * from target) select 1", "copy target to stdout",
    "copy (select a from target) to stdout", "declare c cursor for select * from target", "create table t2 as select * from target",
    "select 1 from other, lateral (select a from target) x", "select a into t2 from target",
])
def test_a_table_is_found_wherever_it_is_read(sluice, sql):
    with login(sluice(policies=[rule(reads=["public.target"])])) as client:
        assert judged(client, sql) is True


@pytest.mark.parametrize("sql", ["select 'target'", 'select * from "Target"', "with target as (select 1) select * from target",
                                 "insert into target values (1, 'x')", "select target from generate_series(1, 2) target"])
def test_what_only_looks_like_the_table_is_none(sluice, sql):
    with login(sluice(policies=[rule(reads=["target"])])) as client:
        assert judged(client, sql) is False


def test_columns_and_functions(sluice):
    with login(sluice(policies=[rule("secret", columns=["target.b"]), rule("sleep", functions=["pg_sleep*"])])) as client:
        for sql in ("select b from target", "select t.b from target t", "select * from target", "select target from target",
                    "select pg_sleep(0)", "select pg_catalog.PG_SLEEP(0)", "select 1 where pg_sleep_for('0') is null"):
            assert judged(client, sql) is True, sql
        for sql in ("select a from target", "select count(*) from target", "select o.b from (select 1 b) o"):
            assert judged(client, sql) is False, sql


def test_schema_is_found_by_the_sessions_search_path(sluice, postgres):
    for statement in ("create schema if not exists billing", "create table if not exists billing.invoices (a int)"):
        postgres.execute(statement, dbname="app")
    proxy = sluice(policies=[rule(tables=["billing.*"])])
    with login(proxy) as client:
        assert judged(client, "select * from billing.invoices") is True
        assert judged(client, "select * from invoices") is True, "where the path leads is not known"
        assert judged(client, "select * from public.target") is False
        client.query("set search_path = public")
        assert judged(client, "select * from target") is False
        client.query("begin")
        client.query("set local search_path = billing")
        assert is_blocked(client.query("select * from invoices"))
        client.query("rollback")
        assert judged(client, "select * from target") is False
        client.query("set search_path = public, billing")
        assert judged(client, "select * from invoices") is True
    postgres.execute("drop schema billing cascade", dbname="app")


def test_a_search_path_that_execute_sets_is_not_taken_for_that_of_before(sluice, postgres):
    for statement in ("create schema if not exists billing", "create table if not exists billing.invoices (a int)"):
        postgres.execute(statement, dbname="app")
    proxy = sluice(policies=[rule(tables=["billing.*"])], route={"parameters": {"search_path": "public"}})
    with login(proxy) as client:
        assert judged(client, "select * from invoices") is False
        client.query("prepare p as select set_config('search_path', 'billing', false)")
        assert judged(client, "select * from invoices") is False
        client.query("begin; execute p")
        assert is_blocked(client.query("select * from invoices"))
        client.query("rollback")
        client.query("execute p")
        assert judged(client, "select * from invoices") is True
        client.query("deallocate p")
        assert judged(client, "select * from invoices") is True
    postgres.execute("drop schema billing cascade", dbname="app")


def test_an_allowing_rule_must_fit_all_that_a_text_does(sluice):
    proxy = sluice(policies=[rule("reads", "allow", statements=["select", "set", "begin", "commit"]), rule("rest")])
    with login(proxy) as client:
        assert is_blocked(client.query("select 1; drop table target"))
        assert is_blocked(client.query("with d as (delete from target returning 1) select * from d"))
        assert client.value("select 1") == "1"


def test_in_transaction(sluice):
    with login(sluice(policies=[rule(functions=["pg_notify"], in_transaction=True)])) as client:
        assert not is_blocked(client.query("select pg_notify('c', 'x')"))
        client.query("begin")
        assert is_blocked(client.query("select pg_notify('c', 'x')"))
        client.query("rollback")
        client.send(m.parse("select pg_notify('c', 'x')", "s"), m.SYNC)
        assert not is_blocked(client.until_ready())
        client.send(m.bind("s"), m.execute(), m.SYNC)
        assert not is_blocked(client.until_ready())
        client.query("begin")
        client.send(m.bind("s"), m.execute(), m.SYNC)
        reply = client.until_ready()
        assert is_blocked(reply) and reply[-1].status == "E", "it was prepared outside of a transaction"
        client.query("rollback")


def test_tags_and_fingerprints(sluice):
    proxy = sluice(policies=[rule("tag", tags={"action": "export*"}), rule("shape", fingerprints=["50fde20626009aba"])])
    with login(proxy) as client:
        assert judged(client, "select a from target /*action='export%20all',x='y'*/") is True
        assert judged(client, "select a from target /*action='list'*/") is False
        assert judged(client, "select 17") is True and judged(client, "SELECT 18 -- again") is True
        assert judged(client, "select 17 as other, now()") is False


def test_what_cannot_be_parsed_is_refused_with_the_parsers_words(sluice):
    proxy = sluice(policies=[rule("no-drop", statements=["drop"])])
    with login(proxy) as client:
        reply = client.query("selec 1")
        error = error_in(reply)
        assert is_blocked(reply) and 'policy "no-drop"' in error.text
        assert error.fields["D"] == "The parser says: syntax error"
        assert is_blocked(client.query("select " + "1+" * 20000 + "1")), "longer than limits.parse_inline"
    assert proxy.metrics().sum("pgsluice_unparsable_total") == 2


def test_what_cannot_be_parsed_may_be_let_through(sluice):
    proxy = sluice(policies=[rule("no-drop", statements=["drop"])], policy_defaults={"on_unparsable": "allow"})
    with login(proxy) as client:
        assert error_in(client.query("selec 1")).sqlstate == "42601", "PostgreSQL's own error"


def test_backslash_is_read_as_the_session_reads_it(sluice):
    """With standard_conforming_strings off the quote behind a backslash does not end the constant."""
    hidden = r"select '\'; delete from target; --'"
    with login(sluice(policies=[rule(statements=["delete"])])) as client:
        assert is_blocked(client.query(hidden))
        client.query("set standard_conforming_strings = off")
        assert "D:'; delete from target; --" in summaries(client.query(hidden))
        assert is_blocked(client.query(r"select '\\'; delete from target; --'"))


ENDS_EARLY = r"select 'a\', '; delete from target; --'"  # where backslashes escape, a DELETE


@pytest.mark.parametrize("end", ["commit", "rollback", "/* ; */ END", "select 1; abort", "rollback and chain", "prepare transaction 'x'"])
@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared before"])
def test_what_follows_the_end_of_a_transaction_is_read_by_the_settings_behind_it(sluice, end, protocol):
    with login(sluice(policies=[rule(statements=["delete"])])) as client:
        client.query("set standard_conforming_strings = off")
        if protocol == "prepared before" and ";" not in end:
            client.send(m.parse(end, "end"), m.SYNC)
            client.until_ready()
        client.query("begin")
        client.query("set local standard_conforming_strings = on")
        sent = (m.query(end) if protocol == "simple" or ";" in end else
                m.unnamed(end) + m.SYNC if protocol == "extended" else m.bind("end") + m.execute() + m.SYNC)
        client.send(sent, m.query(ENDS_EARLY))
        assert is_blocked(client.until_ready(2))


def test_what_a_function_has_set_ends_with_its_transaction_too(sluice, postgres):
    postgres.execute("create or replace function public.conform() returns text language sql as $$ select set_config('standard_conforming_strings', 'on', true) $$", dbname="app")
    with login(sluice(policies=[rule(statements=["delete"])])) as client:
        client.query("set standard_conforming_strings = off")
        client.query("begin")
        client.query("select conform()")
        client.send(m.query("rollback"), m.query(ENDS_EARLY))
        assert is_blocked(client.until_ready(2))


def test_what_follows_a_setting_that_was_held_is_not_read_by_the_one_before(sluice):
    """A Query behind the first statement of a transaction waits until BEGIN has been answered."""
    with login(sluice(policies=[rule(statements=["delete"])])) as client:
        client.send(*map(m.query, ("begin", "select 1", "set local standard_conforming_strings = off", ENDS_EARLY)))
        assert is_blocked(client.until_ready(4))


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_setting_of_a_statement_whose_name_is_not_followed_is_awaited(sluice, mode):
    proxy = sluice(policies=[rule(functions=["pg_sleep"])], pool={"max_prepared_statements": 0, "mode": mode})
    with login(proxy) as client:
        client.query("begin")
        client.query("select 1")
        client.send(m.parse("set standard_conforming_strings = off", "s"), m.SYNC)
        client.until_ready()
        client.send(m.bind("s"), m.execute(), m.parse(r"select 'a\', '||pg_sleep(0)::text --'"), m.SYNC)
        assert is_blocked(client.until_ready())


def test_prepared_statement_is_judged_again_after_a_reload(sluice):
    proxy = sluice(policies=[])
    with login(proxy) as client:
        client.send(m.parse("delete from target", "s"), m.SYNC)
        client.until_ready()
        client.send(m.bind("s"), m.execute(), m.SYNC)
        assert not is_blocked(client.until_ready())
        proxy.reload(changes={"policies": [rule(statements=["delete"])]})
        client.send(m.bind("s"), m.execute(), m.SYNC)
        assert is_blocked(client.until_ready())
        assert client.value("select 1") == "1"
        proxy.reload(changes={"policies": []})
        client.send(m.bind("s"), m.execute(), m.SYNC)
        assert not is_blocked(client.until_ready())


def test_a_reload_that_leaves_the_rules_as_they_are_judges_nothing_again(sluice):
    proxy = sluice(policies=[rule(action="log", statements=["delete"])])
    with login(proxy) as client:
        client.send(m.parse("delete from target where false", "s"), m.SYNC)
        client.until_ready()
        for _ in range(2):
            client.send((m.bind("s") + m.execute()) * 3, m.SYNC)
            client.until_ready()
            assert proxy.metrics().sum("pgsluice_policy_verdicts_total") == 1
            proxy.reload(changes={"limits": {"inspect_bytes": "2MiB"}})


def test_transaction_keeps_the_rules_that_it_began_with(sluice):
    proxy = sluice(policies=[])
    with login(proxy) as client:
        client.query("begin")
        client.query("select 1")
        proxy.reload(changes={"policies": [rule(statements=["delete"])]})
        assert not is_blocked(client.query("delete from target"))
        client.query("commit")
        assert is_blocked(client.query("delete from target"))


def test_driver_sees_rules_on_its_prepared_statements(sluice):
    proxy = sluice(policies=[rule(writes=["target"])])
    with psycopg.connect(**proxy.dsn(), autocommit=True, prepare_threshold=0) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("insert into target values (%s, %s)", (1, "x"))
        assert connection.execute("select count(*) from target where a = %s", (1,)).fetchone() == (0,)


def test_rules_on_facts_in_session_mode(sluice):
    with login(sluice(pool={"mode": "session"}, policies=[rule(statements=["truncate"])])) as client:
        assert judged(client, "truncate target") is True
        assert client.value("select 1") == "1"


def test_verdict_in_the_log_names_the_statement_without_its_constants(sluice):
    proxy = sluice(policies=[rule("by-pattern", pattern="canary"), rule("by-fact", tables=["target"], mode="shadow")])
    with login(proxy, application_name="shop") as client:
        client.query("select 'canary'")
        client.query("select a from target where b = 'secret'")
    blocked, noted = eventually(lambda: len(seen := proxy.events("policy_verdict")) == 2 and seen, 5, "both verdicts")
    assert (blocked["policy"], blocked["sql"], blocked["application"]) == ("by-pattern", "select $1", "shop")
    assert (noted["policy"], noted["mode"], noted["sql"]) == ("by-fact", "shadow", "select a from target where b = $1")
    assert "secret" not in proxy.log() and noted["fingerprint"] != blocked["fingerprint"]


def test_comment_ends_at_a_carriage_return_for_the_state_of_the_session_too(sluice):
    proxy = sluice(pool={"size": 1}, policies=[rule(statements=["delete"])])
    with login(proxy) as client:
        client.query("--\rset search_path = pg_catalog")
        client.query("-- a\rset work_mem = '7MB'")
        client.send(m.query("--\rset standard_conforming_strings = off"), m.query(r"select '\''; delete from target; --'"))
        assert is_blocked(client.until_ready(2))
        assert client.value("show work_mem") == "7MB"
        with login(proxy) as other:
            assert (other.value("show search_path"), other.value("show work_mem")) == ('"$user", public', "4MB")


@pytest.mark.parametrize("sql", ["select g.pg_sleep from abs(0.01::float8) g", "select (0.01::float8).pg_sleep",
                                 "select j.pg_sleep from (select 1) a, rows from (abs(0.01::float8)) j"])
def test_function_is_found_where_it_is_written_as_an_attribute(sluice, sql):
    with login(sluice(policies=[rule(functions=["pg_sleep*"])])) as client:
        assert judged(client, sql) is True


@pytest.mark.parametrize("sql", ["select t.json_agg from target t", "select t.array_agg from target t", "select t.hash_record from target t",
                                 "select public.target.jsonb_agg from target", "select j.json_agg from (target cross join target b) j"])
def test_whole_row_is_found_in_an_aggregate_written_as_an_attribute(sluice, sql):
    with login(sluice(policies=[rule(columns=["target.b"])])) as client:
        assert judged(client, sql) is True


def test_first_statement_behind_begin_is_in_its_transaction(sluice):
    with login(sluice(policies=[rule(tables=["target"], in_transaction=False)])) as client:
        client.query("begin")
        client.send(m.parse("select a from target", "s"), m.bind("s"), m.execute(), m.SYNC)
        assert not is_blocked(client.until_ready())
        client.query("commit")
        client.query("begin")
        client.send(m.bind("s"), m.execute(), m.SYNC)
        assert not is_blocked(client.until_ready())
        client.query("commit")
        client.send(m.bind("s"), m.execute(), m.SYNC)
        assert is_blocked(client.until_ready())


# One harmless SELECT, or one that ends at the second quote and has a DELETE behind it: as standard_conforming_strings is.
TWO_READINGS = {
    "query": r"select '\'' ; delete from target; --'",
    "one statement": r"with a as (select '\''), b as (delete from target returning 1) select * from b --') select 1",
}
UNSEEN = ("select query_to_xml('select set_con'||'fig(''standard_conforming_strings'',''off'',false)',true,true,'')")
POOLS = [{}, {"mode": "session"}, {"mode": "statement"}, {"max_prepared_statements": 0}, {"session_state": "ignore"},
         {"check_at_release": True}]


@pytest.mark.parametrize("text", TWO_READINGS)
@pytest.mark.parametrize("before", ["set standard_conforming_strings = off", UNSEEN])
@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_what_may_be_read_in_two_ways_behind_a_setting_is_not_known(sluice, postgres, pool, before, text):
    """Its change is reported by the ReadyForQuery, and so neither to a pipeline nor behind a Flush."""
    proxy = sluice(policies=[rule(statements=["delete"])], pool=pool)
    sql = TWO_READINGS[text]
    message = m.query(sql) if text == "query" else m.parse(sql) + m.bind() + m.execute() + m.SYNC
    with login(proxy) as client:
        client.send(m.query(before), message)
        client.until_ready()
        assert is_blocked(client.until_ready())
    with login(proxy) as client:
        client.send(m.parse(before), m.bind(), m.execute(), m.FLUSH)
        client.receive_until("CE")
        client.send(message)
        assert is_blocked(client.until_ready())


@pytest.mark.parametrize("before, at_once", [
    ("begin; declare c cursor for select set_config('standard_conforming_strings', 'off', false)", "fetch c"),
    ("prepare p as select set_config('standard_conforming_strings', 'off', false)", "execute p"),
])
def test_nor_where_the_setting_was_spoken_of_long_before(sluice, postgres, before, at_once):
    with login(sluice(policies=[rule(statements=["delete"])])) as client:
        for each in before.split("; "):
            client.query(each)
        client.send(m.query(at_once), m.query(TWO_READINGS["query"]))
        client.until_ready()
        assert is_blocked(client.until_ready())


def test_a_text_with_a_backslash_passes_in_a_pipeline_where_both_readings_say_the_same(sluice, postgres):
    with login(sluice(policies=[rule(statements=["delete"])])) as client:
        sql = r"select 'a1' ~ '^\w\d$', 'ü'"
        client.send(m.parse("begin"), m.bind(), m.execute(), m.parse(sql), m.bind(), m.execute(), m.query(sql))
        replies = [x for x in summaries(client.until_ready()) if x[0] in "DE"]
        assert replies == ["D:t,ü"] * 2


@pytest.mark.parametrize("pool", [{}, {"mode": "session"}, {"lazy_begin": False}, {"session_state": "ignore"}], ids=str)
def test_a_flush_does_not_tell_whether_a_transaction_is_open(sluice, postgres, pool):
    for inside, before, last in ((True, [], "begin"), (False, ["begin", "select 1"], "commit")):
        with login(sluice(policies=[rule(in_transaction=inside, tables=["target"])], pool=pool)) as client:
            for each in before:
                client.query(each)
            client.send(m.parse(last), m.bind(), m.execute(), m.FLUSH)
            client.receive_until("CE")
            client.send(m.parse("select count(*) from target"), m.bind(), m.execute(), m.SYNC)
            assert is_blocked(client.until_ready())
