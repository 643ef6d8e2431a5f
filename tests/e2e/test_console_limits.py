"""Limits and the console: who only looks keeps to those of clients, and an administrator gets in when nobody else does."""
import contextlib
import signal
import time

import psycopg
import pytest

from support.console import CONSOLE, connect, rows
from support.proxy import default_config, hold_server, login
from support.wire import WireClient, summaries


def told(proxy, user="app", database="pgsluice", source=""):
    """The SQLSTATE that a login is refused with."""
    with WireClient(proxy.address, source=source) as client:
        message = client.start(user, database, f"{user}-secret")[-1]
        return message.sqlstate if message.tag == "E" else None


@pytest.mark.parametrize("limit", ["client_connections", "connections_per_address"])
def test_some_administrators_get_in_where_no_client_does(sluice, limit):
    proxy = sluice(admin=CONSOLE, limits={limit: 2})
    with login(proxy) as first, login(proxy), contextlib.ExitStack() as stack:
        assert told(proxy, database="app") == "53300"
        assert told(proxy, user="other") == "53300", "who only looks waits for a place"
        assert told(proxy, user="trusted") == "42501"
        administrators = [stack.enter_context(connect(proxy)) for _ in range(3)]
        assert told(proxy) == "53300"
        assert len([row for row in rows(administrators[0], "clients") if row["database"] == "app"]) == 2
        administrators[1].close()
        with connect(proxy) as next_one:
            assert rows(next_one, "version")
        assert first.value("select 1") == "1"


def test_administrators_take_no_place_from_clients(sluice):
    proxy = sluice(admin=CONSOLE, limits={"client_connections": 1})
    with connect(proxy), connect(proxy), login(proxy) as client:
        assert client.value("select 1") == "1"
        assert told(proxy, database="app") == "53300"


def test_whoever_looks_keeps_to_the_limits_of_users(sluice):
    proxy = sluice(admin=CONSOLE, limits={"connections_per_user": 2})
    with connect(proxy, user="other") as first, login(proxy, user="other"):
        assert told(proxy, user="other") == "53300" == told(proxy, user="other", database="app")
        with connect(proxy), connect(proxy), connect(proxy), connect(proxy) as administrator:
            assert rows(administrator, "state")
        first.close()
        with connect(proxy, user="other") as again:
            assert rows(again, "version")


def test_who_is_silent_for_too_long_is_ended(sluice):
    proxy = sluice(admin=CONSOLE, timeouts={"client_idle": "2s"})
    with login(proxy, database="pgsluice") as silent, connect(proxy) as busy, login(proxy) as client:
        hold_server(client)
        for _ in range(8):
            time.sleep(0.4)
            assert rows(busy, "state")
        assert summaries(silent.rest()) == ["E:FATAL:57P05"]
        client.query("commit")


def test_a_command_that_waits_is_no_silence(sluice):
    proxy = sluice(admin=CONSOLE, timeouts={"client_idle": "1s"})
    with connect(proxy) as console, login(proxy) as client:
        hold_server(client)
        with login(proxy, database="pgsluice") as waiting:
            waiting.send(b"Q" + (4 + 6).to_bytes(4, "big") + b"pause\0")
            for _ in range(5):
                assert waiting.silent_for(0.5)
                client.query("select 1"), rows(console, "state")
            client.query("commit")
            assert summaries(waiting.until_ready()) == ["C:PAUSE", "Z:I"]
            console.execute("resume")
            assert waiting.silent_for(0.5)


def test_nobody_by_the_consoles_own_socket_is_taken_for_a_client_that_has_left(postgres, make_proxy, directory):
    """A drain waits for clients, and for no client of the console in their place."""
    runtime = directory / "run"
    runtime.mkdir()
    proxy = make_proxy(default_config(postgres, timeouts={"client_idle": "1s"}), environment={"RUNTIME_DIRECTORY": str(runtime)})
    proxy.awaited_events("started")
    with psycopg.connect(host=str(runtime / "console"), user="any", dbname="any", autocommit=True) as console, login(proxy) as client:
        hold_server(client)
        time.sleep(2.5)
        assert console.execute("show version").fetchall(), "no limit ends it"
        proxy.signal(signal.SIGTERM)
        for _ in range(4):
            time.sleep(0.2)
            assert client.value("select 'goes on'") == "goes on"
        client.query("commit")
    assert proxy.wait(5) == 0
