"""SUSPEND in the console: nobody is heard until RESUME, and nothing is lost."""
import signal
import subprocess
import threading
import time

import psycopg
import pytest

from support import messages as m
from support.console import CONSOLE, connect, one
from support.postgres import BIN
from support.proxy import hold_server, login, merged
from support.system import eventually
from support.wire import Closed, WireClient, summaries

ENDLESS = m.query("select repeat('x', 100000) from generate_series(1, 1000)")


def is_suspended(connection) -> bool:
    return one(connection, "state", key="suspended")["value"] == "yes"


def slow_reader(proxy):
    client = WireClient(proxy.address, receive_buffer=4096)
    client.start("app", "app", "app-secret")
    client.send(ENDLESS)
    time.sleep(0.5)
    return client


def test_neither_clients_nor_servers_are_heard_before_resume(console, postgres):
    proxy, connection = console
    with login(proxy) as asking, login(proxy) as asked, login(proxy) as idle:
        hold_server(asking)
        asked.send(m.query("select pg_sleep(0.5), 'answered'"))
        eventually(lambda: postgres.execute("select 1 from pg_stat_activity where query like '%answered%' and state = 'active' and pid <> pg_backend_pid()"), 5, "the query")
        connection.execute("SUSPEND")
        assert is_suspended(connection)
        asking.send(m.query("select 'in a transaction'"))
        idle.send(m.query("select 'idle before'"))
        assert asked.silent_for(1) and asking.silent_for(0.2) and idle.silent_for(0.2)
        assert not postgres.execute("select 1 from pg_stat_activity where query = 'select ''in a transaction'''")
        connection.execute("RESUME")
        assert not is_suspended(connection)
        assert "D:in a transaction" in summaries(asking.until_ready())
        assert "D:idle before" in summaries(idle.until_ready())
        assert b"answered" in asked.until_ready()[1].row


def test_who_logs_in_meanwhile_waits_and_the_console_is_served(console):
    proxy, connection = console
    with login(proxy) as client:
        client.query("select 1")
        connection.execute("SUSPEND")
        got = []
        newcomer = threading.Thread(target=lambda: got.append(login(proxy).value("select 'came'")))
        newcomer.start()
        with WireClient(proxy.address) as gone:
            gone.send(m.startup({"user": "app", "database": "app"}))
        with connect(proxy) as other:
            time.sleep(0.5)
            assert got == [] and is_suspended(other)
            other.execute("RESUME")
        newcomer.join(10)
        assert got == ["came"] and client.value("select 1") == "1"


def test_balancers_and_clusters_send_nobody_meanwhile(console):
    proxy, connection = console
    for command, reason in (("SUSPEND", "suspended"), ("PAUSE", "paused"), ("KILL", "paused")):
        assert proxy.http("/readyz") == (200, "ok\n")
        connection.execute(command)
        assert proxy.http("/readyz") == (503, f"{reason}\n")
        assert proxy.http("/healthz")[0] == 200, "nobody is to restart it"
        connection.execute("RESUME")
    connection.execute("PAUSE app")
    assert proxy.http("/readyz") == (200, "ok\n"), "other databases are served"


def test_it_waits_until_everything_has_been_sent(sluice):
    proxy = sluice(admin=CONSOLE, timeouts={"suspend": 0})
    with connect(proxy) as connection, slow_reader(proxy) as slow, login(proxy, database="pgsluice") as console:
        console.send(m.query("suspend"))
        assert console.silent_for(1) and is_suspended(connection)
        slow.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            while True:
                slow.receive_bytes(4096)
        assert summaries(console.until_ready()) == ["C:SUSPEND", "Z:I"]
        connection.execute("RESUME")
        slow.socket.settimeout(10)
        slow.receive_bytes(500_000)


def test_who_does_not_read_is_closed_when_its_time_is_up(sluice):
    proxy = sluice(admin=CONSOLE, timeouts={"suspend": "500ms"})
    with connect(proxy) as connection, login(proxy) as other, slow_reader(proxy) as slow:
        started = time.monotonic()
        connection.execute("SUSPEND")
        assert 0.4 < time.monotonic() - started < 4
        assert one(connection, "clients", database="app") is not None, "one is left"
        connection.execute("RESUME")
        assert other.value("select 'goes on'") == "goes on"
        with pytest.raises(Closed):
            slow.receive_bytes(80_000_000)
        assert proxy.awaited_events("client_disconnected")[0]["reason"] == "timeout"


@pytest.mark.parametrize("how", ["cancels", "leaves"])
def test_whoever_gives_it_up_leaves_nobody_waiting(sluice, how):
    proxy = sluice(admin=CONSOLE, timeouts={"suspend": 0})
    with connect(proxy) as connection, slow_reader(proxy), login(proxy) as client, login(proxy, database="pgsluice") as console:
        console.send(m.query("suspend"))
        assert console.silent_for(0.5) and is_suspended(connection)
        proxy.reload(proxy.config)
        if how == "leaves":
            console.close()
        else:
            with WireClient(proxy.address) as canceller:
                canceller.send(m.cancel_request(console.pid, console.secret))
            assert summaries(console.until_ready()) == ["E:ERROR:57014", "Z:I"]
        eventually(lambda: not is_suspended(connection), 5, "it to be taken back")
        assert client.value("select 'on'") == "on"


def test_one_that_somebody_else_ends_has_not_succeeded(sluice):
    proxy = sluice(admin=CONSOLE, timeouts={"suspend": 0})
    with connect(proxy) as connection, slow_reader(proxy), login(proxy, database="pgsluice") as console:
        console.send(m.query("suspend"))
        assert console.silent_for(0.3)
        connection.execute("resume")
        assert summaries(console.until_ready()) == ["E:ERROR:55000", "Z:I"]


def test_a_reload_changes_nothing(console):
    proxy, connection = console
    with login(proxy) as client:
        client.query("select 1")
        connection.execute("SUSPEND")
        proxy.reload(merged(proxy.config, {"limits": {"connections_per_user": 50}}))
        client.send(m.query("select 'waited'"))
        assert client.silent_for(0.3) and is_suspended(connection)
        connection.execute("RESUME")
        assert "D:waited" in summaries(client.until_ready())


def test_nobody_is_timed_out_for_what_was_not_heard(sluice):
    proxy = sluice(admin=CONSOLE, timeouts={"client_idle": "700ms"}, pool={"size": 1, "query_wait_timeout": "5s"})
    with connect(proxy) as connection, login(proxy) as client:
        client.query("select 1")
        connection.execute("SUSPEND")
        client.send(m.query("select 'said in time'"))
        time.sleep(1.5)
        connection.execute("RESUME")
        assert "D:said in time" in summaries(client.until_ready())


def test_who_has_left_is_missed_after_resume(console, postgres):
    proxy, connection = console
    with login(proxy) as client:
        hold_server(client)
        connection.execute("SUSPEND")
    time.sleep(0.3)
    assert one(connection, "clients", database="app")["state"] == "active"
    connection.execute("RESUME")
    eventually(lambda: not postgres.execute("select 1 from pg_stat_activity where state like 'idle in transaction%'"), 5, "the transaction to end")


def test_a_shutdown_ends_it(console):
    proxy, connection = console
    with login(proxy) as client:
        hold_server(client)
        connection.execute("SUSPEND")
        proxy.signal(signal.SIGTERM)
        assert client.value("select 'goes on'") == "goes on"
        client.send(m.query("commit"))
        assert summaries(client.rest())[-1] == "E:FATAL:57P01"
    assert proxy.wait(5) == 0


@pytest.mark.parametrize("before, command", [("suspend", "suspend"), ("suspend", "pause"), ("suspend", "pause app"), ("suspend", "resume app"), ("pause", "suspend")])
def test_what_is_held_already_is_not_held_twice(console, before, command):
    proxy, connection = console
    with login(proxy) as client:
        client.query("select 1")
        connection.execute(before)
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            connection.execute(command)
        connection.execute("resume")
        assert client.value("select 1") == "1"


def test_under_load_it_loses_no_transaction(console):
    proxy, connection = console
    host, port = proxy.address
    load = subprocess.Popen([BIN / "pgbench", "-n", "-C", "-c", "8", "-T", "4", "-f", "/dev/stdin", f"host={host} port={port} user=app password=app-secret dbname=app sslmode=disable"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    load.stdin.write("begin;\nselect 1;\nselect 2;\ncommit;\n")
    load.stdin.close()
    for _ in range(5):
        time.sleep(0.4)
        connection.execute("SUSPEND")
        time.sleep(0.1)
        connection.execute("RESUME")
    told = load.stdout.read()
    assert load.wait(20) == 0, told
    assert "number of failed transactions: 0 (0.000%)" in told and "ERROR" not in told
