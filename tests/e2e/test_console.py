"""The console: PgBouncer's commands in a database of their own, by the protocols and drivers that its users have."""
import os
import re
import subprocess
import time

import psycopg
import pytest

from support import messages as m
from support.console import CONSOLE, connect, one, rows
from support.proxy import hold_server, login
from support.system import check_run, eventually, run
from support.wire import WireClient, error_in, summaries

# PgBouncer 1.25's columns, with the types that it gives them; what is ours stands behind.
CONNECTION = [*"type:s user:s database:s replication:s state:s addr:s port:i local_addr:s local_port:i connect_time:s request_time:s wait:i wait_us:i"
              " close_needed:i ptr:s link:s remote_pid:i tls:s application_name:s prepared_statements:i id:i".split()]
COUNTS = "server_assignment_count xact_count query_count"
COLUMNS = {
    "databases": "name:s host:s port:i database:s force_user:s pool_size:i min_pool_size:i reserve_pool_size:i server_lifetime:i pool_mode:s"
                 " load_balance_hosts:s max_connections:i current_connections:i max_client_connections:i current_client_connections:i paused:i disabled:i".split(),
    "pools": "database:s user:s cl_active:i cl_waiting:i cl_active_cancel_req:i cl_waiting_cancel_req:i sv_active:i sv_active_cancel:i sv_being_canceled:i"
             " sv_idle:i sv_used:i sv_tested:i sv_login:i maxwait:i maxwait_us:i pool_mode:s load_balance_hosts:s".split(),
    "clients": [*CONNECTION, "held_since:s"],
    "servers": CONNECTION,
    "sockets": [*CONNECTION, *"recv_pos:i pkt_pos:i pkt_remain:i send_pos:i send_remain:i pkt_avail:i send_avail:i".split()],
    "active_sockets": [*CONNECTION, *"recv_pos:i pkt_pos:i pkt_remain:i send_pos:i send_remain:i pkt_avail:i send_avail:i".split()],
    "users": "name:s pool_size:i reserve_pool_size:i pool_mode:s max_user_connections:i current_connections:i max_user_client_connections:i"
             " current_client_connections:i".split(),
    "stats": ["database:s", *(f"{word}:N" for word in (
        "total_server_assignment_count total_xact_count total_query_count total_received total_sent total_xact_time total_query_time total_wait_time"
        " total_client_parse_count total_server_parse_count total_bind_count avg_server_assignment_count avg_xact_count avg_query_count avg_recv avg_sent"
        " avg_xact_time avg_query_time avg_wait_time avg_client_parse_count avg_server_parse_count avg_bind_count").split())],
    "stats_totals": ["database:s", *(f"{word}:N" for word in (
        f"{COUNTS} bytes_received bytes_sent xact_time query_time wait_time client_parse_count server_parse_count bind_count").split())],
    "stats_averages": ["database:s", *(f"{word}:N" for word in (
        f"{COUNTS} bytes_received bytes_sent xact_time query_time wait_time avg_client_parse_count avg_server_parse_count avg_bind_count").split())],
    "totals": ["name:s", "value:N"],
    "lists": ["list:s", "items:i"],
    "config": ["key:s", "value:s", "default:s", "changeable:s"],
    "version": ["version:s"],
    "state": ["key:s", "value:s"],
    "mem": ["name:s", "size:i", "used:i", "free:i", "memtotal:i"],
    "dns_hosts": ["hostname:s", "ttl:q", "addrs:s"],
    "dns_zones": ["zonename:s", "serial:q", "count:i"],
    "peers": ["peer_id:i", "host:s", "port:i", "pool_size:i"],
    "fds": "fd:i task:s user:s database:s addr:s port:i cancel:q link:i client_encoding:s std_strings:s datestyle:s timezone:s password:s scram_client_key:b"
           " scram_server_key:b".split(),
    "peer_pools": ["peer_id:i", "cl_active_cancel_req:i", "cl_waiting_cancel_req:i", "sv_active_cancel:i", "sv_login:i"],
}
TYPES = {"s": 25, "i": 23, "q": 20, "N": 1700, "b": 17}
OURS = ["routes", "clusters", "pins", "policies", "queries"]


# --- who may do what ---

@pytest.mark.parametrize("database", ["pgsluice", "pgbouncer"])
def test_it_is_found_by_both_names(sluice, database):
    with connect(sluice(admin=CONSOLE), database=database) as connection:
        assert rows(connection, "version") == [{"version": "pgsluice 0.1.0"}]


def test_it_may_have_another_name(sluice):
    with connect(sluice(admin={"console": {"users": ["app"], "database": "ops"}}), database="ops") as connection:
        assert rows(connection, "version")


def test_without_users_there_is_none(sluice):
    with WireClient(sluice(route={"match": {"databases": ["app"]}}).address) as client:
        assert client.start("app", "pgsluice", "app-secret")[-1].sqlstate == "3D000"


def test_users_that_it_does_not_name_are_refused_behind_their_password(sluice):
    proxy = sluice(admin={"console": {"users": ["other"]}})
    with WireClient(proxy.address) as client:
        assert client.start("app", "pgsluice", "app-secret")[-1].sqlstate == "42501"
    with WireClient(proxy.address) as client:
        assert client.start("other", "pgsluice", "wrong")[-1].sqlstate == "28P01"


@pytest.mark.parametrize("command", ["reload", "reconnect", "kill_client 1", "shutdown", "RELOAD;", "pause", "resume", "kill", "disable app", "enable app", "wait_close", "suspend", "show fds",
                                     "set query_timeout = 1", "nonsense"])
def test_stats_users_only_look(sluice, command):
    proxy = sluice(admin=CONSOLE)
    with connect(proxy, user="other") as connection:
        assert rows(connection, "pools") == []
        with pytest.raises(psycopg.Error) as error:
            connection.execute(command)
        assert error.value.sqlstate in ("42501", "42601")
        assert rows(connection, "version")


def test_a_reload_takes_rights_away(console):
    proxy, connection = console
    config = {**proxy.config, "admin": {**proxy.config["admin"], "console": {"users": ["other"]}}}
    proxy.reload(config)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("show pools")


# --- what is shown ---

@pytest.mark.parametrize("name", [*COLUMNS, *OURS])
@pytest.mark.parametrize("binary", [False, True])
def test_every_table_has_its_columns_in_their_order(console, name, binary):
    proxy, connection = console
    with login(proxy) as client:
        hold_server(client)
        cursor = connection.cursor(binary=binary)
        cursor.execute(f"SHOW {name.upper()};", prepare=binary)
        found = cursor.fetchall()
        columns = [f"{column.name}:{column.type_code}" for column in cursor.description]
        wanted = [f"{each[:-2]}:{TYPES[each[-1]]}" for each in COLUMNS.get(name, [])]
        assert columns[:len(wanted)] == wanted
        assert all(len(row) == len(columns) for row in found)
        assert found or name in ("dns_hosts", "dns_zones", "peers", "peer_pools", "pins", "policies", "queries")


def test_clients_and_servers_are_linked(console):
    proxy, connection = console
    with login(proxy, application_name="checkout") as client, login(proxy, user="other") as idle:
        hold_server(client)
        pid = int(client.value("select pg_backend_pid()"))
        seen = one(connection, "clients", user="app", database="app")
        server = one(connection, "servers", user="app")
        assert (seen["state"], seen["database"], seen["application_name"], seen["addr"]) == ("active", "app", "checkout", "127.0.0.1")
        assert (seen["link"], server["link"]) == (server["ptr"], seen["ptr"])
        assert seen["remote_pid"] == server["remote_pid"] == pid
        assert (server["state"], int(server["port"])) == ("active", proxy.config["clusters"]["main"]["servers"][0]["port"])
        assert one(connection, "clients", user="other")["state"] == "idle"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", seen["connect_time"])
        client.query("commit")
        assert one(connection, "servers", user="app")["state"] == "idle"
        idle.close()


def test_who_waits_and_for_how_long(sluice):
    proxy = sluice(admin=CONSOLE, pool={"size": 1})
    with connect(proxy) as connection, login(proxy) as holder, login(proxy) as waiter:
        hold_server(holder)
        waiter.send(m.query("select 1"))
        time.sleep(1.2)
        pool = one(connection, "pools", database="app", user="app")
        assert [pool[key] for key in ("cl_active", "cl_waiting", "sv_active", "sv_idle", "maxwait", "pool_mode")] == [1, 1, 1, 0, 1, "transaction"]
        assert one(connection, "clients", state="waiting")["wait"] == 1
        holder.query("commit")
        waiter.until_ready()
        assert one(connection, "pools", database="app", user="app")["maxwait"] == 0


def test_pins_are_shown_with_their_reasons(console):
    proxy, connection = console
    with login(proxy) as client:
        client.query("listen news")
        client.query("create temp table mine (a int)"), client.query("select 1")
        pin = one(connection, "pins")
        assert set(pin["reasons"].split(",")) == {"listen", "temporary_table"}
        assert pin["id"] == one(connection, "clients", database="app")["id"]
        assert one(connection, "pools", database="app", user="app")["cl_pinned"] == 1


def test_stats_count_clients_that_are_here_and_those_that_have_gone(console):
    proxy, connection = console
    with login(proxy) as gone:
        gone.query("select 1")
    with login(proxy) as client:
        client.query("begin"), client.query("select 2"), client.query("select 3"), client.query("commit")
        client.send(m.parse("select 4", "s"), m.bind("s"), m.execute(), m.SYNC)
        client.until_ready()
        eventually(lambda: one(connection, "stats_totals", database="app")["client_login_count"] == 2, 5, "both")
        stats = one(connection, "stats", database="app")
        assert [stats[f"total_{name}"] for name in ("xact_count", "query_count", "client_parse_count", "server_parse_count", "bind_count")] == [3, 6, 1, 1, 1]
        assert stats["total_server_assignment_count"] >= 3
        assert stats["total_received"] > 50 and stats["total_sent"] > 50
        assert stats["total_xact_time"] >= stats["total_query_time"] > 0
        assert {row["name"]: row["value"] for row in rows(connection, "totals")}["total_query_count"] == 6


def test_a_pool_that_has_gone_takes_nothing_from_the_stats(sluice):
    proxy = sluice(admin=CONSOLE, pool={"idle_timeout": "300ms"})
    with connect(proxy) as connection:
        with login(proxy) as client:
            client.query("select 1")
        eventually(lambda: not rows(connection, "servers"), 10, "its server to be closed")
        assert one(connection, "stats", database="app")["total_query_count"] == 1


def test_databases_are_those_that_routes_name_and_clients_use(sluice):
    proxy = sluice(admin=CONSOLE, route={"match": {"databases": ["alias", "app*"]}, "database": "app", "max_connections": 7}, pool={"size": 5})
    with connect(proxy) as connection, login(proxy, database="alias"):
        found = one(connection, "databases", name="alias")
        assert [found[key] for key in ("database", "pool_size", "max_client_connections", "current_client_connections", "paused")] == ["app", 5, 7, 1, 0]
        assert found["force_user"] is None


def test_pools_of_two_routes_to_one_database_are_one_row_that_names_both(sluice):
    proxy = sluice(admin=CONSOLE, routes=[
        {"name": "reports", "match": {"applications": ["reports"]}, "cluster": "main", "pool": {"mode": "session"}},
        {"name": "default", "match": {}, "cluster": "main"}])
    with connect(proxy) as connection, login(proxy, application_name="reports") as session, login(proxy) as client:
        hold_server(session), hold_server(client)
        shown = one(connection, "pools", database="app")
        assert [shown[key] for key in ("user", "pool_mode", "cl_active", "sv_active", "route")] == [
            "app", "transaction, session", 2, 2, "default, reports"]
        assert one(connection, "lists", list="pools")["items"] == 1


def test_a_database_found_by_a_pattern_is_shown_while_its_servers_are_open(console):
    proxy, connection = console
    with login(proxy) as client:
        hold_server(client)
        client.query("commit")
    eventually(lambda: rows(connection, "databases")[0]["current_client_connections"] == 0, 5, "the client to be gone")
    assert [(row["name"], row["current_connections"]) for row in rows(connection, "databases")] == [("app", 1)]


def test_the_configuration_is_shown_without_its_secrets(console):
    _, connection = console
    shown = {row["key"]: row for row in rows(connection, "config")}
    assert shown["routes[0].pool.size"]["default"] == "20" and shown["routes[0].pool.size"]["changeable"] == "yes"
    assert shown["workers"]["changeable"] == shown["auth.rules[0].method"]["changeable"] == "no"
    assert "app-secret" not in str(shown)


def test_clients_of_the_console_stand_among_the_clients_and_count_nowhere(console):
    proxy, connection = console
    with connect(proxy, user="other", application_name="dashboard"):
        seen = one(connection, "clients", application_name="dashboard")
        assert [seen[key] for key in ("type", "user", "database", "state", "addr", "link")] == ["C", "other", "pgsluice", "idle", "127.0.0.1", ""]
        assert len(rows(connection, "clients")) == 2
        assert rows(connection, "pools") == [] == rows(connection, "sockets") and one(connection, "lists", list="used_clients")["items"] == 0


def test_descriptors_are_shown_without_passwords_or_keys(console):
    proxy, connection = console
    with login(proxy, TimeZone="Asia/Tokyo") as client, login(proxy) as idle:
        hold_server(client)
        shown = rows(connection, "fds")
        ours = one(connection, "fds", task="client", timezone="Asia/Tokyo")
        server = next(row for row in shown if row["task"] == "server" and row["link"] == ours["fd"])
        assert ours["link"] == server["fd"] and sorted(row["task"] for row in shown if row["link"] == 0)[0] == "client"
        assert (ours["user"], ours["database"], ours["port"]) == ("app", "app", client.socket.getsockname()[1])
        assert (server["client_encoding"], server["std_strings"], server["datestyle"], server["timezone"]) == ("UTF8", "on", "ISO, MDY", "Asia/Tokyo")
        assert {row["fd"] for row in shown} <= {int(name) for name in os.listdir(f"/proc/{proxy.pid}/fd")}
        assert all(row[key] is None for row in shown for key in ("password", "scram_client_key", "scram_server_key"))
        assert all(row["cancel"] == 0 for row in shown) and idle is not None


def test_help_is_a_notice(console):
    _, connection = console
    told = []
    connection.add_notice_handler(lambda diagnostic: told.append(diagnostic.message_primary))
    connection.execute("show help")
    assert "SHOW HELP|DATABASES|POOLS" in told[0] and "KILL_CLIENT" in told[0]


def test_select_is_show(console):
    _, connection = console
    assert connection.execute("SELECT version").fetchall() == [("pgsluice 0.1.0",)]


# --- tools ---

def psql(proxy) -> list:
    host, port = proxy.address
    return ["psql", "-XAt", f"host={host} port={port} user=app password=app-secret dbname=pgsluice sslmode=disable"]


def test_psql_reads_tables(console):
    shown = check_run([*psql(console[0]), "-c", "show version", "-c", "show lists"]).splitlines()
    assert shown[0] == "pgsluice 0.1.0" and any(line.startswith("used_clients|") for line in shown)


def test_psql_watches(console):
    with subprocess.Popen(psql(console[0]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as watching:
        try:
            watching.stdin.write("show version \\watch 0.1\n")
            watching.stdin.flush()
            seen = 0
            while seen < 3:
                seen += watching.stdout.readline().startswith("pgsluice")
        finally:
            watching.terminate()


@pytest.mark.parametrize("action, limit, told", [
    ("pgb_pool_sv_active", 1, "CRITICAL"), ("pgb_pool_sv_active", 5, "OK"), ("pgb_pool_cl_active", 1, "CRITICAL"), ("pgb_pool_cl_waiting", 5, "OK"),
    ("pgb_pool_maxwait", 5, "OK"), ("pgb_pool_sv_idle", 5, "OK"), ("pgb_pool_sv_login", 5, "OK"), ("pgb_pool_sv_tested", 5, "OK"),
    ("pgb_pool_sv_used", 5, "OK")])
def test_check_postgres_reads_pools_unmodified(console, action, limit, told):
    """Debian's exporter for Prometheus (1.7) asks for columns that PgBouncer itself has no more; this is the packaged tool that reads today's."""
    proxy, _ = console
    host, port = proxy.address
    with login(proxy) as client:
        hold_server(client)
        done = run(["check_postgres", f"--action={action}", f"--host={host}", f"--port={port}", "--dbuser=app", "--dbpass=app-secret", f"--critical={limit}"])
    assert f" {told}: " in done.stdout and "app" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("setting, value", [("client_encoding", "UTF8"), ("standard_conforming_strings", "on"), ("timezone", "UTC"), ("datestyle", "ISO"),
                                            ("default_transaction_isolation", "read committed")])
def test_settings_that_drivers_ask_for(console, setting, value):
    _, connection = console
    assert connection.execute(f"show {setting}").fetchall() == [(value,)]
    connection.execute("set extra_float_digits = 3")


def test_startup_parameters_are_taken(sluice):
    with login(sluice(admin=CONSOLE), database="pgsluice", extra_float_digits="2", search_path="x", options="-c work_mem=1MB") as client:
        assert "D:pgsluice 0.1.0" in summaries(client.query("show version"))


def test_drivers_that_begin_transactions_are_borne(sluice):
    proxy = sluice(admin=CONSOLE)
    host, port = proxy.address
    with psycopg.connect(host=host, port=port, user="app", password="app-secret", dbname="pgsluice", sslmode="disable") as connection:
        assert connection.execute("show version").fetchall()
        connection.commit()


# --- bad input ---

@pytest.mark.parametrize("text", ["show", "show nonsense", "show pools pools", "show pools; show pools", "show \"pools", "drop table x", "kill_client", "\x00"])
def test_what_is_no_command_is_an_error_and_the_console_stays(console, text):
    proxy, _ = console
    with login(proxy, database="pgsluice") as client:
        assert summaries(client.query(text))[-1] == "Z:I"
        client.send(m.parse(text), m.bind(), m.execute(), m.SYNC)
        assert summaries(client.until_ready())[-1] == "Z:I"
        assert "D:pgsluice 0.1.0" in summaries(client.query("show version"))


def test_names_that_nobody_gave(console):
    proxy, _ = console
    with login(proxy, database="pgsluice") as client:
        for message, sqlstate in ((m.bind("none"), "26000"), (m.execute("none"), "34000"), (m.describe_statement("none"), "26000"),
                                  (m.describe_portal("none"), "34000"), (m.function_call(1), "0A000")):
            client.send(message, m.SYNC)
            seen = client.until_ready()
            assert error_in(seen).sqlstate == sqlstate


def test_a_huge_message_ends_its_client_only(console):
    proxy, connection = console
    with login(proxy, database="pgsluice") as client:
        client.send(m.query("show " + "x" * 100_000))
        assert summaries(client.rest()) == ["E:FATAL:08P01"]
    assert rows(connection, "version")


def test_policies_and_limits_of_clients_are_not_asked(sluice):
    proxy = sluice(admin=CONSOLE, policies=[{"name": "all", "when": {"pattern": "."}, "action": "block"}])
    with connect(proxy) as connection:
        assert one(connection, "policies", name="all")["action"] == "block"


def test_policies_show_all_that_they_ask_for_and_do(sluice):
    many = [f"table_{i}" for i in range(200)]
    proxy = sluice(admin=CONSOLE, policies=[
        {"name": "wide", "when": {"statements": ["delete"], "users": ["app"], "without_where": True}, "mode": "shadow"},
        {"name": "rows", "action": "limit", "limit": {"max_rows": 10}},
        {"name": "long", "when": {"tables": many}}])
    with connect(proxy) as connection:
        assert one(connection, "policies", name="wide") == {
            "name": "wide", "action": "block", "mode": "shadow", "when": '{users: ["app"], statements: ["delete"], without_where: true}', "effect": ""}
        shown = one(connection, "policies", name="rows")
        assert (shown["action"], shown["when"], shown["effect"]) == ("limit", "", "{max_rows: 10}")
        long = one(connection, "policies", name="long")["when"]
        assert len(long) == 1000 and long.endswith("...")
