"""A text is shared between clients only where it means the same: its meaning is frozen when it is parsed."""
import pytest

from support import messages as m
from support.proxy import login
from support.wire import error_in, summaries

# what differs -> the setting, a text whose meaning it freezes, what that answers there and in a fresh session
FROZEN = {
    "the order of day and month": ("datestyle = 'German'", "select extract(month from '01.02.2020'::date)::int", "2", "1"),
    "a time zone": ("timezone = 'Etc/GMT-3'", "select extract(epoch from '1970-01-01 03:00'::timestamptz)::int", "0", "10800"),
    "backslashes": ("standard_conforming_strings = off", r"select length('a\\b')", "3", "4"),
    "an interval's sign": ("intervalstyle = 'sql_standard'", "select extract(hour from '-1 2:00'::interval)::int", "-2", "2"),
    "a table's schema": ("search_path = elsewhere", "select a from t", "there", "1"),
}
# Two tables of one name; a fresh session finds that of its user's own schema.
SCHEMAS = ("app", "elsewhere", "first")
TABLES = ("create table app.t (a int)", "insert into app.t values (1)",
          "create table elsewhere.t (a text)", "insert into elsewhere.t values ('there')")
OWNERS = ("alter table app.t owner to app", "alter table elsewhere.t owner to app")
# How the first client comes by its setting: what it sends ahead of the Parse, in one go or message by message.
WAYS = {
    "set": (["set {0}"], False),
    "set local": (["begin", "set local {0}"], False),
    "set_config": (["begin", "do $$ begin execute 'set local {1}'; end $$"], False),
    "pipelined": (["begin", "set local {0}"], True),
    "twice": (["begin", "set local {0}", "savepoint s", "set local {0}", "rollback to s"], False),
}


@pytest.fixture
def two(sluice, postgres):
    """Two clients of one server, and the tables."""
    for statement in (*(f"create schema {each} authorization app" for each in SCHEMAS), *TABLES, *OWNERS):
        postgres.execute(statement, dbname="app")
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy) as first, login(proxy) as second:
        yield first, second
    for each in SCHEMAS:
        postgres.execute(f"drop schema {each} cascade", dbname="app")


def prepared(client, name, sql):
    """The first value of a statement that is prepared and run."""
    client.send(m.parse(sql, name), m.bind(name), m.execute(), m.SYNC)
    # Settings that are reported, and warnings of backslashes, stand wherever PostgreSQL puts them.
    reply = [x for x in summaries(client.until_ready()) if x[0] not in "NS"]
    assert [x[0] for x in reply] == ["1", "2", "D", "C", "Z"], reply
    return reply[2][2:]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", FROZEN)
def test_what_one_client_freezes_is_not_anothers(two, kind, way):
    first, second = two
    setting, sql, there, fresh = FROZEN[kind]
    before, at_once = WAYS[way]
    before = [each.format(setting, setting.replace("'", "''")) for each in before]
    if at_once:
        first.send(*(m.query(each) for each in before), m.parse(sql, "s"), m.bind("s"), m.execute(), m.SYNC)
        replies = [summaries(first.until_ready()) for _ in range(len(before) + 1)]
        assert f"D:{there}" in replies[-1]
    else:
        for each in before:
            first.query(each)
        assert prepared(first, "s", sql) == there
    first.query("rollback")
    assert prepared(second, "s", sql) == fresh
    first.query("begin")
    first.query(f"set local {setting}")
    assert prepared(first, "again", sql) == there
    first.query("rollback")
    assert prepared(second, "again", sql) == fresh


def test_what_a_savepoint_takes_back_is_not_frozen(two):
    first, second = two
    setting, sql, there, fresh = FROZEN["the order of day and month"]
    for client in two:
        for each in ("begin", "savepoint s", f"set local {setting}"):
            client.query(each)
        if client is first:
            assert prepared(client, "s", sql) == there
        client.query("rollback to s")
        assert prepared(client, "back", sql) == fresh
        client.query("rollback")


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize("kind", ["the order of day and month", "backslashes"])
def test_what_follows_the_end_of_a_transaction_is_not_frozen_as_in_it(two, kind, end):
    first, second = two
    setting, sql, there, fresh = FROZEN[kind]
    for client in two:
        client.query("begin")
        client.query(f"set local {setting}")
        if client is first:
            first.send(m.query(end), m.parse(sql, "s"), m.bind("s"), m.execute(), m.SYNC)
            assert f"D:{fresh}" in summaries(first.until_ready(2))
        else:
            assert prepared(second, "s", sql) == there
            second.query("rollback")


def test_a_temporary_table_is_not_taken_for_the_table_it_hides(two):
    first, second = two
    assert prepared(second, "s", "select a from t") == "1"
    first.query("create temp table t as select 'mine' as a")
    assert prepared(first, "s", "select a from t") == "mine"
    first.query("drop table pg_temp.t")
    assert prepared(second, "again", "select a from t") == "1"


@pytest.mark.parametrize("ddl", ["alter table t add b int", "alter table t alter a type text", "create table first.t (a int, b int); insert into first.t values (1, 2)",
                                 "do $$ begin execute 'alter table t add b int'; end $$"])
def test_what_is_prepared_behind_a_change_of_the_schema_sees_it(two, ddl):
    first, second = two
    for client in two:
        client.query("set search_path = first, app")
    sql = "select * from t"
    assert prepared(first, "s", sql) == "1"
    second.query(ddl)
    if ddl.startswith("do"):
        # Nobody has seen it: the first error tells.
        second.send(m.parse(sql, "early"), m.bind("early"), m.execute(), m.SYNC)
        assert error_in(second.until_ready()).sqlstate == "0A000"
    for client in two:
        assert prepared(client, "after", sql).startswith("1")


def test_a_lookup_that_failed_retires_what_is_prepared(two):
    """A plan may name what is gone."""
    first, second = two
    sql = "select a as looked_up from t"
    known = "select count(*) from pg_prepared_statements where statement like 'select a as looked_up%'"
    for client in two:
        assert prepared(client, "s", sql) == "1"
    assert first.value(known) == "1"
    seen = second.query("select array_in('{1}', 999999, -1)")
    assert error_in(seen).text == "cache lookup failed for type 999999"
    assert prepared(second, "again", sql) == "1"
    assert first.value(known) == "2"


def test_a_text_that_ends_elsewhere_where_backslashes_escape_keeps_its_effect(two):
    first, second = two
    hidden = r"select '\'; select '; set work_mem = 7168 --'"
    first.query("set standard_conforming_strings = off")
    first.query("begin")
    first.query(hidden)
    first.query("commit")
    assert first.rows("show work_mem") == [[b"7MB"]]
    assert second.rows("show work_mem") == [[b"4MB"]], "and nobody else has it"
    assert first.rows("show work_mem") == [[b"7MB"]]


def test_an_effect_behind_half_a_character_is_nobody_elses(two):
    """To Shift JIS the backslash is the second octet of a character."""
    first, second = two
    first.query("set client_encoding = 'sjis'")
    assert "C:SET" in summaries(first.query(b"select E'\xe3\x83\x95\\'; set work_mem = 7168 --'"))
    assert first.rows("show work_mem") == [[b"7MB"]]
    assert second.rows("show work_mem") == [[b"4MB"]]


def test_an_effect_behind_a_setting_that_was_held_is_nobody_elses(two):
    first, second = two
    first.send(*map(m.query, ("begin", "select 1", "set local standard_conforming_strings = off", r"select 'a\', '; set work_mem = 7168; --'", "commit")))
    assert "C:SET" in summaries(first.until_ready(5))[-5:]
    assert first.rows("show work_mem") == [[b"7MB"]]
    assert second.rows("show work_mem") == [[b"4MB"]]


def executed(client, name):
    client.send(m.bind(name), m.execute(), m.SYNC)
    return next(x[2:] for x in summaries(client.until_ready()) if x[0] == "D")


NOW = "select extract(epoch from 'now'::timestamptz)::text"


def test_each_parse_reads_the_clock_anew_and_for_its_client_alone(two):
    first, second = two
    earliest = prepared(first, "s", NOW)
    later = prepared(second, "s", NOW)
    assert float(earliest) < float(later)
    assert (executed(first, "s"), executed(second, "s")) == (earliest, later)
    first.send(m.close_statement("s"), m.SYNC)
    first.until_ready()
    latest = prepared(first, "s", NOW)
    assert float(latest) > float(later)
    assert (executed(first, "s"), executed(second, "s")) == (latest, later)


def test_texts_that_read_the_clock_do_not_fill_the_server(sluice):
    proxy = sluice(workers=1, pool={"size": 1, "max_prepared_statements": 4})
    with login(proxy) as client:
        for sql in ("select 1", "select 2", "select 3"):
            prepared(client, sql, sql)
        for _ in range(20):
            client.send(m.parse(NOW, "s"), m.bind("s"), m.execute(), m.FLUSH)
            client.receive_until("C")
            client.send(m.close_statement("s"), m.SYNC)
            client.until_ready()
        there = client.rows("select statement from pg_prepared_statements where name ~ '^pgsluice_[0-9a-f]{32}$'")
        assert sorted(each[0].decode() for each in there) == sorted(["select 1", "select 2", "select 3", NOW])


# Ways to another role, which finds other tables where search_path has "$user".
ROLES = {"set role": ["set role other"], "set local role": ["begin", "set local role other"],
         "set_config": ["begin", "select set_config('role', 'other', true)"],
         "pipelined": ["begin", "set local role other"]}


@pytest.fixture
def roles(two, postgres):
    for each in ("create schema other authorization other", "create table other.t (a text)", "insert into other.t values ('x')",
                 "alter table other.t owner to other", "grant other to app"):
        postgres.execute(each, dbname="app")
    yield two
    postgres.execute("revoke other from app")
    postgres.execute("drop schema other cascade", dbname="app")


@pytest.mark.parametrize("way", ROLES)
def test_one_roles_table_is_not_anothers(roles, way):
    first, second = roles
    assert prepared(first, "s", "select a from t") == "1"
    if way == "pipelined":
        second.send(*map(m.query, ROLES[way]), m.parse("select a from t", "s"), m.SYNC)
        for _ in range(len(ROLES[way]) + 1):
            second.until_ready()
        assert executed(second, "s") == "x"
    else:
        for each in ROLES[way]:
            second.query(each)
        assert prepared(second, "s", "select a from t") == "x"
    second.query("rollback")
    second.query("reset role")
    assert prepared(second, "again", "select a from t") == "1"
    assert executed(first, "s") == "1"


@pytest.mark.parametrize("change", ["grant usage on schema elsewhere to other", "revoke usage on schema elsewhere from other"])
def test_what_is_prepared_behind_a_change_of_rights_sees_it(roles, change):
    first, second = roles
    grants = change.startswith("grant")
    for each in ("grant select on all tables in schema app, elsewhere to other", "grant usage on schema app to other",
                 f"{'revoke' if grants else 'grant'} usage on schema elsewhere {'from' if grants else 'to'} other"):
        assert f"C:{each.split()[0].upper()}" in summaries(second.query(each))
    first.query("set role other")
    first.query("set search_path = elsewhere, app")
    assert prepared(first, "s", "select a from t") == ("1" if grants else "there")
    second.query(change)
    assert prepared(first, "after", "select a from t") == ("there" if grants else "1")


# Ways to change a setting of which the text that does it says nothing.
def hidden(name, value):
    return f"select query_to_xml('select set_con'||'fig(''{name}'',''{value}'',false)', true, true, '')"


UNSEEN = {
    "by a function": ([], [hidden("datestyle", "German")]),
    "by a portal": (["begin"], None),
    "by a cursor": (["begin", "declare c cursor for select set_config('datestyle', 'German', false)"], ["fetch c"]),
    "by what was prepared in SQL": (["prepare p as select set_config('datestyle', 'German', false)"], ["execute p"]),
    "behind a SET": (["begin", "set intervalstyle = 'iso_8601'"], [hidden("datestyle", "German")]),
}


@pytest.mark.parametrize("way", UNSEEN)
def test_what_is_parsed_behind_a_setting_that_nobody_saw_is_lent_to_nobody(two, way):
    first, second = two
    _, sql, there, fresh = FROZEN["the order of day and month"]
    before, at_once = UNSEEN[way]
    for each in before:
        first.query(each)
    if at_once is None:
        first.send(m.parse("select set_config('datestyle', 'German', false)"), m.bind(portal="p"), m.SYNC)
        first.until_ready()
        first.send(m.execute("p"), m.parse(sql, "s"), m.SYNC)
    else:
        first.send(*(m.query(each) for each in at_once), m.parse(sql, "s"), m.SYNC)
        for _ in at_once:
            first.until_ready()
    first.until_ready()
    assert executed(first, "s") == there
    first.query("commit")
    first.close()
    assert second.rows(sql) == [[fresh.encode()]]
    assert prepared(second, "s", sql) == fresh


def test_a_setting_that_nobody_saw_is_told_behind_a_flush_no_sooner_than_behind_a_sync(two):
    first, second = two
    _, sql, there, fresh = FROZEN["the order of day and month"]
    first.send(m.parse(hidden("datestyle", "German")), m.bind(), m.execute(), m.FLUSH)
    first.receive_until("CE")
    first.send(m.parse(sql, "s"), m.SYNC)
    first.until_ready()
    assert executed(first, "s") == there
    first.close()
    assert second.rows(sql) == [[fresh.encode()]]
    assert prepared(second, "s", sql) == fresh


def test_what_only_another_reading_sets_does_not_stay_for_the_next(two):
    first, second = two
    first.send(m.query(hidden("standard_conforming_strings", "off")),
               m.query(r"select '\'' ; select set_config($$lock_timeout$$, $$7s$$, false); --'"))
    for _ in range(2):
        first.until_ready()
    assert first.rows("show lock_timeout") == [[b"7s"]]
    first.close()
    assert second.rows("show lock_timeout") == [[b"0"]]
