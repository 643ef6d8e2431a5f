"""The frontend/backend protocol as bytes: builders for what a client sends, a reader for what a server answers.

Builders check nothing, so that tests can also build nonsense.
"""
import struct
from dataclasses import dataclass

PROTOCOL_3_0 = 3 << 16
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSSENC_REQUEST = struct.pack("!ii", 8, 80877104)


def cstr(text) -> bytes:
    return (text if isinstance(text, bytes) else text.encode()) + b"\0"


def frame(tag: bytes, body: bytes = b"") -> bytes:
    return tag + struct.pack("!i", len(body) + 4) + body


def raw_frame(tag: bytes, length: int, body: bytes = b"") -> bytes:
    """A frame whose length field lies."""
    return tag + struct.pack("!I", length & 0xFFFFFFFF) + body


def startup(parameters: dict, version: int = PROTOCOL_3_0) -> bytes:
    body = struct.pack("!i", version)
    for name, value in parameters.items():
        body += cstr(name) + cstr(value)
    body += b"\0"
    return struct.pack("!i", len(body) + 4) + body


def startup_body(body: bytes, version: int = PROTOCOL_3_0, length: int | None = None) -> bytes:
    whole = struct.pack("!i", version) + body
    return struct.pack("!I", (len(whole) + 4 if length is None else length) & 0xFFFFFFFF) + whole


def cancel_request(pid: int, secret: bytes) -> bytes:
    return struct.pack("!iii", 12 + len(secret), 80877102, pid) + secret


def query(sql) -> bytes:
    return frame(b"Q", cstr(sql))


def parse(sql, name="", types=()) -> bytes:
    return frame(b"P", cstr(name) + cstr(sql) + struct.pack("!h", len(types)) + b"".join(struct.pack("!I", t) for t in types))


def bind(statement="", portal="", values=(), formats=(), result_formats=()) -> bytes:
    body = cstr(portal) + cstr(statement) + struct.pack("!h", len(formats))
    body += b"".join(struct.pack("!h", f) for f in formats) + struct.pack("!h", len(values))
    for value in values:
        if value is None:
            body += struct.pack("!i", -1)
        else:
            data = value if isinstance(value, bytes) else str(value).encode()
            body += struct.pack("!i", len(data)) + data
    body += struct.pack("!h", len(result_formats)) + b"".join(struct.pack("!h", f) for f in result_formats)
    return frame(b"B", body)


def describe_statement(name="") -> bytes:
    return frame(b"D", b"S" + cstr(name))


def describe_portal(name="") -> bytes:
    return frame(b"D", b"P" + cstr(name))


def close_statement(name="") -> bytes:
    return frame(b"C", b"S" + cstr(name))


def close_portal(name="") -> bytes:
    return frame(b"C", b"P" + cstr(name))


def execute(portal="", limit=0) -> bytes:
    return frame(b"E", cstr(portal) + struct.pack("!i", limit))


def copy_data(data: bytes) -> bytes:
    return frame(b"d", data)


def copy_fail(text="stop") -> bytes:
    return frame(b"f", cstr(text))


def function_call(oid: int, *values: bytes) -> bytes:
    """Arguments and result in binary format."""
    body = struct.pack("!ihhh", oid, 1, 1, len(values))
    for value in values:
        body += struct.pack("!i", len(value)) + value
    return frame(b"F", body + struct.pack("!h", 1))


def password(text) -> bytes:
    return frame(b"p", cstr(text))


SYNC = frame(b"S")
FLUSH = frame(b"H")
COPY_DONE = frame(b"c")
TERMINATE = frame(b"X")


def unnamed(sql, *values) -> bytes:
    """Parse, Bind, Describe, Execute of one statement, without a Sync."""
    return parse(sql) + bind(values=values) + describe_portal() + execute()


@dataclass(frozen=True)
class Message:
    """One message from a server."""
    tag: str
    body: bytes

    @property
    def fields(self) -> dict:
        """Fields of an ErrorResponse or NoticeResponse by their letter."""
        return {part[:1].decode(): part[1:].decode("utf-8", "replace") for part in self.body.split(b"\0") if part}

    @property
    def sqlstate(self) -> str:
        return self.fields.get("C", "")

    @property
    def text(self) -> str:
        return self.fields.get("M", "")

    @property
    def severity(self) -> str:
        return self.fields.get("V") or self.fields.get("S", "")

    @property
    def command(self) -> str:
        return self.body.rstrip(b"\0").decode()

    @property
    def status(self) -> str:
        return self.body.decode()

    @property
    def pair(self) -> tuple:
        """Name and value of a ParameterStatus."""
        name, value = self.body.split(b"\0")[:2]
        return name.decode(), value.decode()

    @property
    def row(self) -> list:
        """Values of a DataRow."""
        count, position, values = struct.unpack_from("!h", self.body)[0], 2, []
        for _ in range(count):
            size = struct.unpack_from("!i", self.body, position)[0]
            position += 4
            values.append(None if size < 0 else self.body[position:position + size])
            position += max(size, 0)
        return values

    def summary(self) -> str:
        """One word that says what a test compares: no pids, no texts that differ by where the client came from."""
        if self.tag in "EN":
            return f"{self.tag}:{self.severity}:{self.sqlstate}"
        if self.tag == "C":
            return f"C:{self.command}"
        if self.tag == "Z":
            return f"Z:{self.status}"
        if self.tag == "R":
            return f"R{struct.unpack('!i', self.body[:4])[0]}"
        if self.tag == "D":
            return "D:" + ",".join("null" if value is None else value[:40].decode("utf-8", "replace") for value in self.row)
        return self.tag
