"""TLS on both sides: modes, names, client certificates, reload, and what travels ahead of the handshake."""
import ctypes
import shutil
import socket
import ssl
import time

import psycopg
import pytest

from support import messages as m
from support.certificates import Authority
from support.hostile_server import ANSWER, GREETING, Call, Close, Delay, Expect, Send, Startup, error
from support.man_in_the_middle import ManInTheMiddle
from support.proxy import login
from support.system import eventually, free_port
from support.wire import Closed, WireClient, error_in


@pytest.fixture
def tls_listener(server_certificate, authority):
    def make(mode, **more):
        tls = {"mode": mode, "certificate": str(server_certificate.certificate), "private_key": str(server_certificate.key), **more}
        return {"listeners": [{"address": "127.0.0.1", "port": free_port(), "tls": tls}]}
    return make


def in_use(client) -> bool:
    return client.value("select ssl from pg_stat_ssl where pid = pg_backend_pid()") == "t"


# --- clients ---

@pytest.mark.parametrize("mode", ["prefer", "require"])
@pytest.mark.parametrize("sslmode", ["require", "verify-ca", "verify-full"])
def test_client_with_tls(sluice, tls_listener, authority, mode, sslmode):
    proxy = sluice(**tls_listener(mode))
    with proxy.connect(sslmode=sslmode, sslrootcert=str(authority.certificate)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        assert connection.pgconn.ssl_in_use


def test_prefer_takes_plain_clients_and_require_does_not(sluice, tls_listener):
    with sluice(**tls_listener("prefer")).connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    with WireClient(sluice(**tls_listener("require")).address) as client:
        seen = client.start("app", "app", "app-secret")
        assert [x.tag for x in seen] == ["E"] and seen[0].severity == "FATAL" and seen[0].sqlstate == "28000"


@pytest.mark.parametrize("change", ["an address", "the order"])
def test_a_reload_requires_tls_although_listeners_have_changed(sluice, tls_listener, change):
    plain, other = ({"address": "127.0.0.1", "port": free_port()} for _ in range(2))
    proxy = sluice(listeners=[plain, other])
    login(proxy).close()
    secure = tls_listener("require")["listeners"][0] | {"port": plain["port"]}
    moved = other if change == "the order" else other | {"port": free_port()}
    proxy.reload(changes={"listeners": [moved, secure]})
    with WireClient(("127.0.0.1", plain["port"])) as client:
        seen = client.start("app", "app", "app-secret")
        assert [x.tag for x in seen] == ["E"] and seen[0].sqlstate == "28000"
    with WireClient(("127.0.0.1", other["port"])) as client:
        assert client.start("app", "app", "app-secret")[-1].tag == "Z", "it is as it was"
    if change == "an address":
        told = eventually(lambda: [each["message"] for each in proxy.events("configuration_warning") if "restart" in each["message"]], 5, "a warning")
        assert told == [f"listeners: 127.0.0.1:{other['port']} is closed at a restart only, and stays as it is until then",
                        f"listeners: 127.0.0.1:{moved['port']} is opened at a restart only"]


def test_verify_full_client_refuses_another_name(sluice, authority):
    other = authority.issue("elsewhere.example", hosts=("elsewhere.example",))
    proxy = sluice(listeners=[{"address": "127.0.0.1", "port": free_port(),
                               "tls": {"mode": "require", "certificate": str(other.certificate), "private_key": str(other.key)}}])
    with pytest.raises(psycopg.OperationalError, match="does not match host name"):
        proxy.connect(sslmode="verify-full", sslrootcert=str(authority.certificate))
    with login(proxy, tls="anything") as client:
        assert client.value("select 1") == "1"


def test_client_certificates_are_asked_for_and_checked(sluice, tls_listener, authority, stranger):
    proxy = sluice(**tls_listener("verify-ca", client_ca=str(authority.certificate)))
    good, bad = authority.issue("anyone"), stranger.issue("anyone", file="stranger-anyone")
    with proxy.connect(sslmode="require", sslcert=str(good.certificate), sslkey=str(good.key)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    for options in ({}, {"sslcert": str(bad.certificate), "sslkey": str(bad.key)}):
        with pytest.raises(psycopg.OperationalError):
            proxy.connect(sslmode="require", sslcert=options.get("sslcert", "/nonexistent"), sslkey=options.get("sslkey", "/nonexistent"))
    with WireClient(proxy.address) as client:
        assert client.start("app", "app", "app-secret")[-1].sqlstate == "28000"


def test_verify_full_listener_wants_the_users_name_in_the_certificate(sluice, tls_listener, authority):
    proxy = sluice(**tls_listener("verify-full", client_ca=str(authority.certificate)))
    mine, others = authority.issue("app"), authority.issue("other")
    with proxy.connect(sslmode="require", sslcert=str(mine.certificate), sslkey=str(mine.key)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError):
        proxy.connect(sslmode="require", sslcert=str(others.certificate), sslkey=str(others.key))


def test_cert_method_logs_in_without_a_password(sluice, tls_listener, authority):
    proxy = sluice(**tls_listener("prefer", client_ca=str(authority.certificate)),
                   auth={"rules": [{"tls": "require", "method": "cert", "map": {"robot.example": "other"}, "users": ["other"]},
                                   {"tls": "require", "method": "cert"}]})
    app, robot = authority.issue("app"), authority.issue("robot.example")

    def as_user(user, certificate):
        return proxy.connect(user=user, password="", sslmode="require", sslcert=str(certificate.certificate), sslkey=str(certificate.key))
    with as_user("app", app) as connection:
        assert connection.execute("select current_user").fetchone() == ("app",)
    with as_user("other", robot) as connection:
        assert connection.execute("select current_user").fetchone() == ("other",)
    with pytest.raises(psycopg.OperationalError, match='ertificate authentication failed for user "app"'):
        as_user("app", robot)


def test_rules_can_ask_for_tls(sluice, tls_listener):
    proxy = sluice(**tls_listener("prefer"), auth={"rules": [{"tls": "require", "method": "trust"}]})
    with login(proxy, tls="x") as client:
        assert client.value("select 1") == "1"
    with WireClient(proxy.address) as client:
        assert client.start("app", "app")[-1].sqlstate == "28000"


def test_old_protocol_versions_are_refused(sluice, tls_listener):
    proxy = sluice(**tls_listener("require"))
    for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with WireClient(proxy.address) as client:
            if works:
                client.start_tls(context)
                assert client.start("app", "app", "app-secret")[-1].tag == "Z"
            else:
                with pytest.raises(Closed):
                    client.start_tls(context)
                    client.start("app", "app", "app-secret")


def test_a_plain_connection_where_tls_is_required_counts_as_one_of_tls(sluice, tls_listener):
    proxy = sluice(**tls_listener("require"))
    with WireClient(proxy.address) as client:
        assert client.start("app", "app", "app-secret")[-1].sqlstate == "28000"
    event, = proxy.awaited_events("client_login_failed")
    assert event["reason"] == "tls"
    assert proxy.metrics().sum("pgsluice_login_failures_total", reason="tls") == 1


def test_bytes_ahead_of_the_handshake_are_refused(sluice, tls_listener):
    proxy = sluice(**tls_listener("require"), auth={"rules": [{"method": "trust"}]})
    with WireClient(proxy.address) as client:
        client.send(m.SSL_REQUEST, m.startup({"user": "app", "database": "app"}))
        assert client.receive_bytes(1) == b"S"
        try:
            client.upgrade()
            assert error_in(client.rest()).sqlstate == "08P01"
        except Closed:
            pass
    with login(proxy, tls="x") as client:
        assert client.value("select 1") == "1"


def test_second_ssl_request_inside_tls(target):
    with target.open() as client:
        client.start_tls()
        client.send(m.SSL_REQUEST)
        assert error_in(client.rest()).sqlstate == "0A000"


def test_ssl_after_gssenc_is_negotiated(sluice, tls_listener):
    with WireClient(sluice(**tls_listener("prefer")).address) as client:
        client.send(m.GSSENC_REQUEST)
        assert client.receive_bytes(1) == b"N"
        client.start_tls()
        assert client.start("app", "app", "app-secret")[-1].tag == "Z"


def test_plain_bytes_after_the_answer_s_are_closed(target):
    with target.open() as client:
        client.send(m.SSL_REQUEST)
        assert client.receive_bytes(1) == b"S"
        client.send(m.startup({"user": "trusted", "database": "app"}))
        try:
            while client.receive_bytes(1):
                pass
        except Closed as closed:
            assert "R\\x00\\x00\\x00\\x08" not in str(closed)


@pytest.mark.parametrize("size", [1, 16384, 16385, 1 << 20, 20 << 20])
def test_values_of_many_sizes_over_tls(target, size):
    with target.connect(sslmode="require") as connection:
        value = "t" * size
        assert connection.execute("select %s::text", (value,)).fetchone() == (value,)


def test_pipeline_over_tls(target):
    with target.open() as client:
        client.start_tls()
        client.start("app", "app", "app-secret")
        client.send(*[m.unnamed("select $1::int, repeat('x', 3000)", n) + m.SYNC for n in range(200)])
        rows = [x.row[0] for x in client.until_ready(200) if x.tag == "D"]
        assert rows == [str(n).encode() for n in range(200)]


def test_certificate_reload(sluice, authority, directory):
    first, second = authority.issue("localhost", file="first", hosts=("localhost",)), authority.issue("localhost", file="second", hosts=("localhost",))
    live, key = directory / "live.crt", directory / "live.key"

    def install(certificate):
        shutil.copy(certificate.certificate, live)
        shutil.copy(certificate.key, key)
        key.chmod(0o600)
    install(first)
    proxy = sluice(listeners=[{"address": "127.0.0.1", "port": free_port(),
                               "tls": {"mode": "require", "certificate": str(live), "private_key": str(key)}}])
    with login(proxy, tls="localhost") as old:
        served = serial(proxy, authority)
        install(second)
        proxy.reload()
        assert serial(proxy, authority) != served
        assert old.value("select 'still connected'") == "still connected"
        shutil.copy(first.key, key)  # no longer the certificate's key
        proxy.reload(expect="failure")
        assert serial(proxy, authority) != served
        assert old.value("select 1") == "1"


def test_a_reload_reads_anew_whom_servers_are_vouched_for_by(sluice, authority, directory):
    trusted, stranger = directory / "trusted.crt", Authority(directory, "stranger")
    shutil.copy(stranger.certificate, trusted)
    proxy = sluice(cluster={"tls": {"mode": "verify-full", "ca": str(trusted)}}, pool={"query_wait_timeout": "1s"}, timeouts={"connect_retry": "100ms"})
    with WireClient(proxy.address) as client:
        assert error_in(client.start("app", "app", "app-secret")).fields["S"] == "FATAL"
    shutil.copy(authority.certificate, trusted)
    proxy.reload()
    with eventually(lambda: login(proxy), 5, "a server to be trusted") as client:
        assert in_use(client)


def test_a_reload_shows_servers_the_new_certificate(sluice, authority, directory):
    """Of a role that logs in with nothing else."""
    certificate, key = directory / "shown.crt", directory / "shown.key"

    def install(issued):
        shutil.copy(issued.certificate, certificate)
        shutil.copy(issued.key, key)
        key.chmod(0o600)
    install(authority.issue("somebody else", file="wrong"))
    proxy = sluice(route={"user": "certuser"}, pool={"query_wait_timeout": "1s"}, timeouts={"connect_retry": "100ms"},
                   cluster={"tls": {"mode": "verify-full", "ca": str(authority.certificate), "certificate": str(certificate),
                                    "private_key": str(key)}})
    with WireClient(proxy.address) as client:
        assert error_in(client.start("app", "app", "app-secret")).fields["S"] == "FATAL"
    install(authority.issue("certuser", file="right"))
    proxy.reload()
    with login(proxy) as client:
        assert client.value("select session_user") == "certuser"


def serial(proxy, authority) -> str:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with WireClient(proxy.address) as client:
        client.start_tls(context, "localhost")
        return client.socket.getpeercert()["serialNumber"]


# --- servers ---

@pytest.mark.parametrize("mode, encrypted", [("disable", False), ("allow", False), ("prefer", True), ("require", True),
                                             ("verify-ca", True), ("verify-full", True)])
def test_modes_towards_a_server_with_tls(sluice, authority, mode, encrypted):
    proxy = sluice(cluster={"tls": {"mode": mode, "ca": str(authority.certificate)} if "verify" in mode else {"mode": mode}})
    with login(proxy) as client:
        assert in_use(client) is encrypted


@pytest.mark.parametrize("mode, works", [("disable", True), ("allow", True), ("prefer", True), ("require", False), ("verify-full", False)])
def test_modes_towards_a_server_without_tls(sluice, make_postgres, authority, mode, works):
    own = make_postgres()
    tls = {"mode": mode, "ca": str(authority.certificate)} if "verify" in mode else {"mode": mode}
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": own.port}], "tls": tls},
                   pool={"query_wait_timeout": "3s"})
    if works:
        with login(proxy) as client:
            assert not in_use(client)
    else:
        with pytest.raises(psycopg.Error):
            with proxy.connect() as connection:
                connection.execute("select 1")


@pytest.fixture
def one_way_in(make_postgres, server_certificate, authority):
    """A server with TLS whose pg_hba.conf has a rule for connections of one kind only."""
    def make(kind):
        own = make_postgres(certificate=server_certificate, ca=authority.certificate)
        (own.data / "pg_hba.conf").write_text(f"local all postgres trust\n{kind} all all all scram-sha-256\n")
        own.reload()
        return own
    return make


def towards(own, **tls) -> dict:
    return {"cluster": {"servers": [{"host": "127.0.0.1", "port": own.port}], "tls": tls}, "pool": {"query_wait_timeout": "3s"}}


@pytest.mark.parametrize("mode, kind", [("prefer", "hostnossl"), ("allow", "hostssl")])
def test_a_server_that_has_no_rule_for_the_first_kind_of_connection_gets_the_other(sluice, one_way_in, mode, kind):
    with login(sluice(**towards(one_way_in(kind), mode=mode))) as client:
        assert in_use(client) is (kind == "hostssl")


@pytest.mark.parametrize("mode", ["require", "verify-full"])
def test_what_has_to_be_encrypted_never_goes_on_in_clear(sluice, one_way_in, authority, mode):
    own = one_way_in("hostnossl")
    proxy = sluice(**towards(own, mode=mode, **({"ca": str(authority.certificate)} if mode == "verify-full" else {})))
    with pytest.raises(psycopg.Error):
        with proxy.connect() as connection:
            connection.execute("select 1")
    assert all("SSL encryption" in event["message"] for event in proxy.awaited_events("server_connect_failed"))
    assert "no encryption" not in own.log()


def test_a_role_that_the_server_does_not_let_in_is_tried_once(sluice, postgres):
    """Its refusal behind the authentication says nothing of encryption: 28000 too."""
    proxy = sluice(cluster={"tls": {"mode": "prefer"}}, pool={"query_wait_timeout": "3s"}, auth={"rules": [{"method": "trust"}], "users": [
        {"name": "locked", "password": "locked-secret"}]})
    before = postgres.log().count('role "locked" is not permitted to log in')
    with pytest.raises(psycopg.Error):
        with proxy.connect(user="locked") as connection:
            connection.execute("select 1")
    attempts = len(proxy.awaited_events("server_connect_failed"))
    assert postgres.log().count('role "locked" is not permitted to log in') - before == attempts


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_unknown_authority_is_refused(sluice, stranger, mode):
    proxy = sluice(cluster={"tls": {"mode": mode, "ca": str(stranger.certificate)}}, pool={"query_wait_timeout": "3s"})
    with pytest.raises(psycopg.Error):
        with proxy.connect() as connection:
            connection.execute("select 1")
    eventually(lambda: proxy.events("server_connect_failed"), 5, "the event in the log")
    assert proxy.metrics().sum("pgsluice_server_connect_failures_total", reason="tls") >= 1


def test_verify_full_refuses_another_host_and_verify_ca_does_not(sluice, make_postgres, authority):
    certificate = authority.issue("elsewhere.example", file="elsewhere-server", hosts=("elsewhere.example",))
    own = make_postgres(certificate=certificate)
    config = {"servers": [{"host": "127.0.0.1", "port": own.port}]}
    with login(sluice(cluster={**config, "tls": {"mode": "verify-ca", "ca": str(authority.certificate)}})) as client:
        assert in_use(client)
    proxy = sluice(cluster={**config, "tls": {"mode": "verify-full", "ca": str(authority.certificate)}}, pool={"query_wait_timeout": "3s"})
    with pytest.raises(psycopg.Error):
        with proxy.connect() as connection:
            connection.execute("select 1")


def test_verify_full_is_the_default_on_tcp(sluice, postgres, stranger):
    """No tls key at all: an authority of the test is not in the system's store, so the connection must fail."""
    proxy = sluice(cluster={"tls": None}, pool={"query_wait_timeout": "3s"})
    with pytest.raises(psycopg.Error):
        with proxy.connect() as connection:
            connection.execute("select 1")


def test_cancel_uses_the_same_tls_as_its_connection(sluice, postgres, authority, fault_proxy):
    path = fault_proxy(postgres.address)
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": path.port}],
                            "tls": {"mode": "verify-full", "ca": str(authority.certificate)}})
    with login(proxy) as client:
        client.send(m.query("select pg_sleep(20)"))
        assert client.silent_for(0.3)
        before = len(path.paths)
        with WireClient(proxy.address) as cancel:
            cancel.send(m.cancel_request(client.pid, client.secret))
            assert cancel.rest() == []
        assert error_in(client.until_ready()).sqlstate == "57014"
        assert len(path.paths) == before + 1
        assert path.paths[-1].first_bytes == m.SSL_REQUEST


def test_a_cancel_shakes_hands_as_its_connection_did(sluice, postgres, authority):
    between = ManInTheMiddle(postgres.address, authority.issue("localhost", file="between", hosts=("localhost",)), authority.certificate)
    ours = authority.issue("pgsluice", file="ours")
    proxy = sluice(cluster={"servers": [{"host": "localhost", "port": between.port}],
                            "tls": {"mode": "verify-full", "ca": str(authority.certificate), "certificate": str(ours.certificate),
                                    "private_key": str(ours.key), "channel_binding": "disable"}})
    try:
        with login(proxy) as client:
            client.send(m.query("select pg_sleep(20)"))
            assert client.silent_for(0.3)
            before = len(between.greetings)
            with WireClient(proxy.address) as cancel:
                cancel.send(m.cancel_request(client.pid, client.secret))
                assert cancel.rest() == []
            assert error_in(client.until_ready()).sqlstate == "57014"
        assert len(between.greetings) == before + 1
        assert set(between.greetings) == {("localhost", "pgsluice")}
    finally:
        between.close()


@pytest.mark.parametrize("script", ["answers N", "junk behind S", "error message", "closes", "nonsense"])
def test_servers_that_cheat_at_the_ssl_request(sluice, hostile, authority, script):
    def read8(connection):
        connection.read(8)
    first = {"answers N": [Send(b"N"), Startup(), Send(GREETING), Expect("Q"), Send(ANSWER)],
             "junk behind S": [Send(b"S" + GREETING + ANSWER), Delay(5)],
             "error message": [Send(error("FATAL", "08006", "text from a stranger")), Delay(1)],
             "closes": [Close()], "nonsense": [Send(b"?"), Delay(5)]}[script]
    server = hostile(Call(read8), *first)
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": server.port}], "tls": {"mode": "verify-full", "ca": str(authority.certificate)}},
                   timeouts={"connect": "1s"}, pool={"query_wait_timeout": "3s"})
    with WireClient(proxy.address) as client:
        seen = client.start("app", "app", "app-secret")
        if seen[-1].tag == "Z":
            client.send(m.query("select 1"))
            seen = client.receive_until("EZ")
        assert seen[-1].tag == "E" and seen[-1].fields["R"] == "pgsluice"
        assert "stranger" not in seen[-1].text
    assert not any(tag == "Q" for connection in server.connections for tag, _ in connection.frames)
    assert all(not connection.startup for connection in server.connections), "a name was sent in clear"


def test_both_sides_encrypted_with_scram_and_prepared_statements(sluice, tls_listener, authority):
    proxy = sluice(**tls_listener("require"), cluster={"tls": {"mode": "verify-full", "ca": str(authority.certificate)}})
    with proxy.connect(sslmode="verify-full", sslrootcert=str(authority.certificate)) as connection:
        connection.prepare_threshold = 0
        for n in range(50):
            assert connection.execute("select %s::int, ssl from pg_stat_ssl where pid = pg_backend_pid()", (n,)).fetchone() == (n, True)


class KeyUpdates:
    """A client that shakes hands and then sends key updates, which Python's ssl cannot."""

    def __init__(self, address):
        library = ctypes.CDLL("libssl.so.3")
        for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
            getattr(library, name).restype = ctypes.c_void_p
        self.library = library
        self.socket = socket.create_connection(address)
        self.socket.sendall(m.SSL_REQUEST)
        assert self.socket.recv(1) == b"S"
        context = library.SSL_CTX_new(ctypes.c_void_p(library.TLS_client_method()))
        self.session = ctypes.c_void_p(library.SSL_new(ctypes.c_void_p(context)))
        assert library.SSL_set_fd(self.session, self.socket.fileno()) == 1
        assert library.SSL_connect(self.session) == 1

    def send(self, wants_answer: bool) -> bool:
        return self.library.SSL_key_update(self.session, int(wants_answer)) == 1 and self.library.SSL_do_handshake(self.session) == 1


@pytest.mark.parametrize("wants_answers", [False, True])
def test_a_flood_of_key_updates_ends_its_connection_and_keeps_nobody_waiting(sluice, tls_listener, wants_answers):
    proxy = sluice(workers=1, **tls_listener("prefer"))
    with login(proxy) as other:
        other.value("select 1")
        flood = KeyUpdates(proxy.address)
        slowest, ended = 0.0, False
        for _ in range(200):
            ended = ended or not all(flood.send(wants_answers) for _ in range(100))
            started = time.monotonic()
            assert other.value("select 'alive'") == "alive"
            slowest = max(slowest, time.monotonic() - started)
        assert ended and slowest < 0.5
        flood.socket.close()
