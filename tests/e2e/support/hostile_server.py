"""A scripted backend. A script is a list of steps played to every connection, one thread each.

    Send(bytes)   Expect("tag")   Startup()   Delay(seconds)   Close()   Reset()   Call(function of the connection)
"""
import socket
import struct
import threading
from dataclasses import dataclass
from typing import Callable

from . import messages as m
from .scram import Server as ScramServer
from .system import free_port


@dataclass
class Send:
    data: bytes


@dataclass
class Expect:
    """Reads frames up to and with one whose tag is in `tags`."""
    tags: str


@dataclass
class Startup:
    """Reads the startup packet; encryption requests in front of it are answered `encryption`."""
    encryption: bytes = b"N"


@dataclass
class Delay:
    seconds: float


@dataclass
class Close:
    pass


@dataclass
class Reset:
    pass


@dataclass
class Call:
    function: Callable


class Connection:
    """What a step sees: the socket and what was read from it."""

    def __init__(self, connected: socket.socket, owner: "HostileServer"):
        self.socket, self.owner = connected, owner
        self.socket.settimeout(30)
        self.startup: dict = {}
        self.frames: list = []
        self.last_body = b""

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self.socket.recv(count - len(data))
            if not chunk:
                raise ConnectionError("end of stream")
            data += chunk
        return data

    def read_startup(self, encryption: bytes):
        while True:
            length, code = struct.unpack("!iI", self.read(8))
            if code in (80877103, 80877104):
                self.socket.sendall(encryption)
                continue
            parts = self.read(length - 8).split(b"\0")
            self.startup = dict(zip(parts[0::2], parts[1::2]))
            if code == 80877102:
                raise ConnectionError("a cancel request")
            return

    def read_frame(self) -> str:
        head = self.read(5)
        self.last_body = self.read(struct.unpack("!i", head[1:])[0] - 4)
        tag = head[:1].decode()
        self.frames.append((tag, self.last_body))
        return tag

    def play(self, step):
        match step:
            case Send(data):
                self.socket.sendall(data)
            case Expect(tags):
                while self.read_frame() not in tags:
                    pass
            case Startup(encryption):
                self.read_startup(encryption)
            case Delay(seconds):
                self.owner.closing.wait(seconds)
            case Reset():
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.socket.close()
                raise ConnectionError
            case Close():
                raise ConnectionError
            case Call(function):
                function(self)


class HostileServer:
    """Plays `script` to every connection, and then waits for the peer to go (or, with a later script, plays that one
    to the second and further connections)."""

    def __init__(self, *script, later: list | None = None):
        self.script, self.later = list(script), later
        self.port = free_port()
        self.closing = threading.Event()
        self.connections: list[Connection] = []
        self.closed_by_peer = 0
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(connected, self)
            self.connections.append(connection)
            script = self.later if self.later is not None and len(self.connections) > 1 else self.script
            threading.Thread(target=self._serve, args=(connection, script), daemon=True).start()

    def _serve(self, connection: Connection, script: list):
        try:
            for step in script:
                connection.play(step)
            while connection.socket.recv(65536):
                pass
            self.closed_by_peer += 1
        except ConnectionResetError:
            self.closed_by_peer += 1
        except OSError:
            pass
        finally:
            connection.socket.close()

    def close(self):
        self.closing.set()
        self._listener.close()
        for connection in self.connections:
            connection.socket.close()


# --- pieces of a well-behaved server, to build scripts from ---

AUTH_OK = m.frame(b"R", struct.pack("!i", 0))
READY = m.frame(b"Z", b"I")
KEY_DATA = m.frame(b"K", struct.pack("!ii", 4242, 1717))
REPORTED = {"server_version": "15.20", "server_encoding": "UTF8", "client_encoding": "UTF8", "application_name": "", "is_superuser": "off",
            "session_authorization": "app", "DateStyle": "ISO, MDY", "IntervalStyle": "postgres", "TimeZone": "UTC",
            "integer_datetimes": "on", "standard_conforming_strings": "on", "default_transaction_read_only": "off",
            "in_hot_standby": "off"}
PARAMETERS = b"".join(m.frame(b"S", m.cstr(name) + m.cstr(value)) for name, value in REPORTED.items())
GREETING = AUTH_OK + PARAMETERS + KEY_DATA + READY

LOGIN = [Startup(), Send(GREETING)]


def row_description(*names: str, count: int | None = None) -> bytes:
    body = struct.pack("!H", len(names) if count is None else count)
    for name in names:
        body += m.cstr(name) + struct.pack("!IhIhih", 0, 0, 25, -1, -1, 0)
    return m.frame(b"T", body)


def data_row(*values: bytes, count: int | None = None, lengths: tuple = ()) -> bytes:
    body = struct.pack("!H", len(values) if count is None else count)
    for number, value in enumerate(values):
        body += struct.pack("!i", lengths[number] if lengths else len(value)) + value
    return m.frame(b"D", body)


def complete(text="SELECT 1") -> bytes:
    return m.frame(b"C", m.cstr(text))


def error(severity="ERROR", sqlstate="XX000", text="made up") -> bytes:
    return m.frame(b"E", b"S" + m.cstr(severity) + b"V" + m.cstr(severity) + b"C" + m.cstr(sqlstate) + b"M" + m.cstr(text) + b"\0")


ANSWER = row_description("x") + data_row(b"good") + complete() + READY


def scram(password: str, iterations: int = 4096, salt: bytes = b"0123456789abcdef", change_first=None, change_final=None) -> list:
    """The server side of SCRAM-SHA-256; change_* may replace the bytes of a server message."""
    state = {}

    def first(connection: Connection):
        connection.socket.sendall(m.frame(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"))
        connection.read_frame()
        mechanism, rest = connection.last_body.split(b"\0", 1)
        state["scram"] = ScramServer(password, iterations, salt)
        message = state["scram"].first(rest[4:])
        connection.socket.sendall(m.frame(b"R", struct.pack("!i", 11) + (change_first(message) if change_first else message)))

    def final(connection: Connection):
        connection.read_frame()
        right, message = state["scram"].final(connection.last_body)
        if not right:
            connection.socket.sendall(error("FATAL", "28P01", "wrong proof"))
            raise ConnectionError
        connection.socket.sendall(m.frame(b"R", struct.pack("!i", 12) + (change_final(message) if change_final else message)))

    return [Startup(), Call(first), Call(final), Send(GREETING)]
