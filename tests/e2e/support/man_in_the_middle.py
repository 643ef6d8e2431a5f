"""Somebody who ends TLS with a certificate of his own and opens another TLS to where the client wanted to go."""
import contextlib
import socket
import ssl
import threading
from pathlib import Path

from . import messages as m
from .certificates import Certificate


def common_name_of(certificate: dict | None) -> str | None:
    return next((value for part in (certificate or {}).get("subject", ()) for name, value in part if name == "commonName"), None)


class ManInTheMiddle:
    """Listens at .port, on 127.0.0.1, and reads everything between a client and `upstream`, which both ask for TLS.

    With `authority` only for who shows a certificate of it. `.greetings`: of each client that shook hands, the name
    that it asked for by SNI and the common name of its certificate.
    """

    def __init__(self, upstream: tuple, certificate: Certificate, authority: Path | None = None):
        self.upstream = upstream
        self._shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._shown.load_cert_chain(certificate.certificate, certificate.key)
        self._shown.sni_callback = self._hear_name
        if authority is not None:
            self._shown.verify_mode = ssl.CERT_REQUIRED
            self._shown.load_verify_locations(authority)
        self.greetings: list[tuple[str | None, str | None]] = []
        self._names: dict[ssl.SSLSocket, str | None] = {}
        self._trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._trusting.check_hostname, self._trusting.verify_mode = False, ssl.CERT_NONE
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.close()

    def _hear_name(self, client: ssl.SSLSocket, name: str | None, _):
        self._names[client] = name

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._stand_between, args=(client,), daemon=True).start()

    def _stand_between(self, client: socket.socket):
        with contextlib.suppress(OSError):
            client.recv(len(m.SSL_REQUEST), socket.MSG_WAITALL)
            client.sendall(b"S")
            client = self._shown.wrap_socket(client, server_side=True)
            self.greetings.append((self._names.pop(client, None), common_name_of(client.getpeercert())))
            server = socket.create_connection(self.upstream, 10)
            server.sendall(m.SSL_REQUEST)
            server.recv(1)
            server = self._trusting.wrap_socket(server)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    @staticmethod
    def _carry(source: ssl.SSLSocket, sink: ssl.SSLSocket):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
