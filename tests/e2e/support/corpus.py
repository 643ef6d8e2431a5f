"""Hostile client input: broken frames, broken bodies, right messages at the wrong time.

A case is bytes and the state in which they are sent. What must come back is not written here: PostgreSQL itself is asked.
"""
import struct
from dataclasses import dataclass, field

from . import messages as m

# What brings a fresh session into each state, and how many ReadyForQuery (or which tag) that takes.
STATES = {
    "idle": (b"", ""),
    "transaction": (m.query("begin"), "Z"),
    "failed": (m.query("begin") + m.query("select 1/0"), "ZZ"),
    "copy in": (m.query("copy target from stdin"), "G"),
    "skipping": (m.unnamed("select 1/0") + m.FLUSH, "E"),
    "unsynced": (m.parse("select 1", "s") + m.FLUSH, "1"),
}


@dataclass(frozen=True)
class Case:
    name: str
    data: bytes
    state: str = "idle"
    # The server connection may be lost with this case: PostgreSQL itself ends it, or the client is lost in mid-frame.
    costs_a_server: bool = False
    half_close: bool = field(default=False)


def _i16(value):
    return struct.pack("!H", value & 0xFFFF)


def _i32(value):
    return struct.pack("!I", value & 0xFFFFFFFF)


def lengths():
    """Each length field in turn: too short for itself, negative, huge."""
    for tag in b"BCDEFHPQSXcdfp":
        letter = bytes([tag])
        for length in (0, 1, 3, -1, -2, -(2**31), 2**31 - 1, 0x40000000):
            if letter == b"d" and length == 2**31 - 1:
                continue
            yield Case(f"{letter.decode()} length {length}", m.raw_frame(letter, length))
    for tag in b"HSXcCDE":
        yield Case(f"{chr(tag)} length 10005", m.raw_frame(bytes([tag]), 10005))


def unknown_tags():
    for tag in (0, 1, 0x20, 0x41, 0x52, 0x54, 0x5A, 0x61, 0x71, 0x7F, 0x80, 0xFF):
        yield Case(f"tag {tag:#x}", m.frame(bytes([tag]), b"body\0"))
    yield Case("http", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    yield Case("startup again", m.startup({"user": "trusted", "database": "app"}))
    yield Case("ssl request after login", m.SSL_REQUEST)


def bodies():
    """Right frames around wrong bodies."""
    for tag in b"BCDEFPQ":
        yield Case(f"{chr(tag)} empty", m.frame(bytes([tag])))
        yield Case(f"{chr(tag)} one zero", m.frame(bytes([tag]), b"\0"))
        yield Case(f"{chr(tag)} no end", m.frame(bytes([tag]), b"select"))
    yield Case("Q inner zero", m.frame(b"Q", b"select 1\0select 2\0"))
    yield Case("Q invalid utf-8", m.frame(b"Q", b"select '\xff\xfe'\0"))
    yield Case("Q unfinished string", m.query("select 'abc"))
    yield Case("Q deep nesting", m.query("select " + "(" * 20000 + "1" + ")" * 20000))
    yield Case("S with body", m.frame(b"S", b"x"))
    yield Case("H with body", m.frame(b"H", b"x"))
    yield Case("X with body", m.frame(b"X", b"x"))
    for count in (1, 0x7FFF, 0x8000, 0xFFFF):
        yield Case(f"P type count {count}", m.frame(b"P", b"\0select 1\0" + _i16(count)))
    yield Case("P trailing bytes", m.frame(b"P", b"\0select 1\0" + _i16(0) + b"junk"))
    yield Case("P unknown type", m.parse("select $1", types=[999999]))
    yield Case("P two statements", m.parse("select 1; select 2"))
    for kind in (b"X", b"\0", b"s", b"p"):
        yield Case(f"D kind {kind!r}", m.frame(b"D", kind + b"\0"))
        yield Case(f"C kind {kind!r}", m.frame(b"C", kind + b"\0"))
    yield Case("E no limit", m.frame(b"E", b"\0"))
    yield Case("E negative limit", m.parse("select 1") + m.bind() + m.execute(limit=-1))
    yield Case("E trailing bytes", m.parse("select 1") + m.bind() + m.frame(b"E", b"\0" + _i32(0) + b"x"))
    head = m.parse("select $1::int")
    for name, body in {
        "negative format count": b"\0\0" + _i16(-1), "many formats": b"\0\0" + _i16(3) + _i16(0) * 3 + _i16(1) + _i32(-1) + _i16(0),
        "unknown format": b"\0\0" + _i16(1) + _i16(7) + _i16(1) + _i32(1) + b"1" + _i16(0),
        "no value count": b"\0\0" + _i16(0),
        "negative value count": b"\0\0" + _i16(0) + _i16(-1),
        "too many values": b"\0\0" + _i16(0) + _i16(2) + (_i32(1) + b"1") * 2 + _i16(0),
        "no values": b"\0\0" + _i16(0) + _i16(0) + _i16(0),
        "value length -2": b"\0\0" + _i16(0) + _i16(1) + _i32(-2) + _i16(0),
        "value too long": b"\0\0" + _i16(0) + _i16(1) + _i32(100) + b"1" + _i16(0),
        "value length huge": b"\0\0" + _i16(0) + _i16(1) + _i32(2**31 - 1) + b"1" + _i16(0),
        "no result formats": b"\0\0" + _i16(0) + _i16(1) + _i32(1) + b"1",
        "result format count": b"\0\0" + _i16(0) + _i16(1) + _i32(1) + b"1" + _i16(5),
        "unknown result format": b"\0\0" + _i16(0) + _i16(1) + _i32(1) + b"1" + _i16(1) + _i16(9),
        "trailing bytes": b"\0\0" + _i16(0) + _i16(1) + _i32(1) + b"1" + _i16(0) + b"junk",
        "binary of wrong size": b"\0\0" + _i16(1) + _i16(1) + _i16(1) + _i32(3) + b"abc" + _i16(0),
        "bad text": b"\0\0" + _i16(0) + _i16(1) + _i32(1) + b"x" + _i16(0),
    }.items():
        yield Case(f"B {name}", head + m.frame(b"B", body) + m.execute())
    bool_argument = _i32(1242) + _i16(0) + _i16(1)
    for name, body in {
        "short": _i32(1), "no arguments": _i32(1242) + _i16(0) + _i16(0) + _i16(0), "argument length -2": bool_argument + _i32(-2) + _i16(0),
        "argument too long": bool_argument + _i32(99) + b"x", "trailing bytes": bool_argument + _i32(1) + b"t" + _i16(0) + b"x",
        "unknown function": _i32(999999) + _i16(0) + _i16(0) + _i16(0),
    }.items():
        yield Case(f"F {name}", m.frame(b"F", body))


MESSAGES = {
    "Q": m.query("select 1"), "P": m.parse("select 1", "state"), "B": m.bind("nosuch"), "D": m.describe_statement("nosuch"), "E": m.execute("nosuch"),
    "C": m.close_statement("nosuch"), "H": m.FLUSH, "S": m.SYNC, "d": m.copy_data(b"1\tx\n"), "c": m.COPY_DONE, "f": m.copy_fail(),
    "F": m.function_call(1, b""), "p": m.password("x"), "X": m.TERMINATE, "empty query": m.query(""),
}
# Each other one ends the connection where it stands inside a COPY, or lets the COPY go on, and the query behind it does.
GOOD_IN_COPY = ("c", "f", "X")


def every_message_in_every_state():
    for state in STATES:
        for name, data in MESSAGES.items():
            yield Case(f"{name} in {state}", data, state, costs_a_server=state == "copy in" and name not in GOOD_IN_COPY)


def cut_short():
    """The client goes away inside a message; PostgreSQL has nothing left to answer."""
    whole = {"Q": m.query("select 1"), "P": m.parse("select 1"), "B": m.bind(), "d": m.copy_data(b"1\tx\n")}
    for name, data in whole.items():
        for cut in (1, 4, 5, len(data) - 1):
            yield Case(f"{name} cut at {cut}", data[:cut], "copy in" if name == "d" else "idle", name == "d", half_close=True)


def corpus() -> list:
    return [*lengths(), *unknown_tags(), *bodies(), *every_message_in_every_state(), *cut_short()]


# --- before the login is complete ---

def sasl_initial(mechanism=b"SCRAM-SHA-256\0", length=None, body=b"n,,n=,r=abcdefghijklmnop"):
    return m.frame(b"p", mechanism + _i32(len(body) if length is None else length) + body)


def login_corpus() -> list:
    """Sent in place of the first SASL message; the startup packet went before."""
    cases = [Case(f"{chr(tag)} instead", m.frame(bytes([tag]), b"x\0")) for tag in b"QPBEDCSHXdcfF"]
    cases += [Case(f"p length {length}", m.raw_frame(b"p", length)) for length in (0, 3, -1, 70000, 2**31 - 1)]
    cases += [
        Case("empty", m.frame(b"p")), Case("no zero behind the mechanism", m.frame(b"p", b"SCRAM-SHA-256")),
        Case("unknown mechanism", sasl_initial(b"SCRAM-MD5\0")), Case("plus without tls", sasl_initial(b"SCRAM-SHA-256-PLUS\0")),
        Case("empty mechanism", sasl_initial(b"\0")), Case("no length", m.frame(b"p", b"SCRAM-SHA-256\0")),
        Case("length longer", sasl_initial(length=100)), Case("length shorter", sasl_initial(length=3)), Case("length -2", sasl_initial(length=-2)),
        Case("length max", sasl_initial(length=2**31 - 1)), Case("length 0", sasl_initial(body=b"")),
        Case("inner zero", sasl_initial(body=b"n,,n=,r=abc\0def")), Case("startup again", m.startup({"user": "trusted", "database": "app"})),
        Case("password message", m.password("app-secret")),
    ]
    for body in (b"n", b"n,", b"n,,", b"n,,n=", b"n,,n=,", b"n,,r=abc", b"n,,n=,r=", b"n,a=other,n=,r=abc", b"n,,m=x,n=,r=abc", b"x,,n=,r=abc",
                 b"y,,n=,r=abc", b"p=tls-unique,,n=,r=abc", b"p,,n=,r=abc", b"n,,n=,r=a\x7fb", b"n,,n=,r=a\xffb", b"n,,n=,r=a b", b"n,,n=x,r=abcdefgh,x=y",
                 b",,n=,r=abc", b"n,,n=,n=,r=abc", b"n,,n=,r=" + b"r" * 900, b"n,,n=,r=" + b"r" * 20000):
        cases.append(Case(f"first {body[:24]!r}{len(body)}", sasl_initial(body=body)))
    return cases


def final_corpus() -> list:
    """Sent in place of the second SASL message; %n stands for the nonce of the server."""
    proof = b"A" * 43 + b"="
    bodies_of = [b"", b"c=biws", b"c=biws,r=%n", b"c=biws,p=" + proof, b"r=%n,p=" + proof, b"c=biws,r=wrong,p=" + proof, b"c=,r=%n,p=" + proof,
                 b"c=eSws,r=%n,p=" + proof, b"c=!!!!,r=%n,p=" + proof, b"c=biws,r=%n,p=", b"c=biws,r=%n,p=short", b"c=biws,r=%n,p=!!!!" + proof,
                 b"c=biws,r=%n,p=" + proof, b"c=biws,r=%n,p=" + proof + b",x=y", b"c=biws,r=%n,x=y,p=" + proof, b"c=biws,r=%n,p=" + proof + b"\0",
                 b"c=biws,r=%n\0,p=" + proof, b"p=" + proof + b",c=biws,r=%n", b"c=biws,c=biws,r=%n,p=" + proof, b"c=biws,r=%n,p=" + b"A" * 3000, b"\xff\xfe"]
    cases = [Case(f"final {body[:30]!r}{len(body)}", body) for body in bodies_of]
    return cases
