"""A small protocol client that shows every message and sends whatever bytes it is told to."""
import hashlib
import socket
import ssl
import struct
import time

from . import messages as m
from .scram import Client as ScramClient

TIMEOUT = 10.0


class Closed(Exception):
    """The peer closed the connection (or reset it)."""


class WireClient:
    """One connection. `address` is (host, port) or the path of a Unix socket."""

    def __init__(self, address, timeout: float = TIMEOUT, receive_buffer: int = 0, source: str = ""):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout = timeout
        self.parameters: dict = {}
        self.pid, self.secret = 0, b""
        self._buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- bytes ---

    def send(self, *parts: bytes):
        try:
            self.socket.sendall(b"".join(parts))
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed(str(error)) from error

    def send_slowly(self, data: bytes, step: int = 1, pause: float = 0.0):
        for start in range(0, len(data), step):
            self.send(data[start:start + step])
            if pause:
                time.sleep(pause)

    def receive_bytes(self, count: int) -> bytes:
        while len(self._buffer) < count:
            try:
                chunk = self.socket.recv(1 << 16)
            except (ConnectionError, ssl.SSLError) as error:
                raise Closed(str(error)) from error
            if not chunk:
                raise Closed(f"end of stream with {self._buffer!r} unread" if self._buffer else "end of stream")
            self._buffer += chunk
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def start_tls(self, context: ssl.SSLContext | None = None, server_name: str | None = None):
        self.send(m.SSL_REQUEST)
        answer = self.receive_bytes(1)
        assert answer == b"S", f"SSLRequest was answered {answer!r}"
        self.upgrade(context, server_name)

    def upgrade(self, context: ssl.SSLContext | None = None, server_name: str | None = None):
        assert not self._buffer, "bytes arrived ahead of the TLS handshake"
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=server_name)
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed(str(error)) from error

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST: what a killed host or a middlebox does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # --- messages ---

    def receive(self, timeout: float | None = None) -> m.Message:
        self.socket.settimeout(self.timeout if timeout is None else timeout)
        head = self.receive_bytes(5)
        length = struct.unpack("!i", head[1:])[0]
        assert length >= 4, f"a message with length {length}"
        return m.Message(head[:1].decode("latin-1"), self.receive_bytes(length - 4))

    def receive_until(self, tags: str, timeout: float | None = None) -> list:
        """Messages up to and with the first one whose tag is in `tags`."""
        seen = []
        while not seen or seen[-1].tag not in tags:
            seen.append(self.receive(timeout))
        return seen

    def until_ready(self, count: int = 1, timeout: float | None = None) -> list:
        """Messages up to and with the count-th ReadyForQuery."""
        return [message for _ in range(count) for message in self.receive_until("Z", timeout)]

    def silent_for(self, seconds: float) -> bool:
        """True when nothing arrives; a close counts as something."""
        if self._buffer:
            return False
        self.socket.settimeout(seconds)
        try:
            self._buffer = self.socket.recv(1 << 16)
            return False
        except TimeoutError:
            return True
        except (ConnectionError, ssl.SSLError):
            return False

    def rest(self, timeout: float | None = None) -> list:
        """Every message up to the end of the stream, which must come in time."""
        seen = []
        try:
            while True:
                seen.append(self.receive(timeout))
        except Closed:
            return seen

    # --- conversations ---

    def start(self, user: str, database: str, password: str | None = None, **parameters) -> list:
        """Logs in; returns what followed AuthenticationOk, or everything up to a fatal error."""
        self.send(m.startup({"user": user, "database": database, **parameters}))
        return self.authenticate(user, password)

    def authenticate(self, user: str, password: str | None = None) -> list:
        scram, seen = None, []
        while True:
            message = self.receive()
            seen.append(message)
            if message.tag == "E":
                return seen
            if message.tag == "R":
                kind = struct.unpack("!i", message.body[:4])[0]
                if kind == 3:
                    self.send(m.password(password))
                elif kind == 5:
                    inner = hashlib.md5((password + user).encode()).hexdigest().encode()
                    self.send(m.password(b"md5" + hashlib.md5(inner + message.body[4:8]).hexdigest().encode()))
                elif kind == 10:
                    scram = ScramClient(password)
                    first = scram.first()
                    self.send(m.frame(b"p", m.cstr("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first))
                elif kind == 11:
                    self.send(m.frame(b"p", scram.final(message.body[4:])))
                elif kind == 12:
                    scram.verify(message.body[4:])
            elif message.tag == "S":
                name, value = message.pair
                self.parameters[name] = value
            elif message.tag == "K":
                self.pid, self.secret = struct.unpack("!i", message.body[:4])[0], message.body[4:]
            elif message.tag == "Z":
                return seen

    def query(self, sql, timeout: float | None = None) -> list:
        self.send(m.query(sql))
        return self.until_ready(timeout=timeout)

    def rows(self, sql) -> list:
        return [message.row for message in self.query(sql) if message.tag == "D"]

    def value(self, sql) -> str:
        reply = self.query(sql)
        assert [x.tag for x in reply] == ["T", "D", "C", "Z"], summaries(reply)
        return reply[1].row[0].decode()


def summaries(seen: list, ignore: str = "") -> list:
    return [message.summary() for message in seen if message.tag not in ignore]


def error_in(seen: list) -> m.Message:
    """The only ErrorResponse among these messages."""
    errors = [message for message in seen if message.tag == "E"]
    assert len(errors) == 1, f"expected one error, got {summaries(seen)}"
    return errors[0]
