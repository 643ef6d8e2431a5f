"""What the console does to the process: pausing, killing, replacing, and what is told of it."""
import contextlib
import os
import signal
import subprocess
import threading
import time

import psycopg
import pytest

from support import messages as m
from support.console import CONSOLE, connect, one, rows
from support.postgres import BIN
from support.proxy import hold_server, login, merged
from support.system import eventually
from support.wire import WireClient, error_in, summaries


def test_reload(console):
    proxy, connection = console
    proxy.write_config({**proxy.config, "limits": {"connections_per_user": 9}})
    connection.execute("RELOAD")
    eventually(lambda: {row["key"]: row["value"] for row in rows(connection, "config")}["limits.connections_per_user"] == "9", 5, "the reload")


def test_reconnect_replaces_idle_servers_at_once_and_others_when_they_come_back(console, postgres):
    proxy, connection = console
    with login(proxy) as client:
        idle = client.value("select pg_backend_pid()")
        connection.execute("RECONNECT app")
        eventually(lambda: int(idle) not in postgres.backends(), 5, "the idle server to be closed")
        hold_server(client)
        held = client.value("select pg_backend_pid()")
        connection.execute("RECONNECT")
        assert client.value("select pg_backend_pid()") == held
        client.query("commit")
        eventually(lambda: int(held) not in postgres.backends(), 5, "the server to be closed")
        assert client.value("select pg_backend_pid()") != held


@pytest.mark.parametrize("commands", [["RECONNECT app"], ["RECONNECT"], ["KILL app", "RESUME app"], ["PAUSE app", "RESUME app"]])
def test_what_alter_role_has_set_reaches_the_first_client_behind_new_servers(console, postgres, commands):
    proxy, connection = console
    with login(proxy) as client:
        client.value("select 1")
    postgres.execute("alter role app set timezone = 'Asia/Tokyo'")
    try:
        for command in commands:
            connection.execute(command)
        for _ in range(2):
            with login(proxy) as client:
                assert client.parameters["TimeZone"] == client.value("show timezone") == "Asia/Tokyo"
    finally:
        postgres.execute("alter role app reset timezone")


def test_reconnect_of_another_database_leaves_servers_alone(console):
    proxy, connection = console
    with login(proxy) as client:
        pid = client.value("select pg_backend_pid()")
        with pytest.raises(psycopg.Error):
            connection.execute("RECONNECT nothing_like_it")
        assert client.value("select pg_backend_pid()") == pid


def test_kill_client(console):
    proxy, connection = console
    with login(proxy) as client, login(proxy) as other:
        hold_server(client)
        connection.execute(f"KILL_CLIENT {one(connection, 'clients', state='active')['id']}")
        assert summaries(client.rest()) == ["E:FATAL:57P01"]
        eventually(lambda: proxy.metrics().sum("pgsluice_disconnects_total", reason="killed") == 1, 5, "the client to count")
        assert other.value("select 1") == "1"
        for wrong in ("999999999", "x", "-1"):
            with pytest.raises(psycopg.DataError):
                connection.execute(f"KILL_CLIENT {wrong}")


def cancel(proxy, client):
    with WireClient(proxy.address) as canceller:
        canceller.send(m.cancel_request(client.pid, client.secret))
        assert canceller.rest() == []


def test_kill_client_ends_clients_of_the_console_too(console):
    proxy, connection = console
    with login(proxy, database="pgsluice", application_name="victim") as idle:
        connection.execute(f"KILL_CLIENT {one(connection, 'clients', application_name='victim')['id']}")
        assert summaries(idle.rest()) == ["E:FATAL:57P01"]
    with pytest.raises(psycopg.OperationalError, match="terminating connection due to administrator command"):
        connection.execute(f"KILL_CLIENT {one(connection, 'clients', user='app')['id']}")
    with connect(proxy) as next_one:
        assert rows(next_one, "version")


class Asking:
    """A command on a connection of its own, whose answer is waited for elsewhere."""

    def __init__(self, proxy, command):
        self.client = login(proxy, database="pgsluice")
        self.client.send(m.query(command))

    def is_waiting(self) -> bool:
        return self.client.silent_for(0.3)

    def answer(self) -> list:
        return summaries(self.client.until_ready())


@pytest.mark.parametrize("command", ["PAUSE", "pause app"])
def test_pause_waits_for_transactions_and_clients_wait_for_resume(console, postgres, command):
    proxy, connection = console
    with login(proxy) as client, login(proxy) as other:
        hold_server(client)
        asking = Asking(proxy, command)
        assert asking.is_waiting()
        assert client.value("select 'goes on'") == "goes on"
        other.send(m.query("select 'waited'"))
        assert other.silent_for(0.3)
        client.query("commit")
        assert asking.answer() == ["C:PAUSE", "Z:I"]
        assert postgres.backends() == []
        assert one(connection, "databases", name="app")["paused"] == 1
        assert rows(connection, "pools")[0]["cl_waiting"] == 1
        with login(proxy) as newcomer:
            newcomer.send(m.query("select 'newcomer'"))
            assert newcomer.silent_for(0.3)
            connection.execute(command.lower().replace("pause", "resume"))
            assert "D:newcomer" in summaries(newcomer.until_ready())
        assert "D:waited" in summaries(other.until_ready())
        assert one(connection, "databases", name="app")["paused"] == 0


def test_a_cancelled_pause_is_taken_back(console):
    proxy, connection = console
    with login(proxy) as client, login(proxy) as other:
        hold_server(client)
        asking = Asking(proxy, "pause app")
        assert asking.is_waiting()
        cancel(proxy, asking.client)
        assert asking.answer() == ["E:ERROR:57014", "Z:I"]
        assert other.value("select 'on'") == "on"
        assert one(connection, "databases", name="app")["paused"] == 0
        asking.client.send(m.query("show version"))
        assert asking.answer()[-1] == "Z:I", "the console goes on"


def test_a_cancelled_wait_close_is_over(console):
    proxy, connection = console
    with login(proxy) as client:
        hold_server(client)
        connection.execute("reconnect app")
        asking = Asking(proxy, "wait_close app")
        assert asking.is_waiting()
        cancel(proxy, asking.client)
        assert asking.answer() == ["E:ERROR:57014", "Z:I"]


def test_a_cancel_for_a_console_that_does_nothing_cancels_nothing_later(console):
    proxy, _ = console
    with login(proxy) as client, login(proxy, database="pgsluice") as asking:
        hold_server(client)
        cancel(proxy, asking)
        asking.send(m.query("pause app"))
        assert asking.silent_for(0.3)
        client.query("commit")
        assert summaries(asking.until_ready()) == ["C:PAUSE", "Z:I"]


def test_ctrl_c_in_psql_takes_a_pause_back(console):
    proxy, connection = console
    host, port = proxy.address
    with login(proxy) as client:
        hold_server(client)
        psql = subprocess.Popen([BIN / "psql", "-X", "-c", "pause", f"host={host} port={port} user=app password=app-secret dbname=pgsluice sslmode=disable"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        eventually(lambda: one(connection, "state", key="paused")["value"] == "yes", 5, "the pause")
        psql.send_signal(signal.SIGINT)
        assert "canceling statement due to user request" in psql.communicate(timeout=10)[0]
        assert one(connection, "state", key="paused")["value"] == "no"


def test_pause_of_one_database_leaves_others_alone(sluice, postgres):
    postgres.execute("create database aside")
    try:
        proxy = sluice(admin=CONSOLE)
        with connect(proxy) as connection, login(proxy) as client, login(proxy, database="aside") as other:
            client.query("select 1"), other.query("select 1")
            connection.execute("PAUSE app")
            client.send(m.query("select 'waited'"))
            assert client.silent_for(0.3)
            assert other.value("select 'other'") == "other"
            connection.execute("RESUME")
            assert "D:waited" in summaries(client.until_ready())
    finally:
        eventually(lambda: postgres.execute("drop database aside with (force)") is None or True, 5, "the database to go")


@pytest.mark.parametrize("command", ["PAUSE", "KILL"])
def test_a_database_that_nobody_has_used_can_be_paused(console, postgres, command):
    proxy, connection = console
    postgres.execute("create database fresh")
    try:
        told, got = [], []
        connection.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary))
        connection.execute(f"{command} fresh")
        assert told == ['nobody has used database "fresh" yet']
        assert one(connection, "databases", name="fresh")["paused"] == 1
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            connection.execute("PAUSE fresh")
        newcomer = threading.Thread(target=lambda: got.append(login(proxy, database="fresh").value("select 'came'")))
        newcomer.start()
        with login(proxy) as other:
            assert other.value("select 1") == "1"
        time.sleep(0.5)
        assert got == []
        connection.execute("RESUME fresh")
        newcomer.join(10)
        assert got == ["came"]
    finally:
        postgres.execute("drop database fresh with (force)")


def test_what_is_disabled_is_shown_and_can_be_enabled_after_its_route_has_gone(console):
    proxy, connection = console
    connection.execute("DISABLE report")
    assert one(connection, "databases", name="report")["disabled"] == 1
    config = merged(proxy.config, {})
    config["routes"][0]["match"] = {"databases": ["app"]}
    proxy.reload(config)
    connection.execute("ENABLE report")
    with pytest.raises(psycopg.errors.InvalidCatalogName):
        connection.execute("DISABLE report")


def test_whoever_gives_up_a_pause_leaves_nobody_waiting(console):
    proxy, connection = console
    with login(proxy) as client:
        hold_server(client)
        asking = Asking(proxy, "pause")
        assert asking.is_waiting()
        asking.client.close()
        eventually(lambda: {row["key"]: row["value"] for row in rows(connection, "state")}["paused"] == "no", 5, "it to be taken back")
        client.query("commit")
        assert client.value("select 'on'") == "on"


def test_pause_under_load_loses_no_transaction(console):
    proxy, connection = console
    host, port = proxy.address
    load = subprocess.Popen([BIN / "pgbench", "-n", "-c", "8", "-T", "4", "-f", "/dev/stdin", f"host={host} port={port} user=app password=app-secret dbname=app sslmode=disable"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    load.stdin.write("begin;\nselect 1;\nselect 2;\ncommit;\n")
    load.stdin.close()
    for _ in range(5):
        time.sleep(0.4)
        connection.execute("PAUSE app")
        assert rows(connection, "servers") == []
        connection.execute("RESUME app")
    told = load.stdout.read()
    assert load.wait(20) == 0, told
    assert "number of failed transactions: 0 (0.000%)" in told and "ERROR" not in told


def test_waiting_for_a_paused_database_says_so(sluice):
    proxy = sluice(admin=CONSOLE, pool={"query_wait_timeout": "300ms"})
    with connect(proxy) as connection, login(proxy) as client:
        client.query("select 1")
        connection.execute("PAUSE app")
        assert "paused" in error_in(client.query("select 1")).fields["D"]


@pytest.mark.parametrize("command, sqlstate", [("pause nothing_like_it", "3D000"), ("resume", "55000"), ("resume app", "55000"), ("enable app", "55000"),
                                               ("disable nothing_like_it", "3D000"), ("disable pgbouncer", "3D000"), ("pause pgsluice", "3D000"),
                                               ("kill nothing_like_it", "3D000"), ("shutdown wait_for_nobody", "42601"), ("reconnect nothing_like_it", "3D000")])
def test_what_makes_no_sense_is_an_error(sluice, command, sqlstate):
    proxy = sluice(admin=CONSOLE, route={"match": {"databases": ["app"]}})
    with connect(proxy) as connection, login(proxy) as client:
        client.query("select 1")
        with pytest.raises(psycopg.Error) as error:
            connection.execute(command)
        assert error.value.sqlstate == sqlstate


def test_a_database_is_not_resumed_out_of_a_pause_of_all(console):
    proxy, connection = console
    with login(proxy):
        connection.execute("pause")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            connection.execute("resume app")
        connection.execute("resume")


def test_a_pause_that_somebody_else_ends_has_not_succeeded(console):
    proxy, connection = console
    with login(proxy) as client:
        hold_server(client)
        asking = Asking(proxy, "pause app")
        assert asking.is_waiting()
        connection.execute("resume app")
        assert asking.answer() == ["E:ERROR:55000", "Z:I"]
        assert client.value("select 1") == "1"


def test_whoever_leaves_takes_back_his_own_pause_only(console):
    proxy, connection = console
    with login(proxy) as client, login(proxy) as other:
        hold_server(client)
        first = Asking(proxy, "pause app")
        assert first.is_waiting()
        connection.execute("resume app")
        second = Asking(proxy, "pause app")
        assert second.is_waiting()
        first.client.close()
        client.query("commit")
        assert second.answer() == ["C:PAUSE", "Z:I"]
        other.send(m.query("select 'waited'"))
        assert other.silent_for(0.3)
        connection.execute("resume app")
        assert "D:waited" in summaries(other.until_ready())


def test_a_reload_does_not_keep_a_pause_that_is_given_up(console):
    proxy, connection = console
    with login(proxy) as client, login(proxy) as other:
        hold_server(client)
        asking = Asking(proxy, "pause")
        assert asking.is_waiting()
        proxy.reload(proxy.config)
        asking.client.close()
        eventually(lambda: one(connection, "state", key="paused")["value"] == "no", 5, "it to be taken back")
        assert other.value("select 'on'") == "on"


def test_a_database_that_is_resumed_during_a_reload_stays_resumed(sluice):
    """A race, seen once in some hundred rounds: what decides it is held by unit/daemon/gates_test.cpp."""
    proxy = sluice(workers=4, admin=CONSOLE)
    with connect(proxy) as connection, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(login(proxy)) for _ in range(12)]
        for client in clients:
            client.query("select 1")
        for number in range(120):
            connection.execute("PAUSE app")
            connection.execute("RELOAD")
            time.sleep(0.0005 * (number % 12))
            connection.execute("RESUME app")
            assert one(connection, "databases", name="app")["paused"] == 0, f"round {number}"
        for client in clients:
            assert client.value("select 'on'") == "on"


def test_a_paused_database_may_be_moved_before_it_is_resumed(sluice, postgres):
    postgres.execute("create database elsewhere")
    try:
        proxy = sluice(admin=CONSOLE, route={"match": {"databases": ["app"]}})
        with connect(proxy) as connection, login(proxy) as client:
            assert client.value("select current_database()") == "app"
            connection.execute("PAUSE app")
            config = merged(proxy.config, {})
            config["routes"][0]["database"] = "elsewhere"
            proxy.reload(config)
            client.send(m.query("select current_database()"))
            assert client.silent_for(0.3)
            connection.execute("RESUME app")
            assert "D:elsewhere" in summaries(client.until_ready())
            assert one(connection, "databases", name="app")["paused"] == 0
    finally:
        postgres.execute("drop database elsewhere with (force)")


def test_a_server_that_fails_during_a_pause_fails_nobody(sluice, postgres):
    """People pause when a server is about to go."""
    proxy = sluice(admin=CONSOLE, pool={"size": 1, "query_wait_timeout": "20s"}, timeouts={"connect": "1500ms"})
    with connect(proxy) as connection, login(proxy) as first, login(proxy) as second:
        first.value("select 1")
        os.kill(postgres.pid, signal.SIGSTOP)  # its port accepts, and nobody answers
        try:
            connection.execute("RECONNECT")
            first.send(m.query("select 1"))
            eventually(lambda: int(one(connection, "pools", database="app")["sv_login"]) == 1, 5, "a login to a server")
            connection.execute("PAUSE app")
            second.send(m.query("select 2"))
            time.sleep(2)
        finally:
            os.kill(postgres.pid, signal.SIGCONT)
        connection.execute("RESUME app")
        assert summaries(first.until_ready())[1] == "D:1"
        assert summaries(second.until_ready())[1] == "D:2"


def test_a_second_pause_is_an_error(console):
    _, connection = console
    connection.execute("pause")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        connection.execute("pause")
    connection.execute("resume")


def test_kill_ends_clients_and_pauses(console, postgres):
    proxy, connection = console
    with login(proxy) as client, login(proxy) as idle:
        hold_server(client), idle.query("select 1")
        connection.execute("KILL app")
        assert summaries(client.rest()) == ["E:FATAL:57P01"] == summaries(idle.rest())
        eventually(lambda: postgres.backends() == [], 5, "servers to be closed")
        assert one(connection, "state", key="paused")["value"] == "no"
        with login(proxy) as next_one:
            next_one.send(m.query("select 'waited'"))
            assert next_one.silent_for(0.3)
            connection.execute("RESUME app")
            assert "D:waited" in summaries(next_one.until_ready())


def test_disable_refuses_new_clients_only(console):
    proxy, connection = console
    with login(proxy) as client:
        connection.execute("DISABLE app")
        assert client.value("select 1") == "1"
        assert one(connection, "databases", name="app")["disabled"] == 1
        with WireClient(proxy.address) as refused:
            assert refused.start("app", "app", "app-secret")[-1].sqlstate == "57P03"
        with WireClient(proxy.address) as stranger:
            assert stranger.start("app", "app", "wrong")[-1].sqlstate == "28P01"
        assert "disabled" in [event["reason"] for event in proxy.awaited_events("client_login_failed")]
        assert proxy.metrics().sum("pgsluice_login_failures_total", reason="disabled") == 1
        connection.execute("ENABLE app")
        assert login(proxy).value("select 1") == "1"


def test_wait_close_waits_for_servers_that_are_to_be_replaced(console):
    proxy, connection = console
    with login(proxy) as client:
        hold_server(client)
        connection.execute("RECONNECT app")
        asking = Asking(proxy, "wait_close app")
        assert asking.is_waiting()
        client.query("commit")
        assert asking.answer() == ["C:WAIT_CLOSE", "Z:I"]


def test_what_changes_something_is_told_in_the_log(console):
    proxy, connection = console
    with login(proxy) as client:
        client.query("select 1")
        connection.execute("RECONNECT app")
    connection.execute("show pools")
    entry, = proxy.awaited_events("console_command")
    assert [entry[key] for key in ("command", "argument", "user")] == ["RECONNECT", "app", "app"]


def test_what_was_not_understood_is_not_told_in_the_log(console):
    proxy, connection = console
    for argument in ("s3cret", "'" + "x" * 5000 + "'"):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            connection.execute(f"KILL_CLIENT {argument}")
    connection.execute("DISABLE app")
    eventually(lambda: len(proxy.events("console_command")) == 3, 5, "three commands in the log")
    assert [entry["argument"] for entry in proxy.events("console_command")] == ["", "", "app"]


def test_a_name_that_any_route_would_take_is_told_in_the_log_where_it_does_something(console):
    """Under a route for all names a password, typed in the wrong window, would be a database like any other."""
    proxy, connection = console
    for command in ("RECONNECT", "RESUME", "WAIT_CLOSE", "ENABLE"):
        with pytest.raises(psycopg.Error):
            connection.execute(f"{command} s3cret")
    connection.execute("PAUSE tomorrow")
    connection.execute("RESUME tomorrow")
    with login(proxy) as client:
        client.query("select 1")
        connection.execute("RECONNECT app")
    eventually(lambda: len(proxy.events("console_command")) == 7, 5, "the commands in the log")
    assert [entry["argument"] for entry in proxy.events("console_command")] == [""] * 4 + ["tomorrow", "tomorrow", "app"]
