"""action: rewrite changes what the server is given; the client notices nothing but the result."""
import psycopg
import pytest

from support import messages as m
from support.proxy import login
from support.wire import error_in, summaries


def rewriting(sluice, when=None, more=(), **rewrite):
    return sluice(policies=[{"name": "other", "when": when or {}, "action": "rewrite", "rewrite": rewrite}, *more])


@pytest.fixture
def filled(sluice, postgres):
    """sluice has made the table."""
    postgres.execute("insert into target select i, 'x' from generate_series(1, 20) i", dbname="app")


def test_by_a_regular_expression_in_both_protocols(sluice):
    with login(rewriting(sluice, pattern=r"select (\d+)", replacement=r"select \1 * 2")) as client:
        assert client.value("select 21") == "42"
        client.send(m.unnamed("select 4"), m.SYNC)
        assert "D:8" in summaries(client.until_ready())
        assert client.value("select now() is not null") == "t"


def test_limit_is_added_where_there_is_none(sluice, filled):
    with login(rewriting(sluice, limit=5)) as client:
        assert summaries(client.query("select a from target"))[-2] == "C:SELECT 5"
        assert summaries(client.query("select a from target limit 7"))[-2] == "C:SELECT 7"
        assert client.value("select count(*) from target") == "20"
        assert summaries(client.query("select 1"))[-2] == "C:SELECT 1"


def test_tables_by_other_names_with_parameters_and_describe(sluice, postgres, filled):
    postgres.execute("create table if not exists other_target (a int, b text, c text default 'new')", dbname="app")
    postgres.execute("grant all on other_target to public", dbname="app")
    postgres.execute("insert into other_target values (1, 'other')", dbname="app")
    with login(rewriting(sluice, tables={"target": "public.other_target"})) as client:
        assert client.value("select target.b from target where target.a = 1") == "other"
        client.send(m.parse("select * from target where a = $1", "s"), m.describe_statement("s"), m.bind("s", values=[b"1"]), m.execute(), m.SYNC)
        reply = client.until_ready()
        assert any("other" in text and "new" in text for text in summaries(reply)), "a column that target has not"
        client.query("insert into target values (2, 'two')")
    with psycopg.connect(**rewriting(sluice, tables={"target": "other_target"}).dsn(), autocommit=True, prepare_threshold=0) as driver:
        for _ in range(3):
            assert driver.execute("select b, c from target where a = %s", (2,)).fetchone() == ("two", "new")
    postgres.execute("drop table other_target", dbname="app")


def test_columns_with_a_schema_follow_their_table(sluice, postgres):
    postgres.execute("create schema old; create schema new; grant usage on schema old, new to public;"
                     "create table old.t (a int); create table new.t (a int); create table new.moved (a int);"
                     "insert into new.t values (7); insert into new.moved values (8); grant all on new.t, new.moved to public", dbname="app")
    with login(rewriting(sluice, schemas={"old": "new"}, tables={"old.gone": "new.moved"})) as client:
        for text in ("select old.t.a from old.t", "select old.t.* from old.t", "update old.t set a = 7 where old.t.a = 7 returning old.t.a"):
            assert client.value(text) == "7", text
        assert client.value("select old.gone.a from old.gone where old.gone.a > 1") == "8"
    postgres.execute("drop schema old cascade; drop schema new cascade", dbname="app")


def test_prepared_statement_stays_what_it_became(sluice, filled):
    proxy = rewriting(sluice, limit=3)
    with login(proxy) as client:
        client.send(m.parse("select a from target", "s"), m.SYNC)
        client.until_ready()
        proxy.reload(changes={"policies": []})
        client.send(m.bind("s"), m.execute(), m.SYNC)
        assert "C:SELECT 3" in summaries(client.until_ready())
        assert summaries(client.query("select a from target"))[-2] == "C:SELECT 20"


def test_what_does_to_the_session_is_that_of_the_text_it_becomes(sluice):
    with login(rewriting(sluice, pattern="set work_mem = '64MB'", replacement="set work_mem = '8MB'")) as client:
        client.query("set work_mem = '64MB'")
        assert client.value("show work_mem") == "8MB"


def test_in_a_transaction_and_in_a_pipeline(sluice, filled):
    with login(rewriting(sluice, limit=2)) as client:
        client.query("begin")
        assert summaries(client.query("select a from target"))[-2:] == ["C:SELECT 2", "Z:T"]
        client.query("commit")
        client.send(*(m.query("select a from target") for _ in range(20)))
        assert summaries(client.until_ready(20)).count("C:SELECT 2") == 20
        client.send(*(m.unnamed("select a from target") for _ in range(20)), m.SYNC)
        assert summaries(client.until_ready()).count("C:SELECT 2") == 20


def test_what_cannot_be_rewritten_is_refused(sluice):
    proxy = rewriting(sluice, limit=2)
    with login(proxy) as client:
        error = error_in(client.query("selec 1"))
        assert (error.sqlstate, error.text) == ("42501", 'policy "other" could not rewrite the statement')
        assert client.value("select 1") == "1"


def test_shadow_counts_and_changes_nothing(sluice, filled):
    proxy = sluice(policies=[{"name": "dry", "action": "rewrite", "rewrite": {"limit": 2}, "mode": "shadow"}])
    with login(proxy) as client:
        assert summaries(client.query("select a from target"))[-2] == "C:SELECT 20"
    assert proxy.metrics().sum("pgsluice_policy_verdicts_total", rule="dry", action="rewrite", mode="shadow") == 1


def test_what_was_rewritten_is_still_judged_by_the_rules_behind(sluice, filled):
    block = {"name": "none", "when": {"functions": ["now"]}, "action": "block"}
    proxy = rewriting(sluice, when={"tables": ["target"]}, more=[block], limit=2)
    with login(proxy) as client:
        assert error_in(client.query("select now() from target")).text == 'blocked by policy "none"'
        assert error_in(client.query("select 1 from target; select now()")).sqlstate == "42501"
        assert summaries(client.query("select a from target"))[-2] == "C:SELECT 2"
        client.send(m.parse("select a, now() from target", "s"), m.SYNC)
        assert error_in(client.until_ready()).text == 'blocked by policy "none"'


def test_what_a_rewriting_rule_cannot_read_does_not_pass_as_it_is(sluice, filled):
    proxy = rewriting(sluice, when={"tables": ["target"]}, tables={"target": "other_target"})
    with login(proxy) as client:
        assert error_in(client.query("select a from target limit 1" + " " * 17_000)).sqlstate == "42501"
        assert error_in(client.query("select a from target where exists (with target as (select 1) select 1)")).sqlstate == "42501"


def test_what_grows_beyond_what_may_be_inspected_is_refused(sluice):
    proxy = sluice(policies=[{"name": "grow", "action": "rewrite", "rewrite": {"pattern": "a", "replacement": "a" * 1000}}],
                   limits={"inspect_bytes": "16KiB"})
    with login(proxy) as client:
        assert error_in(client.query(f"select '{'a' * 1000}'")).sqlstate == "54000"
        assert client.value("select 1") == "1"
