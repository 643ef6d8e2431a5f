"""TLS from the first byte on (libpq's sslnegotiation=direct), which saves a round trip."""
import socket
import ssl

import pytest

from support import messages as m
from support.system import eventually, free_port
from support.wire import Closed, WireClient


@pytest.fixture
def tls_proxy(sluice, server_certificate):
    def make(mode="prefer"):
        tls = {"mode": mode, "certificate": str(server_certificate.certificate), "private_key": str(server_certificate.key)}
        return sluice(listeners=[{"address": "127.0.0.1", "port": free_port(), "tls": tls}])
    return make


def context(*protocols) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    if protocols:
        made.set_alpn_protocols(list(protocols))
    return made


@pytest.mark.parametrize("mode", ["prefer", "require"])
def test_client_logs_in_and_cancels(tls_proxy, postgres, mode):
    proxy = tls_proxy(mode)
    with WireClient(proxy.address) as client:
        client.upgrade(context("postgresql"))
        assert client.socket.selected_alpn_protocol() == "postgresql"
        assert client.start("app", "app", "app-secret")[-1].tag == "Z"
        assert client.value("select 1") == "1"
        client.send(m.query("select pg_sleep(30)"))
        eventually(lambda: postgres.backends(user="app", state="active"), 5, "the query to run")
        with WireClient(proxy.address) as cancel:
            cancel.upgrade(context("postgresql"))
            cancel.send(m.cancel_request(client.pid, client.secret))
        assert [x.sqlstate for x in client.until_ready() if x.tag == "E"] == ["57014"]


def test_an_ssl_request_inside_is_answered_no(tls_proxy):
    with WireClient(tls_proxy().address) as client:
        client.upgrade(context("postgresql"))
        client.send(m.SSL_REQUEST)
        assert client.receive_bytes(1) == b"N"
        assert client.start("app", "app", "app-secret")[-1].tag == "Z"


# A browser could otherwise be made to send what it was told to a database.
@pytest.mark.parametrize("protocols", [[], ["http/1.1"]])
def test_client_that_does_not_ask_for_postgresql_is_closed(tls_proxy, protocols):
    proxy = tls_proxy()
    with WireClient(proxy.address) as client:
        client.upgrade(context(*protocols))
        with pytest.raises(Closed):
            client.start("app", "app", "app-secret")
    told = eventually(lambda: proxy.events("client_login_failed"), 5, "the event in the log")
    assert "ALPN" in told[0]["message"]


def test_hello_in_pieces(tls_proxy):
    with WireClient(tls_proxy().address) as client:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context("postgresql").wrap_bio(incoming, outgoing)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        client.send_slowly(outgoing.read(), step=50, pause=0.01)
        assert client.receive_bytes(1) == b"\x16"


def test_where_tls_is_off_a_hello_is_no_packet(sluice):
    with socket.create_connection(sluice().address, 5) as client, pytest.raises(OSError):
        context("postgresql").wrap_socket(client)
