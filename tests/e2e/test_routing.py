"""Which server, database and user a client gets."""
import subprocess
import time

import psycopg
import pytest

from support import messages as m
from support.hostile_server import ANSWER, AUTH_OK, KEY_DATA, READY, REPORTED, Expect, Send, Startup, complete, data_row, row_description
from support.proxy import hold_server, login
from support.system import eventually, free_port, run
from support.wire import WireClient, summaries


def where(client) -> tuple:
    return client.value("select current_database()"), client.value("select session_user")


def route(name, database="app", user="app", match=None, **more):
    return {"name": name, "match": match or {}, "cluster": "main", "database": database, "user": user, "password": f"{user}-secret", **more}


def test_by_database_and_user_with_rewriting(sluice):
    proxy = sluice(routes=[route("logical", "app", "other", {"databases": ["orders", "billing"], "users": ["app"]}),
                           route("rest", "other", "trusted", {"databases": ["*"]})])
    for database, user, expected in (("orders", "app", ("app", "other")), ("billing", "app", ("app", "other")),
                                     ("orders", "other", ("other", "trusted")), ("anything", "app", ("other", "trusted"))):
        with login(proxy, user, database) as client:
            assert where(client) == expected


def test_by_application_name(sluice):
    proxy = sluice(routes=[route("checkout", "other", match={"applications": ["checkout"]}), route("rest", "app")])
    with login(proxy, application_name="checkout") as client:
        assert where(client)[0] == "other"
    with login(proxy, application_name="else") as client:
        assert where(client)[0] == "app"
    with login(proxy) as client:
        assert where(client)[0] == "app"


def test_by_client_network(sluice):
    proxy = sluice(routes=[route("near", "other", match={"from": ["127.0.0.8/29"]}), route("rest", "app")])
    for source, database in (("127.0.0.9", "other"), ("127.0.0.15", "other"), ("127.0.0.16", "app"), ("127.0.0.7", "app")):
        with login(proxy, source=source) as client:
            assert where(client)[0] == database


def test_by_sni(sluice, server_certificate):
    listener = {"address": "127.0.0.1", "port": free_port(), "tls": {"mode": "prefer", "certificate": str(server_certificate.certificate),
                                                                    "private_key": str(server_certificate.key)}}
    proxy = sluice(listeners=[listener], routes=[route("orders", "other", match={"sni": ["orders.db.internal"]}), route("rest", "app")])
    with login(proxy, tls="orders.db.internal") as client:
        assert where(client)[0] == "other"
    with login(proxy, tls="billing.db.internal") as client:
        assert where(client)[0] == "app"
    with login(proxy) as client:
        assert where(client)[0] == "app"


def test_first_match_wins(sluice):
    proxy = sluice(routes=[route("first", "other", match={"users": ["*"]}), route("never", "app", match={"users": ["app"]})])
    with login(proxy) as client:
        assert where(client)[0] == "other"


def test_no_route_is_told_after_authentication_only(sluice):
    proxy = sluice(routes=[route("only", match={"databases": ["app"]})])
    with WireClient(proxy.address) as client:
        seen = client.start("app", "nosuch", "app-secret")
        assert (seen[-1].severity, seen[-1].sqlstate, seen[-1].text) == ("FATAL", "3D000", 'database "nosuch" does not exist')
        assert [x.summary() for x in seen[:3]] == ["R10", "R11", "R12"]
    with WireClient(proxy.address) as client:
        assert client.start("app", "nosuch", "wrong")[-1].sqlstate == "28P01"


# --- several servers ---

def server_of(client) -> int:
    return int(client.value("select setting from pg_settings where name = 'port'"))


def servers(*list_of) -> dict:
    return {"servers": [{"host": "127.0.0.1", "port": server.port} for server in list_of]}


class Dead:
    """Nothing listens there."""
    def __init__(self):
        self.port = free_port()


def test_servers_are_tried_in_order(sluice, postgres):
    proxy = sluice(cluster=servers(Dead(), Dead(), postgres))
    with login(proxy) as client:
        assert server_of(client) == postgres.port


def test_random_uses_every_server(sluice, postgres, make_postgres):
    second = make_postgres()
    proxy = sluice(cluster={**servers(postgres, second), "load_balance_hosts": "random"}, pool={"size": 20})
    clients = [login(proxy) for _ in range(16)]
    for client in clients:
        hold_server(client)
    found = {server_of(client) for client in clients}
    assert found == {postgres.port, second.port}
    for client in clients:
        client.close()


def test_no_server_reachable_is_57p03(sluice):
    proxy = sluice(cluster=servers(Dead()), timeouts={"connect": "1s"}, pool={"query_wait_timeout": "3s"})
    with WireClient(proxy.address) as client:
        seen = client.start("app", "app", "app-secret")
        assert (seen[-1].severity, seen[-1].sqlstate, seen[-1].fields["R"]) == ("FATAL", "57P03", "pgsluice")


def test_libpq_tries_its_next_host(sluice, postgres):
    """57P03 makes libpq go on, so a service may list two proxies."""
    proxy = sluice(cluster=servers(Dead()), timeouts={"connect": "1s"}, pool={"query_wait_timeout": "3s"})
    host, port = proxy.address
    with psycopg.connect(host=f"{host},127.0.0.1", port=f"{port},{postgres.port}", user="app", password="app-secret", dbname="app") as direct:
        assert direct.execute("select 1").fetchone() == (1,)


def test_a_black_hole_costs_one_connect_timeout_per_retry_time(sluice, postgres, fault_proxy):
    hole = fault_proxy(postgres.address)
    hole.stall()
    proxy = sluice(cluster=servers(hole, postgres), timeouts={"connect": "700ms", "connect_retry": "30s"}, pool={"size": 4})
    started = time.monotonic()
    with login(proxy) as first:
        assert server_of(first) == postgres.port
        assert time.monotonic() - started < 3
        started = time.monotonic()
        hold_server(first)
        with login(proxy) as second:
            hold_server(second)
            with login(proxy, user="other") as third:
                assert server_of(third) == postgres.port
        assert time.monotonic() - started < 0.6


def test_server_that_comes_back_is_used_again(sluice, make_postgres):
    own = make_postgres()
    proxy = sluice(cluster=servers(own), timeouts={"connect": "1s", "connect_retry": "200ms"}, pool={"query_wait_timeout": "8s"})
    with login(proxy) as client:
        client.query("select 1")
    own.stop()
    with pytest.raises(psycopg.Error):
        with proxy.connect() as connection:
            connection.execute("select 1")
    own.start()

    def works():
        try:
            with proxy.connect() as connection:
                return connection.execute("select 1").fetchone() == (1,)
        except psycopg.Error:
            return False
    eventually(works, 10, "the server to be used again", 0.2)


def test_error_of_the_server_at_its_login_reaches_the_client(sluice, postgres):
    """A role with a connection limit: PostgreSQL's 53300, not one of ours."""
    proxy = sluice(pool={"size": 3, "query_wait_timeout": "3s"}, route={"user": "limited", "password": "limited-secret"},
                   timeouts={"connect_retry": "200ms"})
    with postgres.connect(dbname="app", user="limited", host="127.0.0.1", password="limited-secret"):
        with pytest.raises(psycopg.Error) as caught:
            with proxy.connect() as connection:
                connection.execute("select 1")
        assert 'too many connections for role "limited"' in str(caught.value)


# --- roles ---

@pytest.fixture
def primary_and_standby(make_postgres, directory):
    primary = make_postgres("primary")
    standby = primary.make_standby(directory, "standby")
    standby.start()
    yield primary, standby
    standby.stop()


def test_target_session_attrs(sluice, primary_and_standby):
    primary, standby = primary_and_standby
    wanted = {"any": standby, "read-write": primary, "read-only": standby, "primary": primary, "standby": standby, "prefer-standby": standby}
    routes = [route(f"r-{name}", match={"databases": [name]}, target_session_attrs=name) for name in wanted]
    proxy = sluice(cluster=servers(standby, primary), routes=routes)
    for name, server in wanted.items():
        with login(proxy, database=name) as client:
            assert server_of(client) == server.port, name
    failures = lambda: proxy.metrics().sum("pgsluice_server_connect_failures_total")  # noqa: E731
    assert failures() == 0, "to pass one over for another is no failure"
    standby.stop()
    with login(proxy, database="prefer-standby") as client:
        assert eventually(lambda: works(client), 8) and server_of(client) == primary.port
    standby.start()


def works(client):
    return client.query("select 1")[-1].tag == "Z"


def test_readers_leave_a_standby_that_is_promoted(sluice, primary_and_standby):
    primary, standby = primary_and_standby
    proxy = sluice(cluster=servers(standby, primary), route={"target_session_attrs": "read-only"}, pool={"size": 1, "query_wait_timeout": "1s"},
                   timeouts={"connect_retry": "200ms"})

    def is_refused():
        try:
            with proxy.connect() as connection:
                connection.execute("select 1")
        except psycopg.OperationalError as error:
            assert "no server is reachable" in str(error)
            return True
        return False

    assert not is_refused()
    standby.promote()
    eventually(is_refused, 8, "nobody to read where writes are taken", 0.2)
    assert proxy.metrics().sum("pgsluice_server_closes_total", reason="wrong_role") == 1


def test_promotion_moves_writers_to_the_new_primary(sluice, primary_and_standby):
    primary, standby = primary_and_standby
    proxy = sluice(cluster=servers(primary, standby), route={"target_session_attrs": "read-write"},
                   timeouts={"connect": "1s", "connect_retry": "200ms"}, pool={"query_wait_timeout": "8s"})
    with login(proxy) as client:
        assert server_of(client) == primary.port
    primary.stop()
    standby.promote()
    started = time.monotonic()
    with login(proxy) as client:
        assert server_of(client) == standby.port
    assert time.monotonic() - started < 5


def test_a_server_that_turns_read_only_is_dropped_at_check_in(sluice, postgres, make_postgres):
    own = make_postgres()
    proxy = sluice(cluster=servers(own, postgres), route={"target_session_attrs": "read-write"}, pool={"size": 1})
    with login(proxy) as client:
        assert server_of(client) == own.port
        own.reload(default_transaction_read_only="on")
        client.query("select 1")
        assert eventually(lambda: server_of(client) == postgres.port, 5)


def test_a_client_that_sets_itself_read_only_says_nothing_of_the_server(sluice):
    proxy = sluice(route={"target_session_attrs": "read-write"}, pool={"size": 1}, workers=1)
    show = "show default_transaction_read_only"
    with login(proxy) as reader, login(proxy) as writer, login(proxy, options="-c default_transaction_read_only=on") as born_reader:
        reader.query("set default_transaction_read_only = on")
        pid = reader.value("select pg_backend_pid()")
        for _ in range(5):
            assert (reader.value(show), writer.value(show), born_reader.value(show)) == ("on", "off", "on")
            assert [x.sqlstate for x in reader.query("insert into target values (1)") if x.tag == "E"] == ["25006"]
            assert summaries(writer.query("insert into target values (1)"))[0] == "C:INSERT 0 1"
        assert writer.value("select pg_backend_pid()") == pid
    assert proxy.metrics().sum("pgsluice_server_closes_total", reason="wrong_role") == 0


@pytest.mark.parametrize("wanted, accepted", [("read-write", False), ("standby", True), ("any", True)])
def test_a_server_that_does_not_report_its_role_is_asked(sluice, postgres, hostile, wanted, accepted):
    """PostgreSQL 13 reports neither in_hot_standby nor default_transaction_read_only."""
    reported = b"".join(m.frame(b"S", m.cstr(name) + m.cstr(value)) for name, value in REPORTED.items()
                        if name not in ("in_hot_standby", "default_transaction_read_only"))
    in_recovery = row_description("a", "b") + data_row(b"t", b"off") + complete() + READY
    questions = [] if wanted == "any" else [Expect("Q"), Send(in_recovery)]
    old = hostile(Startup(), Send(AUTH_OK + reported + KEY_DATA + READY), *questions, Expect("Q"), Send(ANSWER))
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": old.port}, {"host": "127.0.0.1", "port": postgres.port}],
                            "tls": {"mode": "disable"}}, route={"target_session_attrs": wanted}, pool={"size": 1})
    with login(proxy) as client:
        assert client.value("select 'real'") == ("good" if accepted else "real")
    asked = [body for tag, body in old.connections[0].frames if b"pg_is_in_recovery" in body]
    assert len(asked) == (0 if wanted == "any" else 1)


def test_server_shutting_down_sends_its_clients_to_the_next_one(sluice, postgres, make_postgres):
    own = make_postgres()
    proxy = sluice(cluster=servers(own, postgres), pool={"size": 2}, timeouts={"connect": "1s"})
    with login(proxy) as client:
        assert server_of(client) == own.port
        own.stop()
        assert server_of(client) == postgres.port


def test_reload_that_changes_the_hosts_under_pgbench_loses_nothing(sluice, postgres, make_postgres, directory):
    """Every client moves at its next transaction; pgbench sees no error."""
    own = make_postgres()
    proxy = sluice(cluster=servers(own), pool={"size": 4})
    script = directory / "bench.sql"
    script.write_text("begin;\nselect count(*) from numbers;\nselect pg_sleep(0.002);\ncommit;\n")
    host, port = proxy.address
    environment = {"PGHOST": host, "PGPORT": str(port), "PGUSER": "app", "PGPASSWORD": "app-secret", "PGDATABASE": "app", "PATH": "/usr/bin:/bin"}
    bench = subprocess.Popen(["pgbench", "-n", "-f", str(script), "-M", "prepared", "-c", "10", "-j", "10", "-T", "6"], env=environment,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for target_server in (postgres, own, postgres):
        time.sleep(1.2)
        proxy.reload(changes={"clusters": {"main": servers(target_server)}})
    out, errors = bench.communicate(timeout=40)
    assert bench.returncode == 0, errors
    assert "number of failed transactions: 0" in out and "aborted" not in errors, out + errors
    eventually(lambda: not own.backends(), 10, "the old servers to be closed")
    with login(proxy) as client:
        assert server_of(client) == postgres.port


def test_unix_socket_server(sluice, postgres):
    proxy = sluice(cluster={"servers": [{"host": str(postgres.socket_directory), "port": postgres.port}], "tls": None})
    with login(proxy) as client:
        assert client.value("select inet_server_addr() is null") == "t"


def test_psql_by_uri(sluice):
    host, port = sluice().address
    done = run(["psql", "-XAt", f"postgresql://app:app-secret@{host}:{port}/app?application_name=uri", "-c", "show application_name"])
    assert done.stdout == "uri\n", done.stderr


def test_a_host_name_is_resolved(sluice, postgres):
    proxy = sluice(cluster={"servers": [{"host": "localhost", "port": postgres.port}]})
    with login(proxy) as client:
        assert client.value("select 1") == "1"


def test_an_unknown_host_name_is_an_error_in_time(sluice):
    proxy = sluice(cluster={"servers": [{"host": "nosuch.invalid", "port": 5432}]}, timeouts={"connect": "2s"}, pool={"query_wait_timeout": "4s"})
    with WireClient(proxy.address) as client:
        client.send(m.startup({"user": "trusted", "database": "app"}))
        client.timeout = 12
        assert client.authenticate("trusted")[-1].sqlstate == "57P03"
