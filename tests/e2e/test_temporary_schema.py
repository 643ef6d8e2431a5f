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
