"""SHUTDOWN in the console, at once or when clients or servers have gone."""
import signal
import socket
import time

import pytest

from support import messages as m
from support.console import CONSOLE, connect, one
from support.proxy import hold_server, login
from support.system import eventually
from support.wire import summaries


def refuses_connections(proxy) -> bool:
    try:
        socket.create_connection(proxy.address, 1).close()
    except ConnectionRefusedError:
        return True
    except ConnectionError:
        pass  # accepted by the kernel while the listener was being closed
    return False


@pytest.mark.parametrize("command", ["SHUTDOWN", "shutdown wait_for_servers"])
def test_shutdown(console, command):
    proxy, connection = console
    connection.execute(command)
    assert proxy.wait(10) == 0


def test_shutdown_wait_for_clients_waits_for_all_but_those_of_the_console(sluice):
    proxy = sluice(admin=CONSOLE, shutdown={"timeout": "500ms"})
    with connect(proxy) as connection, login(proxy) as client, login(proxy) as other:
        connection.execute("SHUTDOWN WAIT_FOR_CLIENTS")
        eventually(lambda: refuses_connections(proxy), 5, "the listener to close")
        assert proxy.http("/readyz")[0] == 503
        assert one(connection, "state", key="active")["value"] == "no"
        time.sleep(1)
        assert client.value("select 'goes on'") == "goes on" and other.value("select 'too'") == "too"
        connection.execute("shutdown wait_for_clients")
        client.close()
        assert other.silent_for(0.5) and proxy.process.poll() is None
        other.close()
        assert proxy.wait(5) == 0
        assert [entry["argument"] for entry in proxy.events("console_command")] == ["wait_for_clients"] * 2


@pytest.mark.parametrize("command", ["SHUTDOWN WAIT_FOR_SERVERS", None])
def test_a_wait_for_clients_is_ended_by_a_drain(console, command):
    proxy, connection = console
    with login(proxy) as idle, login(proxy) as busy:
        hold_server(busy)
        connection.execute("SHUTDOWN WAIT_FOR_CLIENTS")
        eventually(lambda: refuses_connections(proxy), 5, "the listener to close")
        connection.execute(command) if command else proxy.signal(signal.SIGTERM)
        assert summaries(idle.rest()) == ["E:FATAL:57P01"]
        assert busy.value("select 'goes on'") == "goes on"
        busy.send(m.query("commit"))
        assert summaries(busy.rest())[-1] == "E:FATAL:57P01"
        assert proxy.wait(5) == 0


def test_a_wait_for_clients_is_ended_at_once_by_shutdown(console):
    proxy, connection = console
    with login(proxy) as client:
        hold_server(client)
        connection.execute("SHUTDOWN WAIT_FOR_CLIENTS")
        connection.execute("SHUTDOWN")
        assert proxy.wait(5) == 0
