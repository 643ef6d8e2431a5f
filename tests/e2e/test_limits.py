"""Limits on connections and messages, and every time limit: the client is told, and the server slot comes back."""
import contextlib
import time

import pytest

from support import messages as m
from support.hostile_server import Delay, Startup
from support.proxy import hold_server, login
from support.system import eventually, free_port
from support.wire import Closed, WireClient, error_in, summaries


def refused(proxy, user="app", database="app", source=""):
    with WireClient(proxy.address, source=source) as client:
        message = client.start(user, database, f"{user}-secret")[-1]
        return (message.severity, message.sqlstate) if message.tag == "E" else None


FULL = ("FATAL", "53300")


def test_client_connections(sluice):
    proxy = sluice(limits={"client_connections": 3})
    clients = [login(proxy) for _ in range(3)]
    with WireClient(proxy.address) as fourth:
        seen = fourth.start("app", "app", "app-secret")
        assert (seen[-1].sqlstate, seen[-1].text) == ("53300", "sorry, too many clients already")
    clients.pop().close()
    eventually(lambda: refused(proxy) is None, 5, "a free place")
    for client in clients:
        assert client.value("select 1") == "1"
        client.close()


@pytest.mark.parametrize("limit, fits, full", [
    ({"connections_per_user": 2}, [("other", "app")], [("app", "app"), ("app", "other")]),
    ({"connections_per_database": 2}, [("app", "other")], [("app", "app"), ("other", "app")]),
])
def test_connections_per_user_and_database(sluice, limit, fits, full):
    proxy = sluice(limits=limit)
    clients = [login(proxy) for _ in range(2)]
    for user, database in full:
        assert refused(proxy, user, database) == FULL
    for user, database in fits:
        assert refused(proxy, user, database) is None
    clients.pop().close()
    eventually(lambda: refused(proxy) is None, 5, "a free place")
    clients.pop().close()


def test_connections_per_address(sluice):
    proxy = sluice(limits={"connections_per_address": 2})
    clients = [login(proxy, source="127.0.0.5") for _ in range(2)]
    assert refused(proxy, source="127.0.0.5") == FULL
    assert refused(proxy, source="127.0.0.6") is None
    clients.pop().close()
    eventually(lambda: refused(proxy, source="127.0.0.5") is None, 5, "a free place")


def is_closed_at_once(proxy, source) -> bool:
    try:
        refused(proxy, source=source)
    except Closed:
        return True
    return False


def test_an_address_that_never_logs_in_keeps_nobody_else_from_it(sluice, server_certificate):
    """Half startup packets, half TLS hellos and silence, none of which ends before login_timeout."""
    tls = {"mode": "prefer", "certificate": str(server_certificate.certificate), "private_key": str(server_certificate.key)}
    proxy = sluice(listeners=[{"address": "127.0.0.1", "port": free_port(), "tls": tls}],
                   limits={"connections_per_address": 20, "client_connections": 60})
    beginnings = (b"", m.startup({"user": "app"})[:10], b"\x16\x03\x01\x02\x00", m.SSL_REQUEST)
    with contextlib.ExitStack() as stack:
        for number in range(200):
            if number == 30:
                eventually(lambda: refused(proxy, source="127.0.0.5") == FULL, 5, "the limit")
            client = stack.enter_context(WireClient(proxy.address, source="127.0.0.5"))
            with contextlib.suppress(Closed):
                client.send(beginnings[number % len(beginnings)])
        eventually(lambda: is_closed_at_once(proxy, "127.0.0.5"), 5, "the end of all patience")
        assert refused(proxy, source="127.0.0.6") is None
    eventually(lambda: refused(proxy, source="127.0.0.5") is None, 5, "a free place")


def test_connections_of_one_user_and_of_one_route(sluice):
    proxy = sluice(auth={"users": [{"name": "app", "password": "app-secret", "max_connections": 1}, {"name": "other", "password": "other-secret"},
                                   {"name": "trusted", "password": "trusted-secret"}]}, route={"max_connections": 2})
    with login(proxy) as first:
        assert refused(proxy) == FULL
        with login(proxy, user="other"):
            assert refused(proxy, "trusted") == FULL
        assert first.value("select 1") == "1"


def test_failed_logins_count_down_again(sluice):
    proxy = sluice(limits={"connections_per_user": 2, "client_connections": 4})
    for _ in range(12):
        with WireClient(proxy.address) as client:
            assert client.start("app", "app", "wrong")[-1].sqlstate == "28P01"
        with WireClient(proxy.address) as client:
            assert client.start("app", "nosuch", "app-secret")[-1].sqlstate == "3D000"
    eventually(lambda: refused(proxy) is None, 5)
    with login(proxy), login(proxy):
        assert refused(proxy) == FULL


@pytest.mark.parametrize("stop_after", ["nothing", "half a packet", "startup", "first scram message"])
def test_login_timeout(sluice, stop_after):
    proxy = sluice(limits={"login_timeout": "1s"})
    with WireClient(proxy.address) as client:
        started = time.monotonic()
        packet = m.startup({"user": "app", "database": "app"})
        if stop_after == "half a packet":
            client.send(packet[:10])
        elif stop_after != "nothing":
            client.send(packet)
            assert client.receive().tag == "R"
            if stop_after == "first scram message":
                first = b"n,,n=,r=abcdefghijkl"
                client.send(m.frame(b"p", b"SCRAM-SHA-256\0" + len(first).to_bytes(4, "big") + first))
                assert client.receive().tag == "R"
        seen = client.rest(timeout=6)
        assert not any(x.tag != "E" for x in seen) and len(seen) <= 1
        assert 0.8 < time.monotonic() - started < 4
    with login(proxy) as client:
        time.sleep(1.5)
        assert client.value("select 1") == "1"


# --- time limits on clients that have logged in ---

def closed_with(client, timeout=8.0):
    """The one error that ended this client."""
    error = error_in(client.rest(timeout))
    return error.severity, error.sqlstate, error.fields.get("R")


def slot_is_free(proxy):
    with login(proxy) as client:
        assert client.value("select 'free'") == "free"


def test_query_timeout(sluice, postgres):
    proxy = sluice(timeouts={"query": "700ms"}, pool={"size": 1, "query_wait_timeout": "3s"})
    with login(proxy) as client:
        assert client.value("select 1") == "1"
        started = time.monotonic()
        client.send(m.query("select pg_sleep(20)"))
        seen = client.receive_until("E", timeout=8)
        assert seen[-1].sqlstate == "57014" and 0.5 < time.monotonic() - started < 4
    slot_is_free(proxy)
    running = "select 1 from pg_stat_activity where query = 'select pg_sleep(20)' and state = 'active'"
    eventually(lambda: not postgres.execute(running), 5, "the query to end on the server")


def test_query_timeout_counts_behind_settings_that_are_restored(sluice):
    proxy = sluice(timeouts={"query": "700ms"}, pool={"size": 1})
    with login(proxy, TimeZone="Asia/Tokyo") as client, login(proxy, TimeZone="Europe/Paris") as other:
        assert other.value("show timezone") == "Europe/Paris"
        client.send(m.query("select pg_sleep(20)"))
        assert client.receive_until("E", timeout=8)[-1].sqlstate == "57014"


def test_transaction_timeout(sluice):
    proxy = sluice(timeouts={"transaction": "700ms"}, pool={"size": 1})
    with login(proxy) as client:
        hold_server(client)
        started, seen = time.monotonic(), []
        while not any(x.tag == "E" for x in seen):
            assert time.monotonic() - started < 5, "the transaction went on"
            client.send(m.query("select pg_sleep(0.1)"))
            seen = client.receive_until("EZ")
        assert error_in(seen).fields["R"] == "pgsluice" or error_in(seen).sqlstate == "57014"
    slot_is_free(proxy)


def test_idle_transaction_timeout(sluice, postgres):
    proxy = sluice(timeouts={"idle_transaction": "700ms"}, pool={"size": 1})
    with login(proxy) as client:
        client.query("begin")
        client.query("insert into target values (1, 'lost')")
        assert closed_with(client) == ("FATAL", "25P03", "pgsluice")
    slot_is_free(proxy)
    assert postgres.execute("select count(*) from target", dbname="app") == [(0,)]


def test_client_idle_timeout(sluice):
    proxy = sluice(timeouts={"client_idle": "700ms"})
    with login(proxy) as client:
        for _ in range(4):
            time.sleep(0.3)
            assert client.value("select 1") == "1"
        assert closed_with(client) == ("FATAL", "57P05", "pgsluice")


def test_client_idle_timeout_spares_running_queries_and_transactions(sluice):
    proxy = sluice(timeouts={"client_idle": "500ms"})
    with login(proxy) as client:
        assert client.value("select 'slept' from pg_sleep(1.5)") == "slept"
        hold_server(client)
        time.sleep(1.2)
        assert client.query("select 1")[-1].status == "T"


@pytest.mark.parametrize("where", ["route", "user"])
def test_timeouts_are_overridden_by_route_and_user(sluice, where):
    changes = {"timeouts": {"idle_transaction": "30s"}}
    short = {"timeouts": {"idle_transaction": "500ms"}}
    if where == "route":
        proxy = sluice(**changes, route=short)
    else:
        proxy = sluice(**changes, auth={"users": [{"name": "app", "password": "app-secret", **short}]})
    with login(proxy) as client:
        hold_server(client)
        assert closed_with(client)[1] == "25P03"


def test_zero_means_off(sluice):
    proxy = sluice(timeouts={"query": "300ms"}, route={"timeouts": {"query": 0}})
    with login(proxy) as client:
        assert client.value("select 'slept' from pg_sleep(1)") == "slept"


def test_postgresqls_own_timeouts_pass_through(fresh_target):
    target = fresh_target
    with target.login(idle_in_transaction_session_timeout="400ms") as client:
        hold_server(client)
        assert summaries(client.rest()) == ["E:FATAL:25P03"]
    with target.login(statement_timeout="200ms") as client:
        assert "E:ERROR:57014" in summaries(client.query("select pg_sleep(5)"))
        assert client.value("select 1") == "1"


@pytest.mark.parametrize("startup", [False, True])
def test_a_clients_idle_session_timeout_ends_no_server_that_waits_for_others(sluice, startup):
    proxy = sluice(pool={"size": 1})
    with login(proxy, **({"idle_session_timeout": "200ms"} if startup else {})) as impatient, login(proxy) as other:
        if not startup:
            impatient.query("set idle_session_timeout = '200ms'")
        backend = other.value("select pg_backend_pid()")
        for _ in range(3):
            assert impatient.value("show idle_session_timeout") == "200ms"
            time.sleep(0.4)
            assert other.value("select pg_backend_pid()") == backend
            assert other.value("show idle_session_timeout") == "0"
            assert impatient.value("select pg_backend_pid()") == backend


def test_an_idle_session_timeout_that_servers_begin_with_is_turned_off_by_the_route(sluice, postgres):
    postgres.execute("alter role app set idle_session_timeout = '200ms'")
    try:
        proxy = sluice(pool={"size": 1}, routes=[{"name": "default", "cluster": "main", "parameters": {"idle_session_timeout": "0"}}])
        with login(proxy) as client:
            backend = client.value("select pg_backend_pid()")
            time.sleep(0.6)
            assert client.value("select pg_backend_pid()") == backend
    finally:
        postgres.execute("alter role app reset idle_session_timeout")


def test_server_that_never_answers_its_login(sluice, hostile):
    server = hostile(Startup(), Delay(30))
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": server.port}]}, timeouts={"connect": "700ms"}, pool={"query_wait_timeout": "3s"})
    with WireClient(proxy.address) as client:
        started = time.monotonic()
        seen = client.start("app", "app", "app-secret")
        assert (seen[-1].severity, seen[-1].sqlstate) == ("FATAL", "57P03")
        assert time.monotonic() - started < 6


# --- message sizes ---

def test_messages_over_the_configured_size_are_refused(sluice):
    proxy = sluice(limits={"message_bytes": "64KiB"})
    with login(proxy) as client:
        assert client.value(f"select length('{'x' * 60000}')") == "60000"
        reply = client.query(f"select length('{'x' * 70000}')")
        assert error_in(reply).sqlstate == "54000"
        assert client.value("select 'usable'") == "usable"


def test_a_large_statement_streams_where_no_rule_looks(sluice):
    proxy = sluice(limits={"inspect_bytes": "16KiB"})
    with login(proxy) as client:
        for size in (1000, 20_000, 2_000_000):
            assert client.value(f"select length('{'x' * size}')") == str(size)


def test_a_large_statement_is_refused_where_an_enforcing_rule_looks(sluice):
    proxy = sluice(limits={"inspect_bytes": "16KiB"}, policies=[{"name": "no-drop", "when": {"pattern": "(?i)drop"}, "action": "block"}])
    with login(proxy) as client:
        assert client.value(f"select length('{'x' * 10000}')") == "10000"
        reply = client.query(f"select length('{'x' * 200_000}')")
        assert error_in(reply).sqlstate == "54000" and reply[-1].status == "I"
        assert client.value("select 'usable'") == "usable"
        client.send(m.unnamed("select 1"), m.parse(f"select length('{'x' * 200_000}')"), m.bind(), m.execute(), m.SYNC)
        assert summaries(client.until_ready())[-2:] == ["E:ERROR:54000", "Z:I"]
        client.send(m.parse("select length($1)"), m.bind(values=["y" * 3_000_000]), m.execute(), m.SYNC)
        assert "D:3000000" in summaries(client.until_ready()), "parameters are not statements"
