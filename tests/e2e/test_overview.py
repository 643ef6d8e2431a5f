"""/api/overview: who may ask, what it says, and that it says what the console and the metrics say."""
import contextlib
import json
import os
import re
import signal
import socket
import stat
import threading
import time

import pytest

from support import messages as m
from support.console import connect, rows
from support.endpoint import BEARER, TOKEN, address_of, by_unix, connect_http, keys, with_http
from support.proxy import BINARY, REPOSITORY, hold_server, login, merged
from support.system import eventually, free_port, run


def overview(proxy) -> dict:
    status, text = proxy.http("/api/overview", **BEARER)
    assert status == 200, text
    return json.loads(text)


def item(items, **wanted) -> dict:
    found = [each for each in items if all(each[key] == value for key, value in wanted.items())]
    assert len(found) == 1, (wanted, items)
    return found[0]


# --- who may ask ---

def test_without_a_token_in_the_configuration_the_api_is_closed(sluice):
    proxy = sluice()
    for headers in ({}, BEARER, {"Authorization": "Bearer "}):
        status, text = proxy.http("/api/overview", **headers)
        assert status == 403 and "admin.http.token" in text
    assert proxy.http("/metrics")[0] == 200


def test_strangers_learn_nothing(sluice):
    proxy = with_http(sluice)
    for path in ("/api/overview", "/api/", "/api/nosuch"):
        for headers in ({}, {"Authorization": "Bearer canary-of-a-token"}, {"Authorization": f"Basic {TOKEN}"}):
            status, text = proxy.http(path, **headers)
            assert status == 401 and "canary" not in text and len(text) < 100
    with contextlib.closing(connect_http(proxy.config["admin"]["http"])) as connection:
        connection.request("HEAD", "/api/overview")
        assert connection.getresponse().headers["WWW-Authenticate"] == 'Bearer realm="pgsluice"'
    assert len(eventually(lambda: len(proxy.events("api_refused")) == 6 and proxy.events("api_refused"), 5, "a line for each wrong token")) == 6
    assert {event["address"] for event in proxy.events("api_refused")} == {"127.0.0.1"}
    assert "canary" not in proxy.log() and TOKEN not in proxy.log()


def test_whoever_has_the_token_is_answered(sluice):
    proxy = with_http(sluice)
    assert overview(proxy)["version"] == "0.1.0"
    assert proxy.http("/api/overview", method="HEAD", **BEARER) == (200, "")
    assert proxy.http("/api/overview", method="POST", **BEARER)[0] == 405
    assert proxy.http("/api/nosuch", **BEARER)[0] == 404
    with contextlib.closing(connect_http(proxy.config["admin"]["http"])) as connection:
        connection.request("GET", "/api/overview", headers=BEARER)
        assert connection.getresponse().headers["Content-Type"] == "application/json"
    assert not proxy.events("api_refused")


def test_a_reload_changes_the_token(sluice):
    proxy = with_http(sluice)
    proxy.reload(changes={"admin": {"http": {"token": "another-token-of-this"}}})
    assert proxy.http("/api/overview", **BEARER)[0] == 401
    assert proxy.http("/api/overview", Authorization="Bearer another-token-of-this")[0] == 200
    proxy.reload(changes={"admin": {"http": {"token": ""}}})
    assert proxy.http("/api/overview", **BEARER)[0] == 403


def test_the_unix_socket_needs_no_token_and_has_its_mode(sluice, directory):
    path = directory / "http.sock"
    proxy = with_http(sluice, {"unix": str(path), "mode": "0710"})
    proxy.awaited_events("started")
    assert stat.S_IMODE(path.stat().st_mode) == 0o710
    status, text = by_unix(path)
    assert status == 200 and json.loads(text)["workers"] == 2
    assert by_unix(path, "/metrics")[0] == 200
    assert proxy.http("/api/overview")[0] == 401
    proxy.stop()
    assert not path.exists()


def test_the_unix_socket_may_be_all_there_is(sluice, directory):
    path = directory / "http.sock"
    proxy = sluice(admin={"http": {"address": "", "unix": str(path)}})
    proxy.awaited_events("started")
    assert by_unix(path)[0] == 200
    eventually(lambda: by_unix(path, "/healthz")[0] == 200, 5, "a first round of every worker")
    assert run([BINARY, "health", "--config", proxy.file]).returncode == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 9930)) != 0
    proxy.stop()
    assert run([BINARY, "health", "--config", proxy.file]).returncode == 1


def test_what_is_no_socket_is_not_replaced(sluice, directory, make_proxy):
    path = directory / "precious"
    path.write_text("kept")
    proxy = make_proxy({**sluice().config, "listeners": [{"address": "127.0.0.1", "port": free_port()}],
                        "admin": {"http": {"address": "", "unix": str(path)}}}, start=False)
    proxy.launch()
    assert proxy.wait() == 1
    assert path.read_text() == "kept"
    assert "is no socket (admin.http)" in proxy.log()


def test_over_tls(sluice, server_certificate):
    tls = {"certificate": str(server_certificate.certificate), "private_key": str(server_certificate.key)}
    proxy = with_http(sluice, {"tls": tls})
    assert overview(proxy)["version"] == "0.1.0"
    assert proxy.metrics().sum("pgsluice_certificate_expiry_timestamp_seconds", use="admin") > time.time()
    eventually(lambda: proxy.http("/healthz")[0] == 200, 5, "a first round of every worker")
    assert run([BINARY, "health", "--config", proxy.file]).returncode == 0
    host, port = address_of(proxy.config["admin"]["http"])
    with socket.create_connection((host, port), 5) as clear:
        clear.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert b"HTTP" not in clear.recv(1000)
    proxy.write_config(merged(proxy.config, {"admin": {"http": {"tls": None}}}))
    proxy.signal(signal.SIGHUP)
    proxy.awaited_events("reload_succeeded")
    assert overview(proxy)["version"] == "0.1.0"


# --- what it says ---

def test_at_rest_it_says_what_the_console_says(sluice):
    proxy = with_http(sluice)
    with connect(proxy) as console, login(proxy) as first, login(proxy, user="other") as second, login(proxy):
        for client in (first, second):
            client.query("select 1")
        hold_server(first)
        told = overview(proxy)
        for row in rows(console, "pools"):
            pool = item(told["pools"], database=row["database"], user=row["user"])
            assert pool["clients"]["waiting"] == row["cl_waiting"]
            assert pool["clients"]["active"] + pool["clients"]["idle"] == row["cl_active"]
            assert (pool["servers"]["active"], pool["servers"]["idle"]) == (row["sv_active"], row["sv_idle"])
            assert (pool["mode"], pool["pinned_clients"]) == (row["pool_mode"], row["cl_pinned"])
        assert len(told["pools"]) == 2
        assert sum(server["connections"] for server in told["servers"]) == len(rows(console, "servers"))
        assert item(told["pools"], user="app")["size"] == 5
        first.query("commit")


def test_routes_errors_and_verdicts_are_those_of_the_metrics(sluice):
    proxy = with_http(sluice, policies=[{"name": "p", "when": {"pattern": "danger"}, "action": "block"}])
    with login(proxy) as client:
        client.query("select 1"), client.query("select 1/0"), client.query("select 'danger'")
        told, metrics = overview(proxy), proxy.metrics()
    route, = told["routes"]
    assert route["queries_total"] == metrics.sum("pgsluice_queries_total", route="default") == 2
    assert route["transactions_total"] == metrics.sum("pgsluice_transactions_total", route="default")
    assert route["bytes_total"]["client_in"] == metrics.sum("pgsluice_bytes_total", direction="client_in") > 0
    assert item(told["errors"], origin="server", **{"class": "22"})["errors_total"] == 1
    assert item(told["errors"], origin="pgsluice", **{"class": "42"})["errors_total"] == 1
    assert told["policies"] == [{"name": "p", "action": "block", "mode": "enforce", "verdicts_total": 1}]
    assert "danger" not in json.dumps(told)


def test_who_waits_and_for_how_long(sluice):
    proxy = with_http(sluice, pool={"size": 1})
    with login(proxy) as holder, login(proxy) as waiter:
        hold_server(holder)
        waiter.send(m.query("select 1"))
        time.sleep(0.6)
        told = overview(proxy)
        waits = told["waits"]
        assert (waits["waiting"], waits["pools"][0]["waiting"], waits["pools"][0]["user"]) == (1, 1, "app")
        assert 0.3 < waits["oldest_waiter_seconds"] < 5
        assert told["routes"][0]["clients"] == {"idle": 0, "active": 1, "waiting": 1}
        assert told["routes"][0]["oldest_waiter_seconds"] == waits["oldest_waiter_seconds"]
        holder.query("commit")
        waiter.until_ready()
        assert overview(proxy)["waits"] == {"waiting": 0, "oldest_waiter_seconds": 0, "pools": []}


def test_who_is_pinned_why_and_since_when(sluice):
    proxy = with_http(sluice)
    with connect(proxy) as console, login(proxy) as client:
        client.query("create temp table mine (a int)"), client.query("select 1")
        time.sleep(0.5)
        client.query("listen news"), client.query("select 1")
        pin, = overview(proxy)["pins"]
        assert set(pin["reasons"]) == {"temporary_table", "listen"}
        assert (pin["user"], pin["database"], pin["route"]) == ("app", "app", "default")
        assert pin["id"] == rows(console, "pins")[0]["id"]
        assert 0.4 < pin["age_seconds"] < 10, "since the first of them"
        client.query("drop table mine; unlisten news"), client.query("select 1")
        assert overview(proxy)["pins"] == []


def test_a_server_that_is_not_reached_is_down(sluice, postgres):
    dead = free_port()
    proxy = with_http(sluice, cluster={"servers": [{"host": "127.0.0.1", "port": dead}, {"host": "127.0.0.1", "port": postgres.port}]},
                      timeouts={"connect_retry": "1m"})
    with login(proxy) as client:
        client.query("select 1")
        servers = overview(proxy)["servers"]
        assert item(servers, port=dead)["down"] is True
        assert item(servers, port=postgres.port) == {"cluster": "main", "host": "127.0.0.1", "port": postgres.port, "down": False,
                                                     "connections": 1, "max_connections": 0}


def test_what_is_paused_and_disabled(sluice):
    proxy = with_http(sluice)
    with connect(proxy) as console, login(proxy) as client:
        client.query("select 1")
        console.execute("pause app"), console.execute("disable gone")
        told = overview(proxy)
        assert (told["all_paused"], told["paused_databases"], told["disabled_databases"]) == (False, ["app"], ["gone"])
        console.execute("resume app")


def test_clients_that_have_left_are_in_no_pool(sluice):
    proxy = with_http(sluice)
    with login(proxy) as client:
        client.query("select 1")
    eventually(lambda: overview(proxy)["routes"][0]["clients"]["active"] + overview(proxy)["routes"][0]["clients"]["idle"] == 0, 5, "it to leave")
    told = overview(proxy)
    assert told["pools"][0]["servers"]["idle"] == 1
    assert 0 < told["uptime_seconds"] < 60 and abs(told["start_time_seconds"] + told["uptime_seconds"] - time.time()) < 5


def test_the_documentation_shows_what_it_looks_like(sluice):
    text = (REPOSITORY / "docs/operations.md").read_text()
    example = json.loads(re.search(r"^```json\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1])
    proxy = with_http(sluice, pool={"size": 2}, policies=[{"name": "p", "when": {"pattern": "danger"}, "action": "block"}])
    with connect(proxy) as console, login(proxy) as pinned, login(proxy) as holder, login(proxy) as waiter:
        pinned.query("create temp table mine (a int)"), pinned.query("select 1/0")
        hold_server(holder)
        waiter.send(m.query("select 1"))
        console.execute("disable gone")
        told = eventually(lambda: (lambda seen: seen["waits"]["waiting"] == 1 and seen)(overview(proxy)), 5, "a client to wait")
        example["paused_databases"], told["paused_databases"] = [], []
        assert keys(told) == keys(example)
        described = set(re.findall(r"`(\w+)`", text[text.index("### The overview"):text.index("### Statistics of queries\n")]))
        assert set(told) <= described, set(told) - described
        holder.query("commit"), waiter.until_ready()


# --- hostile peers ---

def test_hostile_peers_hold_up_neither_queries_nor_the_overview(sluice):
    proxy = with_http(sluice)
    address = address_of(proxy.config["admin"]["http"])
    with contextlib.ExitStack() as open_ones, login(proxy) as client:
        for i in range(200):
            raw = open_ones.enter_context(socket.create_connection(address, 5))
            with contextlib.suppress(OSError):
                raw.sendall([b"GET /api/overview HTTP/1.1\r\nAuthorization: Bearer ", b"GET /api/overview HTTP/1.1\r\nX: " + b"x" * 100_000,
                             b"GET /api/overview HTTP/1.1\r\n\r\n" * 100, os.urandom(500)][i % 4])
        began = time.monotonic()
        for _ in range(50):
            client.query("select 1")
        assert overview(proxy)["workers"] == 2
        assert proxy.http("/healthz")[0] == 200
        assert time.monotonic() - began < 3


def test_many_who_may_ask_at_once_are_all_answered(sluice):
    proxy = with_http(sluice)
    told = []

    def ask():
        with contextlib.closing(connect_http(proxy.config["admin"]["http"], 20)) as connection:
            for _ in range(20):
                connection.request("GET", "/api/overview", headers=BEARER)
                told.append(json.loads(connection.getresponse().read())["workers"])

    askers = [threading.Thread(target=ask) for _ in range(8)]
    with login(proxy) as client:
        for asker in askers:
            asker.start()
        while any(asker.is_alive() for asker in askers):
            client.query("select 1")
    assert told == [2] * 160


def test_the_daemon_ends_while_it_is_asked(sluice):
    proxy = with_http(sluice)
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            with contextlib.suppress(OSError, ValueError):
                proxy.http("/api/overview", **BEARER)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    time.sleep(0.3)
    proxy.stop()
    stop.set()
    for asker in askers:
        asker.join()
    assert proxy.process.returncode == 0


@pytest.mark.parametrize("token", ["canary", "canary with a space in it", ""])
def test_check_says_what_is_wrong_with_a_token_and_never_shows_one(sluice, directory, token):
    proxy = with_http(sluice)
    proxy.write_config({**proxy.config, "admin": {"http": {"token": token}}})
    done = run([BINARY, "--config", proxy.file, "--check"])
    assert done.returncode == (2 if token else 0)
    assert not token or ("admin.http.token" in done.stderr and token not in done.stdout + done.stderr)
