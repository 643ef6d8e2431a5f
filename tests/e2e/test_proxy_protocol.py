"""Behind load balancers: whom a PROXY header names is the client, where the header comes from a listed network."""
import socket
import struct

import pytest

from support import messages as m
from support.system import eventually, free_port
from support.wire import Closed, WireClient

NAMED = "203.0.113.7"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LINE = f"PROXY TCP4 {NAMED} 127.0.0.1 40000 5432\r\n".encode()
BINARY = SIGNATURE + b"\x21\x11" + struct.pack("!H", 12) + socket.inet_aton(NAMED) + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 40000, 5432)
LOCAL = SIGNATURE + b"\x20\x00\0\0"
# For somebody of whom the balancer does not say where he is.
UNNAMED = {"version 1": b"PROXY UNKNOWN\r\n", "version 1 with addresses": b"PROXY UNKNOWN ffff::1 ::1 1 2\r\n",
           "of a Unix socket": SIGNATURE + b"\x21\x31" + struct.pack("!H", 216) + bytes(216), "unspecified": SIGNATURE + b"\x21\x00\0\0"}


@pytest.fixture
def behind_balancer(sluice, server_certificate):
    """A listener that believes headers from 127.0.0.1, and not from 127.0.0.2."""
    def make(**changes):
        tls = {"mode": "prefer", "certificate": str(server_certificate.certificate), "private_key": str(server_certificate.key)}
        listener = {"address": "127.0.0.1", "port": free_port(), "tls": tls, "proxy_protocol": {"from": ["127.0.0.1"]}}
        return sluice(listeners=[listener], **changes)
    return make


def address_in_log(proxy) -> str:
    return eventually(lambda: proxy.events("client_connected"), 5, "the event in the log")[-1]["address"]


@pytest.mark.parametrize("header", [LINE, BINARY], ids=["version 1", "version 2"])
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_named_address_is_the_clients(behind_balancer, header, step):
    proxy = behind_balancer()
    with WireClient(proxy.address) as client:
        client.send_slowly(header + m.startup({"user": "app", "database": "app"}), step)
        assert client.authenticate("app", "app-secret")[-1].tag == "Z"
        assert client.value("select 1") == "1"
        assert address_in_log(proxy) == NAMED


def test_tls_follows_the_header(behind_balancer):
    proxy = behind_balancer()
    with WireClient(proxy.address) as client:
        client.send(BINARY)
        client.start_tls()
        assert client.start("app", "app", "app-secret")[-1].tag == "Z"
        assert address_in_log(proxy) == NAMED


def test_rules_and_limits_see_the_named_address(behind_balancer):
    rules = [{"from": [f"{NAMED}/32"], "method": "scram-sha-256"}, {"method": "reject"}]
    proxy = behind_balancer(auth={"rules": rules}, limits={"connections_per_address": 1})
    with WireClient(proxy.address) as first, WireClient(proxy.address) as second, WireClient(proxy.address) as other:
        first.send(LINE)
        assert first.start("app", "app", "app-secret")[-1].tag == "Z"
        second.send(LINE)
        assert second.start("app", "app", "app-secret")[-1].sqlstate == "53300"
        other.send(LINE.replace(NAMED.encode(), b"203.0.113.8"))
        assert other.start("app", "app", "app-secret")[-1].sqlstate == "28000"


def test_a_host_is_counted_once_however_many_ipv6_addresses_it_has(behind_balancer):
    def line(address: str) -> bytes:
        return f"PROXY TCP6 {address} ::1 40000 5432\r\n".encode()

    proxy = behind_balancer(limits={"connections_per_address": 1})
    with WireClient(proxy.address) as first, WireClient(proxy.address) as second, WireClient(proxy.address) as other:
        first.send(line("2001:db8:0:1::1"))
        assert first.start("app", "app", "app-secret")[-1].tag == "Z"
        second.send(line("2001:db8:0:1:ffff::2"))
        refused = second.start("app", "app", "app-secret")[-1]
        assert (refused.sqlstate, refused.text) == ("53300", 'too many connections for address "2001:db8:0:1::/64"')
        other.send(line("2001:db8:0:2::1"))
        assert other.start("app", "app", "app-secret")[-1].tag == "Z"


def test_balancer_that_speaks_for_itself_keeps_its_address(behind_balancer):
    proxy = behind_balancer()
    with WireClient(proxy.address) as client:
        client.send(LOCAL)
        assert client.start("app", "app", "app-secret")[-1].tag == "Z"
        assert address_in_log(proxy) == "127.0.0.1"


def test_balancer_must_send_a_header(behind_balancer):
    with WireClient(behind_balancer().address) as client, pytest.raises(Closed):
        client.start("app", "app", "app-secret")


def test_nobody_else_is_believed(behind_balancer):
    proxy = behind_balancer()
    with WireClient(proxy.address, source="127.0.0.2") as client, pytest.raises(Closed):
        client.send(LINE)
        client.start("app", "app", "app-secret")
    with WireClient(proxy.address, source="127.0.0.2") as client:
        assert client.start("app", "app", "app-secret")[-1].tag == "Z"
        assert address_in_log(proxy) == "127.0.0.2"


def test_half_a_header_ends_with_the_login_timeout(behind_balancer):
    proxy = behind_balancer(limits={"login_timeout": "300ms"})
    with WireClient(proxy.address) as client, pytest.raises(Closed):
        client.send(LINE[:10])
        client.receive_bytes(1)


@pytest.fixture
def behind_unix_balancer(sluice, directory):
    """Logs in behind a header; by the last message of the login, and the log, one sees as whom."""
    def make(*rules):
        proxy = sluice(listeners=[{"unix": str(directory), "port": 6432, "proxy_protocol": {"from": ["unix"]}}], auth={"rules": [*rules]})

        def attempt(header: bytes) -> str:
            with WireClient(str(directory / ".s.PGSQL.6432")) as client:
                client.send(header)
                last = client.start("app", "app")[-1]
                return "Z" if last.tag == "Z" else last.sqlstate or last.summary()
        return proxy, attempt
    return make


PEER = {"from": ["unix"], "method": "peer", "map": {"root": "app", "postgres": "app"}}


def test_the_owner_of_a_balancers_socket_is_not_the_client(behind_unix_balancer):
    proxy, attempt = behind_unix_balancer(PEER, {"method": "reject"})
    assert attempt(LOCAL) == "Z", "the balancer itself"
    assert attempt(LINE) == "28000"
    assert [event["address"] for event in proxy.awaited_events("client_login_failed")] == [NAMED]


@pytest.mark.parametrize("rule", [PEER, {"from": ["unix"], "method": "trust"}], ids=["peer", "trust"])
@pytest.mark.parametrize("kind", UNNAMED)
def test_a_client_that_a_balancer_does_not_name_is_none_of_its_socket(behind_unix_balancer, rule, kind):
    proxy, attempt = behind_unix_balancer(rule, {"method": "reject"})
    assert attempt(UNNAMED[kind]) == "28000"
    assert [event["address"] for event in proxy.awaited_events("client_login_failed")] == ["[unknown]"]


def test_a_client_that_a_balancer_does_not_name_logs_in_by_a_rule_for_everybody(behind_unix_balancer):
    proxy, attempt = behind_unix_balancer(PEER, {"method": "trust"})
    assert attempt(UNNAMED["version 1"]) == "Z"
    assert address_in_log(proxy) == "[unknown]"


@pytest.mark.parametrize("kind", UNNAMED)
def test_where_a_balancer_has_an_address_it_stands_for_clients_that_it_does_not_name(behind_balancer, kind):
    proxy = behind_balancer()
    with WireClient(proxy.address) as client:
        client.send(UNNAMED[kind])
        assert client.start("app", "app", "app-secret")[-1].tag == "Z"
        assert address_in_log(proxy) == "127.0.0.1"
