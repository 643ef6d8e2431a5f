"""How pgsluice proves itself to servers, and what it refuses from them."""
import base64
import threading
import time

import psycopg
import pytest

from support import messages as m
from support import scram as scram_module
from support.hostile_server import ANSWER, GREETING, Call, Delay, Expect, Send, Startup, scram
from support.proxy import login
from support.system import eventually
from support.wire import WireClient, error_in


@pytest.mark.parametrize("role", ["trusted", "app", "md5user", "plainuser"])
def test_each_method_with_a_configured_password(sluice, role):
    proxy = sluice(route={"user": role, "password": f"{role}-secret"})
    with login(proxy) as client:
        assert client.value("select session_user") == role


def test_certificate(sluice, authority):
    client_certificate = authority.issue("certuser")
    proxy = sluice(route={"user": "certuser"}, cluster={"tls": {"mode": "verify-full", "ca": str(authority.certificate),
                                                               "certificate": str(client_certificate.certificate),
                                                               "private_key": str(client_certificate.key)}})
    with login(proxy) as client:
        assert client.value("select session_user") == "certuser"


def test_password_of_the_cluster_differs_from_the_clients(sluice, postgres):
    """The client's password is checked against auth.users, the server's comes from the route."""
    proxy = sluice(auth={"users": [{"name": "app", "password": "outer"}]}, route={"password": "app-secret"})
    with login(proxy, password="outer") as client:
        assert client.value("select session_user") == "app"


def verifier_of(postgres, role) -> str:
    return postgres.execute("select rolpassword from pg_authid where rolname = %s", (role,))[0][0]


def test_scram_pass_through_survives_reconnects_and_second_logins(sluice, postgres):
    proxy = sluice(auth={"users": [{"name": "app", "password": verifier_of(postgres, "app")}]}, pool={"size": 1})
    for _ in range(3):
        with login(proxy) as client:
            pid = int(client.value("select pg_backend_pid()"))
            postgres.terminate(pid)
            assert int(client.value("select pg_backend_pid()")) != pid


def test_scram_pass_through_needs_the_servers_own_verifier(sluice):
    """Another salt gives another key, which the server refuses: an error, not a hang and not a session."""
    proxy = sluice(auth={"users": [{"name": "app", "password": scram_module.verifier("app-secret")}]})
    with pytest.raises(psycopg.Error):
        with proxy.connect() as connection:
            connection.execute("select 1")


def test_wrong_configured_password_is_one_fatal_and_no_hang(sluice):
    proxy = sluice(route={"password": "wrong"})
    started = time.monotonic()
    with WireClient(proxy.address) as client:
        seen = client.start("app", "app", "app-secret")
        if seen[-1].tag == "Z":
            client.send(m.query("select 1"))
            seen = client.rest()
        error = error_in(seen)
        assert error.severity == "FATAL"
    assert time.monotonic() - started < 8
    assert proxy.awaited_events("server_connect_failed")


@pytest.mark.parametrize("users, role", [([], "app"), ([{"name": "app", "password": scram_module.verifier("app-secret")}], "app"), ([], "plainuser")],
                         ids=["none", "verifier", "in clear"])
def test_a_server_that_asks_for_what_pgsluice_lacks_is_told_as_a_failed_login(sluice, users, role):
    """Somebody whom a rule lets in without a password leaves nothing to log in with: that is no server out of reach."""
    proxy = sluice(auth={"rules": [{"method": "trust"}], "users": users})
    with WireClient(proxy.address) as client:
        error = error_in(client.start(role, "app"))
    assert (error.severity, error.sqlstate) == ("FATAL", "28P01")
    assert error.text == "pgsluice lacks the credentials to log in to the server as this user"
    eventually(lambda: proxy.metrics().sum("pgsluice_login_failures_total", reason="server_rejected") == 1, 5, "the failure to be counted")
    assert proxy.metrics().sum("pgsluice_server_connect_failures_total", reason="authentication") >= 1


# --- servers that lie while they authenticate ---

def behind(sluice, server, **options):
    return sluice(cluster={"servers": [{"host": "127.0.0.1", "port": server.port}]}, timeouts={"connect": "2s", "connect_retry": "200ms"},
                  pool={"query_wait_timeout": "4s"}, **options)


def fails(proxy, within=10.0) -> str:
    """The SQLSTATE of the one error that a client gets."""
    started = time.monotonic()
    with WireClient(proxy.address, timeout=within) as client:
        seen = client.start("app", "app", "app-secret")
        if seen[-1].tag == "Z":
            client.send(m.query("select 1"))
            seen = client.receive_until("EZ")
        assert seen[-1].tag == "E", [x.summary() for x in seen]
        assert time.monotonic() - started < within
        return seen[-1].sqlstate


def test_an_honest_scripted_scram_server_is_accepted(sluice, hostile):
    """The control: the scripted server works when nothing is changed in its messages."""
    server = hostile(*scram("app-secret"), Expect("Q"), Send(ANSWER), Expect("Q"), Send(ANSWER))
    with login(behind(sluice, server)) as client:
        assert client.rows("select 1") == [[b"good"]]


@pytest.mark.parametrize("iterations", [0, -1, 2**31 - 1, 99999999999])
def test_hostile_iteration_counts_are_refused_at_once(sluice, hostile, iterations):
    def change(message):
        head, _ = message.decode().rsplit(",i=", 1)
        return f"{head},i={iterations}".encode()
    server = hostile(*scram("app-secret", change_first=change))
    proxy = behind(sluice, server)
    assert fails(proxy)
    assert proxy.process.poll() is None


def test_hostile_iterations_do_not_slow_other_clients(sluice, hostile, postgres):
    server = hostile(*scram("app-secret", iterations=2**31 - 1))
    proxy = sluice(workers=1, clusters={"bad": {"servers": [{"host": "127.0.0.1", "port": server.port}], "tls": {"mode": "disable"}}},
                   routes=[{"name": "bad", "match": {"databases": ["bad"]}, "cluster": "bad"},
                           {"name": "default", "match": {}, "cluster": "main"}])
    thread = threading.Thread(target=lambda: pytest.raises(Exception, fails_on, proxy, "bad"))
    with login(proxy) as client:
        client.query("select 1")
        thread.start()
        slowest = 0.0
        for _ in range(200):
            started = time.perf_counter()
            client.query("select 1")
            slowest = max(slowest, time.perf_counter() - started)
        thread.join(30)
    assert slowest < 0.5


def fails_on(proxy, database):
    with WireClient(proxy.address, timeout=20) as client:
        seen = client.start("app", database, "app-secret")
        assert seen[-1].tag == "Z"
        client.send(m.query("select 1"))
        assert client.receive_until("EZ")[-1].tag == "Z"


def wrong_signature(message: bytes) -> bytes:
    return b"v=" + base64.b64encode(b"\0" * 32)


@pytest.mark.parametrize("change", [wrong_signature, lambda message: b"v=", lambda message: b"", lambda message: b"e=other-error",
                                    lambda message: message + b"x"], ids=["wrong", "no value", "empty", "error", "longer"])
def test_a_wrong_server_signature_is_refused(sluice, hostile, change):
    server = hostile(*scram("app-secret", change_final=change), Expect("Q"), Send(ANSWER))
    proxy = behind(sluice, server)
    assert fails(proxy)
    assert all(tag == "p" for connection in server.connections for tag, _ in connection.frames), "a query reached an unproven server"


@pytest.mark.parametrize("first", [b"", b"r=", b"r=x", b"r=short,s=AAAA,i=4096", b"s=AAAA,i=4096", b"r=%s,s=!!!!,i=4096", b"r=%s,s=,i=4096",
                                   b"r=%s,i=4096", b"r=%s,s=AAAA", b"r=%s,s=AAAA,i=", b"r=%s,s=AAAA,i=4096x", b"m=ext,r=%s,s=AAAA,i=4096",
                                   b"r=%s" + b"n" * 65536 + b",s=AAAA,i=4096", b"r=%s,s=" + b"A" * 65536 + b",i=4096", b"\0\xff\xfe"])
def test_malformed_server_first_messages_are_refused(sluice, hostile, first):
    def change(message):
        nonce = message.split(b",")[0][2:]
        return first.replace(b"%s", nonce)
    server = hostile(*scram("app-secret", change_first=change))
    proxy = behind(sluice, server)
    assert fails(proxy)
    assert proxy.process.poll() is None


def test_authentication_ok_without_proof_is_refused_in_mid_scram(sluice, hostile):
    """A server that asks for SCRAM and then skips its signature has not proven that it knows the password."""
    def skip(connection):
        connection.socket.sendall(m.frame(b"R", b"\0\0\0\x0aSCRAM-SHA-256\0\0"))
        connection.read_frame()
    server = hostile(Startup(), Call(skip), Send(GREETING), Expect("Q"), Send(ANSWER))
    assert fails(behind(sluice, server))
    assert not any(tag == "Q" for connection in server.connections for tag, _ in connection.frames)


@pytest.mark.parametrize("request_body", [b"\0\0\0\x07", b"\0\0\0\x09", b"\0\0\0\x63", b"\0\0\0\x0aSCRAM-FUTURE\0\0", b"\0\0\0\x0a\0", b"\0\0"],
                         ids=["gss", "sspi", "unknown", "unknown mechanism", "no mechanism", "short"])
def test_unknown_authentication_requests_are_refused(sluice, hostile, request_body):
    server = hostile(Startup(), Send(m.frame(b"R", request_body)), Delay(10))
    assert fails(behind(sluice, server))


def test_pass_through_key_is_not_given_to_a_server_that_asks_for_a_password(sluice, hostile):
    server = hostile(Startup(), Send(m.frame(b"R", b"\0\0\0\x03")), Delay(5))
    proxy = behind(sluice, server, auth={"users": [{"name": "app", "password": scram_module.verifier("app-secret")}]})
    assert fails(proxy)
    assert not any(b"app-secret" in body for connection in server.connections for _, body in connection.frames)
