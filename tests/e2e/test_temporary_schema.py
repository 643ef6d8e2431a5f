"""A search_path that leads to pg_temp makes of every CREATE TABLE a temporary one, which is its client's alone."""
import pytest

from support import messages as m
from support.proxy import login
from support.system import eventually
from support.wire import summaries

PID = "select pg_backend_pid()"


def bound(client, sql, *values):
    client.send(m.parse(sql), m.bind(values=values), m.execute(), m.SYNC)
    client.until_ready()


def is_its_owners_alone(proxy, owner, stranger):
    owner.query("create table leaked as select 'secret' as x")
    eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason="temporary_table") == 1, 5, "the pin to show")
    refused = stranger.query("select x from pg_temp.leaked")
    assert "E" in [answer[0] for answer in summaries(refused)]
    return owner.value("select x from leaked") == owner.value("select x from pg_temp.leaked") == "secret"


@pytest.mark.parametrize("spelling", ["pg_temp", "PG_TEMP, public", '"pg_temp", public'])
@pytest.mark.parametrize("way", ["set", "set_config", "bound"])
def test_a_path_to_it_keeps_its_client_on_its_server(sluice, way, spelling):
    proxy = sluice(workers=1, pool={"size": 2})
    with login(proxy) as owner, login(proxy) as stranger:
        if way == "set":
            owner.query(f"set search_path = {spelling}")
        elif way == "set_config":
            owner.query(f"select set_config('search_path', '{spelling}', false)")
        else:
            bound(owner, "select set_config('search_path', $1, false)", spelling.encode())
        assert is_its_owners_alone(proxy, owner, stranger)


@pytest.mark.parametrize("spelling", ["pg_temp", "PG_TEMP,public"])
def test_a_path_to_it_at_the_login_keeps_its_client_on_its_server(sluice, spelling):
    proxy = sluice(workers=1, pool={"size": 2})
    with login(proxy, options=f"-c search_path={spelling}") as owner, login(proxy) as stranger:
        assert is_its_owners_alone(proxy, owner, stranger)


@pytest.mark.parametrize("spelling", ["pg_temp, public", "PG_TEMP, public"])
def test_a_path_to_it_of_the_route_keeps_its_clients_on_their_servers(sluice, spelling):
    proxy = sluice(workers=1, pool={"size": 2}, routes=[{"name": "default", "cluster": "main", "parameters": {"search_path": spelling}}])
    with login(proxy) as owner, login(proxy) as stranger:
        assert is_its_owners_alone(proxy, owner, stranger)


@pytest.mark.parametrize("path, values", [
    ("set_config('search_path', $1, true)", [b"pg_temp"]), ("set_config('search_path', $1, true)", [b"PG_TEMP, public"]),
    ("set_config($2, $1, true)", [b"pg_temp", b"search_path"]), ("set_config('search_path', 'pg_' || 'temp', true)", []),
    ("set_config('search_' || 'path', $1, true)", [b"pg_temp"]), ("set_config('search_path', 'PG_TEMP'::text, true)", []),
], ids=range(6))
def test_tables_that_a_local_path_made_temporary_keep_their_client_on_its_server(sluice, path, values):
    proxy = sluice(workers=1, pool={"size": 2})
    with login(proxy) as owner, login(proxy) as stranger:
        owner.query("begin")
        bound(owner, f"select {path}", *values)
        owner.query("create table leaked as select 'secret' as x")
        owner.query("commit")
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason="temporary_table") == 1, 5, "the pin to show")
        assert owner.value("select x from pg_temp.leaked") == "secret"
        assert stranger.value(PID) != owner.value(PID)


@pytest.fixture
def foreign(postgres):
    """A foreign server, itself once more, with one table to be imported."""
    host, port = postgres.address
    postgres.execute(f"""create extension postgres_fdw;
        create server foreign_one foreign data wrapper postgres_fdw options (host '{host}', port '{port}', dbname 'app');
        create user mapping for app server foreign_one options (user 'app', password 'app-secret');
        grant usage on foreign server foreign_one to app; create schema far create table leaked (x text)""", dbname="app")
    yield "foreign_one"
    postgres.execute("drop extension postgres_fdw cascade; drop schema far cascade", dbname="app")


@pytest.mark.parametrize("way", ["query", "bound"])
def test_foreign_tables_that_are_imported_into_it_keep_their_client_on_its_server(sluice, foreign, way):
    proxy = sluice(workers=1, pool={"size": 2})
    with login(proxy) as owner, login(proxy) as stranger:
        imported = f"import foreign schema far limit to (leaked) from server {foreign} into pg_temp"
        owner.query(imported) if way == "query" else bound(owner, imported)
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason="temporary_table") == 1, 5, "the pin to show")
        found = "select to_regclass('pg_temp.leaked') is not null"
        assert (stranger.value(found), owner.value(found)) == ("f", "t")


def test_what_only_uses_a_temporary_table_is_not_refused_as_if_it_made_one(sluice):
    proxy = sluice(workers=1, pool={"size": 2, "session_state": "reject"})
    with login(proxy) as client:
        client.query("begin")
        client.query("create temp table w (i int) on commit drop")
        assert summaries(client.query("insert into pg_temp.w values (1)"))[-2:] == ["C:INSERT 0 1", "Z:T"]
        assert client.value("select count(*) from pg_temp.w") == "1"
        assert summaries(client.query("commit")) == ["C:COMMIT", "Z:I"]
        assert summaries(client.query("drop table if exists pg_temp.w"))[-1:] == ["Z:I"]
        assert client.query("create table pg_temp.w (i int)")[0].sqlstate == "0A000"
