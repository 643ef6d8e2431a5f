"""/metrics, /healthz, /readyz and the log: what people see of pgsluice from outside."""
import contextlib
import json
import os
import re
import signal
import socket
import threading
import time

import pytest

from support import messages as m
from support.proxy import BINARY, REPOSITORY, default_config, hold_server, login, merged
from support.system import eventually, free_port, run
from support.wire import WireClient, error_in


# Families whose series appear with their first event or with a certificate.
WITHOUT_SERIES = {"pgsluice_policy_verdicts_total", "pgsluice_certificate_expiry_timestamp_seconds"}


def test_health_and_readiness(sluice):
    proxy = sluice()
    eventually(lambda: proxy.http("/healthz")[0] == 200, 3, "a first round of every worker")
    assert proxy.http("/readyz")[0] == 200
    assert proxy.http("/nosuch")[0] == 404
    assert proxy.http("/metrics", method="POST")[0] == 405
    assert proxy.http("/metrics", method="HEAD")[0] == 200


def test_health_verb(sluice, directory):
    proxy = sluice()
    eventually(lambda: proxy.http("/healthz")[0] == 200, 3, "a first round of every worker")
    assert run([BINARY, "health", "--config", proxy.file]).returncode == 0
    proxy.stop()
    assert run([BINARY, "health", "--config", proxy.file]).returncode == 1


def test_health_verb_asks_whatever_else_is_wrong_in_the_files(sluice):
    proxy = sluice()
    eventually(lambda: proxy.http("/healthz")[0] == 200, 3, "a first round of every worker")
    asked = lambda: run([BINARY, "health", "--config", proxy.file])
    good = proxy.config
    for mistake in ({"workers": "many"}, {"include": ["none.yaml"]}, {"no_such_key": 1}):
        proxy.reload(merged(good, mistake), expect="failure")
        assert asked().returncode == 0, asked().stderr
    for unknown in ({"admin": {"http": {"port": "many"}}}, {"admin": {"http": ""}}):
        proxy.write_config(merged(good, unknown))
        assert asked().returncode == 1 and asked().stderr
    proxy.write_config(good)
    proxy.file.write_text("routes: [\n" + proxy.file.read_text())
    assert asked().returncode == 0, asked().stderr
    proxy.file.write_text("admin: [")
    assert asked().returncode == 1 and "not valid YAML" in asked().stderr
    proxy.file.unlink()
    assert asked().returncode == 1


def test_health_verb_finds_the_process_where_it_is_and_not_where_the_files_say_by_now(postgres, make_proxy, directory):
    runtime = directory / "run"
    runtime.mkdir()
    given = {"RUNTIME_DIRECTORY": str(runtime)}
    proxy = make_proxy(default_config(postgres), environment=given)
    asked = lambda: run([BINARY, "health", "--config", proxy.file], env={**os.environ, **given})
    eventually(lambda: asked().returncode == 0, 5, "a first round of every worker")
    moved = merged(proxy.config, {"admin": {"http": {"port": free_port()}}})
    proxy.write_config(moved)
    assert asked().returncode == 0, "the file is newer than the process"
    proxy.signal(signal.SIGHUP)
    proxy.awaited_events("reload_succeeded")
    assert asked().returncode == 0, "the new place waits for a restart"
    proxy.write_config(merged(moved, {"workers": "many"}))
    proxy.signal(signal.SIGHUP)
    proxy.awaited_events("reload_failed")
    assert asked().returncode == 0, "the reload was refused"
    proxy.write_config(moved)
    proxy.process.kill()
    proxy.wait()
    assert list(runtime.glob("endpoint-*")) and asked().returncode == 1
    proxy.start()
    eventually(lambda: asked().returncode == 0, 5, "the new place to be noted")
    proxy.stop()
    assert not list(runtime.glob("endpoint-*")) and asked().returncode == 1


def test_every_metric_is_documented_and_every_documented_metric_exists(sluice):
    proxy = sluice()
    with login(proxy) as client:
        client.query("select 1; select 1/0")
    documented = set(re.findall(r"^\| `((?:pgsluice|process)_[a-z_]+)` \|", (REPOSITORY / "docs/operations.md").read_text(), re.M))
    scraped = set(proxy.metrics().types)
    assert scraped <= documented
    assert documented - scraped <= WITHOUT_SERIES


def test_names_types_and_help(sluice):
    metrics = sluice().metrics()
    for name, kind in metrics.types.items():
        assert name.startswith(("pgsluice_", "process_"))
        assert metrics.helps.get(name)
        assert (kind == "counter") == name.endswith("_total"), name


def test_queries_transactions_and_bytes_are_counted(sluice):
    proxy = sluice()
    with login(proxy) as client:
        client.query("select 1")
        client.query("begin"), client.query("select 2"), client.query("commit")
        client.send(m.unnamed("select 3"), m.SYNC)
        client.until_ready()
        client.query(f"select length('{'x' * 100_000}')")
    eventually(lambda: proxy.metrics().sum("pgsluice_transactions_total", route="default") == 4, 5, "four transactions")
    metrics = proxy.metrics()
    assert metrics.sum("pgsluice_queries_total", route="default", kind="simple") == 5
    assert metrics.sum("pgsluice_queries_total", route="default", kind="extended_execute") == 1
    assert metrics.sum("pgsluice_bytes_total", route="default", direction="client_in") > 100_000
    assert metrics.sum("pgsluice_query_seconds_count", route="default") == 5, "BEGIN by itself asks no server"
    # Those of a user are counted when its client has gone.
    eventually(lambda: proxy.metrics().sum("pgsluice_user_queries_total", user="app", database="app") == 6, 5, "the user's queries")
    assert metrics.sum("pgsluice_logins_total") == 1


def test_clients_and_servers_by_state(sluice):
    proxy = sluice(pool={"size": 1})
    with login(proxy) as holder, login(proxy) as waiter, login(proxy):
        hold_server(holder)
        waiter.send(m.query("select 1"))
        time.sleep(0.3)
        metrics = proxy.metrics()
        assert [metrics.sum("pgsluice_clients", state=state) for state in ("active", "waiting", "idle")] == [1, 1, 1]
        assert metrics.sum("pgsluice_servers", state="active") == 1
        assert metrics.sum("pgsluice_waiters") == 1
        assert metrics.sum("pgsluice_oldest_waiter_seconds") > 0.2
        assert metrics.sum("pgsluice_pool_size_limit") == 1
        holder.query("commit")
        waiter.until_ready()
    eventually(lambda: proxy.metrics().sum("pgsluice_clients") == 0, 5, "no clients")
    metrics = proxy.metrics()
    assert metrics.sum("pgsluice_servers", state="idle") == 1
    assert metrics.sum("pgsluice_disconnects_total") == 3
    assert metrics.sum("pgsluice_session_seconds_count") == 3


def test_the_oldest_pin_is_that_of_who_has_kept_a_server_longest(sluice):
    proxy = sluice(workers=1)

    def age():
        return proxy.metrics().sum("pgsluice_oldest_pin_seconds")
    with login(proxy) as first, login(proxy) as second:
        first.query("listen news")
        time.sleep(0.8)
        second.query("listen news")
        eventually(lambda: age() > 0.7, 5, "the age of the first")
        first.query("unlisten news")
        eventually(lambda: 0 < age() < 0.7, 0.6, "the age of the second")
    eventually(lambda: age() == 0, 5, "nobody to keep a server")


def test_the_oldest_waiter_is_that_of_all_pools_that_share_a_row(sluice):
    """In session mode each startup packet has a pool."""
    proxy = sluice(workers=1, auth={"rules": [{"method": "trust"}]},
                   pool={"mode": "session", "size": 1, "query_wait_timeout": "30s"})
    with login(proxy, application_name="m"):
        waiters = []
        for name in ("a", "z"):
            waiters.append(WireClient(proxy.address))
            waiters[-1].send(m.startup({"user": "app", "database": "app", "application_name": name}))
            time.sleep(0.8)
        assert proxy.metrics().sum("pgsluice_oldest_waiter_seconds") > 1.2
        for waiter in waiters:
            waiter.close()
        eventually(lambda: proxy.metrics().sum("pgsluice_oldest_waiter_seconds") == 0, 5, "nobody to wait")


def test_errors_are_counted_by_class_and_origin(sluice):
    proxy = sluice(policies=[{"name": "p", "when": {"pattern": "danger"}, "action": "block"}])
    with login(proxy) as client:
        client.query("select 1/0")
        client.query("select 'danger'")
    with WireClient(proxy.address) as client:
        client.start("app", "app", "wrong")
    eventually(lambda: proxy.metrics().sum("pgsluice_login_failures_total") == 1, 5, "the failure to show")
    metrics = proxy.metrics()
    assert metrics.sum("pgsluice_errors_total", origin="server", **{"class": "22"}) == 1
    assert metrics.sum("pgsluice_errors_total", origin="pgsluice", **{"class": "42"}) == 1
    assert metrics.sum("pgsluice_login_failures_total", reason="authentication") == 1


def test_statement_cache_hits(sluice):
    proxy = sluice(pool={"size": 1})
    for _ in range(2):
        with login(proxy) as client:
            client.send(m.parse("select 1", "s"), m.bind("s"), m.execute(), m.SYNC, m.bind("s"), m.execute(), m.SYNC)
            client.until_ready(2)
    metrics = proxy.metrics()
    assert metrics.sum("pgsluice_statement_cache_lookups_total", result="miss") == 1
    assert metrics.sum("pgsluice_statement_cache_lookups_total", result="hit") >= 1


def test_series_of_users_are_bounded(sluice):
    proxy = sluice(metrics={"max_series": 3}, auth={"rules": [{"method": "trust"}]}, route={"user": "trusted", "password": "x"})
    for number in range(12):
        with login(proxy, user=f"someone{number}") as client:
            client.query("select 1")
    # A client's are added when it has gone.
    eventually(lambda: proxy.metrics().sum("pgsluice_user_queries_total") == 12, what="the last client's queries to be counted")
    metrics = proxy.metrics()
    users = {labels["user"] for name, labels, _ in metrics.samples if name == "pgsluice_user_queries_total"}
    assert len(users) <= 4 and "other" in users


def test_labels_hold_no_query_text(sluice):
    proxy = sluice()
    with login(proxy, application_name="canary_application") as client:
        client.query("select 'canary_text'")
    assert "canary" not in proxy.metrics().text


def test_http_survives_nonsense(sluice):
    proxy = sluice()
    host, _, port = proxy.config["admin"]["http"].rpartition(":")
    for data in (b"\0" * 100, b"GET " + b"x" * 20000 + b" HTTP/1.1\r\n\r\n", b"GET /metrics HTTP/9.9\r\n\r\n", b""):
        with socket.create_connection((host, int(port)), 5) as raw:
            with contextlib.suppress(OSError):  # refused before all of it is sent
                raw.sendall(data)
                raw.shutdown(socket.SHUT_WR)
            raw.settimeout(8)
            with contextlib.suppress(ConnectionError):
                while raw.recv(65536):
                    pass
    eventually(lambda: proxy.http("/healthz")[0] == 200, 3, "good health")


@pytest.mark.parametrize("reads", [True, False], ids=["read", "not read"])
def test_a_flood_of_scrapes_keeps_no_probe_waiting(sluice, reads):
    proxy = sluice()
    host, _, port = proxy.config["admin"]["http"].rpartition(":")
    with contextlib.ExitStack() as stack:
        over = threading.Event()

        def flood():
            while not over.is_set():
                with contextlib.ExitStack() as round_, contextlib.suppress(OSError):
                    crowd = [round_.enter_context(socket.create_connection((host, int(port)), 5)) for _ in range(35)]
                    for raw in crowd:
                        raw.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 120)
                    for raw in crowd:
                        raw.settimeout(2)
                        while reads and raw.recv(1 << 20):
                            pass
                    over.wait(0 if reads else 1)

        crowds = [threading.Thread(target=flood) for _ in range(2)]
        stack.callback(lambda: (over.set(), [crowd.join() for crowd in crowds]))
        for crowd in crowds:
            crowd.start()
        time.sleep(0.3)
        for _ in range(20):
            began = time.monotonic()
            assert proxy.http("/healthz", timeout=5)[0] == 200
            assert time.monotonic() - began < 1
            time.sleep(0.05)


# --- log ---

def test_connection_and_disconnection_events_share_a_session(sluice):
    proxy = sluice()
    with login(proxy, application_name="checkout") as client:
        client.query("select 1")
        client.send(m.TERMINATE)
        client.rest()
    disconnected, = eventually(lambda: proxy.events("client_disconnected"), 5)
    connected, = proxy.awaited_events("client_connected")
    assert connected["session"] == disconnected["session"]
    assert (connected["user"], connected["database"], connected["route"], connected["application"]) == ("app", "app", "default", "checkout")
    assert disconnected["reason"] == "client_left"
    assert disconnected["queries"] == 1 and disconnected["bytes_in"] > 0 and disconnected["bytes_out"] > 0
    for record in (connected, disconnected):
        assert {"time", "level", "event", "message"} <= set(record)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record["time"])


def test_every_event_is_documented(sluice):
    proxy = sluice(policies=[{"name": "p", "when": {"pattern": "danger"}, "action": "log"}])
    with login(proxy) as client:
        client.query("select 'danger'")
    with WireClient(proxy.address) as client:
        client.start("app", "app", "wrong")
    proxy.reload()
    proxy.signal(15)
    proxy.wait()
    documented = set(re.findall(r"^\| `([a-z_]+)` \| (?:debug|info|warning|error) ", (REPOSITORY / "docs/operations.md").read_text(), re.M))
    seen = {event["event"] for event in proxy.events()}
    assert seen <= documented, seen - documented
    assert {"listening", "started", "client_connected", "client_login_failed", "reload_succeeded", "shutdown_started", "shutdown_finished"} <= seen


def test_hostile_names_cannot_forge_lines(sluice):
    proxy = sluice()
    nasty = 'a\n{"event":"forged"}\r\x1b[31m\x7f'
    with WireClient(proxy.address) as client:
        client.start(nasty, "app", "wrong", application_name=nasty)
    with WireClient(proxy.address) as client:
        client.send(m.startup_body(b"user\0\xff\xfe\x80\0database\0app\0\0"))
        client.authenticate("x", "wrong")
    eventually(lambda: len(proxy.events("client_login_failed")) == 2, 5)
    for line in proxy.log().splitlines():
        assert not re.search(r"[\x00-\x1f\x7f]", line)
        if line.startswith("{"):
            assert json.loads(line)["event"] != "forged"


def test_text_format_is_one_line_per_event(sluice):
    proxy = sluice(log={"format": "text", "level": "info"})
    with login(proxy, application_name="a b\nc"):
        pass
    eventually(lambda: "client_disconnected" in proxy.log(), 5)
    lines = [line for line in proxy.log().splitlines() if not line.startswith("warning: ")]  # what stands before the log opens
    assert lines and all(re.match(r"\d{4}-\d\d-\d\dT\S+ \w+ \w+ ", line) for line in lines)


def test_levels_and_switches(sluice):
    proxy = sluice(log={"level": "info", "connections": False, "disconnections": False})
    with login(proxy):
        pass
    time.sleep(0.3)
    assert not proxy.events("client_connected") and not proxy.events("client_disconnected") and not proxy.events("server_connected")


@pytest.mark.parametrize("told", [True, False])
def test_a_lost_server_is_told_where_pool_errors_are(sluice, postgres, fault_proxy, told):
    path = fault_proxy(postgres.address)
    proxy = sluice(log={"pool_errors": told}, cluster={"servers": [{"host": "127.0.0.1", "port": path.port}]})
    with login(proxy) as client:
        hold_server(client)
        path.paths[-1].close()
        assert error_in(client.rest()).sqlstate == "08006"
    proxy.awaited_events("client_disconnected")
    assert proxy.metrics().sum("pgsluice_server_closes_total", reason="lost") == 1
    assert [event["reason"] for event in proxy.events("server_disconnected")] == ["lost"] * told


def test_log_file_is_reopened_on_reload(sluice, directory):
    file = directory / "pgsluice.log"
    proxy = sluice(log={"file": str(file)})
    with login(proxy):
        pass
    eventually(lambda: "client_disconnected" in file.read_text(), 5)
    file.rename(directory / "rotated.log")
    proxy.reload()
    with login(proxy):
        pass
    eventually(lambda: file.exists() and "client_disconnected" in file.read_text(), 5)


def test_a_flood_of_one_event_is_rate_limited(sluice):
    proxy = sluice()
    for _ in range(400):
        with WireClient(proxy.address) as client:
            client.send(m.startup({"user": "trusted", "database": "app"}))
            client.receive_until("Z")
    time.sleep(1.5)
    with login(proxy):
        pass
    eventually(lambda: proxy.metrics().sum("pgsluice_log_lines_suppressed_total") > 0 or len(proxy.events("client_connected")) == 401, 5)
    total = len(proxy.events("client_connected")) + proxy.metrics().sum("pgsluice_log_lines_suppressed_total")
    assert total >= 401


def test_a_blocked_log_blocks_no_traffic(sluice, make_proxy, postgres, directory):
    """The log is a FIFO whose reader never reads: queries go on at full speed and lost lines are counted."""
    fifo = directory / "log.fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        proxy = sluice(log={"file": str(fifo)})
        slowest = 0.0
        with login(proxy) as steady:
            for number in range(3000):
                with WireClient(proxy.address) as client:
                    client.send(m.startup({"user": "trusted", "database": "app"}))
                    assert client.receive_until("ZE")[-1].tag == "Z"
                started = time.perf_counter()
                if number % 10 == 0:
                    steady.query("select 1")
                    slowest = max(slowest, time.perf_counter() - started)
        assert slowest < 1
        metrics = proxy.metrics()
        assert metrics.sum("pgsluice_log_lines_dropped_total") + metrics.sum("pgsluice_log_lines_suppressed_total") > 0
        assert proxy.http("/healthz")[0] == 200
    finally:
        os.close(reader)


@pytest.mark.parametrize("leave", ["terminate", "close", "reset"])
def test_gauges_return_to_zero(sluice, leave):
    proxy = sluice(pool={"size": 10})
    clients = [login(proxy) for _ in range(20)]
    for client in clients[:10]:
        hold_server(client)
    for client in clients:
        if leave == "terminate":
            client.send(m.TERMINATE)
        client.reset() if leave == "reset" else client.close()
    eventually(lambda: proxy.metrics().sum("pgsluice_clients") == 0, 5, "no clients")
    eventually(lambda: proxy.metrics().sum("pgsluice_worker_clients") == 0, 5, "no connections")
    metrics = proxy.metrics()
    assert metrics.sum("pgsluice_servers", state="active") == 0 and metrics.sum("pgsluice_waiters") == 0
