"""Connections to the endpoint of metrics, health and the API, as `admin.http` of a configuration says."""
import contextlib
import http.client
import socket
import ssl

from support.console import CONSOLE
from support.system import free_port

TOKEN = "a-token-of-this-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def address_of(endpoint) -> tuple:
    """Host and port of the value of `admin.http`, which has a short form."""
    if isinstance(endpoint, str):
        host, _, port = endpoint.rpartition(":")
        return host.strip("[]"), int(port)
    return endpoint.get("address", "127.0.0.1"), endpoint.get("port", 9930)


def connect_http(endpoint, timeout: float = 5) -> http.client.HTTPConnection:
    """Over TCP where that is served, else over the Unix socket; whatever certificate is there is believed."""
    host, port = address_of(endpoint)
    if not host:
        return UnixConnection(endpoint["unix"], timeout)
    if isinstance(endpoint, dict) and "tls" in endpoint:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, port, timeout=timeout)


def with_http(sluice, http=None, **changes):
    """A daemon with a console and an endpoint whose token is TOKEN."""
    endpoint = {"address": "127.0.0.1", "port": free_port(), "token": TOKEN, **(http or {})}
    return sluice(admin={**CONSOLE, "http": endpoint}, **changes)


def by_unix(path, target="/api/overview", **headers):
    with contextlib.closing(UnixConnection(str(path), 5)) as connection:
        connection.request("GET", target, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()


def keys(value):
    """The shape of a value: members of objects, and what all items of a list have in common."""
    if isinstance(value, dict):
        return {key: keys(each) for key, each in value.items()}
    if isinstance(value, list):
        shapes = [keys(each) for each in value]
        assert all(shape == shapes[0] for shape in shapes), value
        return shapes[:1]
    return None
