"""SET in the console: a key of the configuration has another value until the files are read again."""
import psycopg
import pytest

from support import messages as m
from support.console import connect, one, rows
from support.proxy import hold_server, login
from support.system import eventually
from support.wire import summaries


def value_of(connection, key) -> str:
    return {row["key"]: row["value"] for row in rows(connection, "config")}[key]


def test_set_changes_a_key_until_the_files_are_read_again(console):
    proxy, connection = console
    with login(proxy) as client:
        client.query("select 1")
        connection.execute("SET 'timeouts.client_idle' = '300ms'")
        assert value_of(connection, "timeouts.client_idle") == "300ms"
        assert summaries(client.rest()) == ["E:FATAL:57P05"]
        assert connection.execute("SHOW version").fetchone(), "the console's own clients may idle"
        connection.execute("RELOAD")
        eventually(lambda: value_of(connection, "timeouts.client_idle") == "0", 5, "the reload")
    changed, = proxy.events("setting_changed")
    assert (changed["key"], changed["value"]) == ("timeouts.client_idle", "300ms")
    assert proxy.events("console_command")[0]["argument"] == "timeouts.client_idle"


def test_set_reaches_pools_and_clients_that_are_there(console):
    proxy, connection = console
    with login(proxy) as one_client, login(proxy) as other:
        hold_server(one_client)
        connection.execute("SET routes[0].pool.size TO 1")
        assert one(connection, "databases", name="app")["pool_size"] == 1
        other.send(m.query("select 'waited'"))
        assert other.silent_for(0.3)
        connection.execute("SET routes[0].pool.size = 2")
        assert "D:waited" in summaries(other.until_ready())
        one_client.query("commit")
        connection.execute("SET query_timeout = 0.3")
        assert value_of(connection, "timeouts.query") == "300ms"
        one_client.send(m.query("select pg_sleep(3)"))
        assert "E:FATAL:57014" in summaries(one_client.rest())


def test_set_keeps_what_was_set_before(console):
    _, connection = console
    connection.execute("set max_client_conn = 77")
    connection.execute("set log_connections = 0")
    assert value_of(connection, "limits.client_connections") == "77" and value_of(connection, "log.connections") == "false"


@pytest.mark.parametrize("command, sqlstate", [("set nonsense = 1", "42704"), ("set limits.login_timeuot = '1s'", "42704"), ("set limits.login_timeout = 10", "22023"),
                                               ("set routes[0].pool.size = 0", "22023"), ("set 'routes[0].pool.min_size' = 9999", "22023"), ("set workers = 4", "55P02"),
                                               ("set routes[0].password = 'hidden-secret'", "55P02"), ("set auth.users[0].password = 'hidden-secret'", "55P02"),
                                               ("set admin.console.users = '[other]'", "55P02"), ("set default_pool_size = 5", "0A000"), ("set pool_mode = session", "0A000")])
def test_set_refuses(console, command, sqlstate):
    proxy, connection = console
    before = rows(connection, "config")
    with pytest.raises(psycopg.Error) as error:
        connection.execute(command)
    assert error.value.sqlstate == sqlstate
    assert rows(connection, "config") == before
    assert "hidden-secret" not in proxy.log()


def test_set_is_for_administrators_and_drivers_may_set_their_own(console):
    proxy, _ = console
    with connect(proxy, user="other") as looking:
        looking.execute("SET client_encoding TO 'UTF8'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            looking.execute("SET query_timeout = 10")


def test_set_of_reload_watch_begins_to_watch(console):
    proxy, connection = console
    connection.execute("SET reload.watch = true")
    proxy.write_config({**proxy.config, "limits": {"connections_per_user": 9}})
    eventually(lambda: value_of(connection, "limits.connections_per_user") == "9", 5, "the files to be read again")
    assert value_of(connection, "reload.watch") == "false"
