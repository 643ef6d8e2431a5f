"""Rules that name what is not ASCII, which has other bytes in other encodings."""
import pytest

from support import messages as m
from support.proxy import login
from support.wire import error_in, summaries

CAFE = "café"
ENCODINGS = ("UTF8", "LATIN1", "WIN1252")
OTHERS = ENCODINGS[1:]


def in_encoding(sql, encoding):
    return sql.encode({"UTF8": "utf-8", "LATIN1": "latin-1", "WIN1252": "cp1252"}[encoding])


@pytest.fixture
def cafe(postgres):
    for statement in ('create table "café" (x text, "größe" int)', "insert into café values ('row', 1)", "grant all on café to app",
                      "create table plain (x text, é int)", "insert into plain values ('row', 1)", "grant all on plain to app",
                      "create schema büro", "create table büro.plain (x text)", "grant usage on schema büro to app", "grant select on büro.plain to app",
                      "create function zählen() returns int language sql as 'select 1'"):
        postgres.execute(statement, dbname="app")
    yield
    postgres.execute("drop table café, plain; drop schema büro cascade; drop function zählen()", dbname="app")


def both(client, sql):
    """By the simple and by the extended protocol."""
    client.send(m.parse(sql), m.bind(), m.execute(), m.SYNC)
    return [client.until_ready(), client.query(sql)]


def is_refused(reply):
    return [(x.sqlstate, x.fields.get("R")) for x in reply if x.tag == "E"] == [("42501", "pgsluice")]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("when, sql", [({"tables": [CAFE]}, "select x from café"), ({"reads": ["public.caf?", CAFE]}, "select x from café"),
                                       ({"columns": ["café.x"]}, "select x from café"), ({"columns": ["größe"]}, "select größe from café"),
                                       ({"functions": ["zählen"]}, "select zählen()"), ({"tables": ["büro.*"]}, "select x from büro.plain"),
                                       ({"writes": ["c*é"]}, "delete from café")])
def test_a_name_that_is_not_ascii_is_found_in_every_encoding(sluice, cafe, encoding, when, sql):
    with login(sluice(policies=[{"name": "rule", "when": when}]), client_encoding=encoding) as client:
        for reply in both(client, in_encoding(sql, encoding)):
            assert is_refused(reply)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_texts_that_name_only_ascii_pass_whatever_else_is_in_them(sluice, cafe, encoding):
    with login(sluice(policies=[{"name": "rule", "when": {"tables": [CAFE]}}]), client_encoding=encoding) as client:
        for reply in both(client, in_encoding("select x /* é */ from plain where x <> 'ü'", encoding)):
            assert "D:row" in summaries(reply)


@pytest.mark.parametrize("encoding", OTHERS)
def test_rules_that_name_only_ascii_know_texts_in_every_encoding(sluice, cafe, encoding):
    with login(sluice(policies=[{"name": "rule", "when": {"tables": ["target"]}}]), client_encoding=encoding) as client:
        for reply in both(client, in_encoding("select x from café", encoding)):
            assert "D:row" in summaries(reply)
        for reply in both(client, in_encoding("select a as é from target", encoding)):
            assert is_refused(reply)


def test_an_encoding_that_is_set_later_is_the_one_that_counts(sluice, cafe):
    with login(sluice(policies=[{"name": "rule", "when": {"tables": [CAFE]}}])) as client:
        client.query("set client_encoding = 'LATIN1'")
        assert is_refused(client.query(in_encoding("select x from café", "LATIN1")))
        client.query("reset client_encoding")
        assert is_refused(client.query("select x from café"))
        assert "D:1" in summaries(client.query("select é from plain"))


def test_what_was_prepared_in_utf8_is_judged_by_the_encoding_that_execute_reads_it_in(sluice, cafe, postgres):
    postgres.execute('create table "cafÃ©" as select 1 a; grant select on "cafÃ©" to app', dbname="app")
    with login(sluice(policies=[{"name": "rule", "when": {"tables": ["cafÃ©"]}}])) as client:
        client.send(m.parse("select 1 from café", "a"), m.SYNC)
        assert summaries(client.until_ready()) == ["1", "Z:I"]
        client.query("set client_encoding = 'LATIN1'")
        assert is_refused(client.query("execute a"))
    postgres.execute('drop table "cafÃ©"', dbname="app")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_schema_that_is_not_ascii_is_found_by_the_search_path(sluice, cafe, encoding):
    proxy = sluice(policies=[{"name": "rule", "when": {"tables": ["büro.*"]}}])
    with login(proxy, client_encoding=encoding) as client:
        client.query("set search_path = public")
        assert "D:row" in summaries(client.query("select x from plain"))
        client.query(in_encoding("set search_path = büro", encoding))
        for reply in both(client, "select x from plain"):
            assert is_refused(reply)


@pytest.mark.parametrize("tables, sql", [({CAFE: "plain"}, "select x from café"), ({"plain": CAFE}, "select x from plain")])
def test_names_that_are_not_ascii_are_not_rewritten_in_other_encodings(sluice, cafe, tables, sql):
    proxy = sluice(policies=[{"name": "moved", "when": {}, "action": "rewrite", "rewrite": {"tables": tables}}])
    with login(proxy) as client:
        for reply in both(client, sql):
            assert "D:row" in summaries(reply)
    with login(proxy, client_encoding="LATIN1") as client:
        for reply in both(client, in_encoding(sql, "LATIN1")):
            assert error_in(reply).text == 'policy "moved" could not rewrite the statement'
        assert "D:1" in summaries(client.query("select 1"))
