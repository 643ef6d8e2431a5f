#!/usr/bin/env python3
"""Thousands of clients at the same moment, in a process of their own:

    crowd_program.py storm COUNT HOST PORT SOURCE USER DATABASE PASSWORD
    crowd_program.py halves COUNT HOST PORT SOURCE

Answers are lines of JSON. A storm tells what became of each login, and keeps those that are in until standard input ends. Halves,
one a half startup packet, the next half a TLS hello, say when all are connected, and when all were closed how long each had."""
import asyncio
import collections
import functools
import json
import ssl
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from support import messages as m
from support import scram

# Derived once: the load is meant for the other side.
scram.Keys = functools.lru_cache(scram.Keys)


class Refused(Exception):
    """By an ErrorResponse; its SQLSTATE."""


async def receive(reader) -> m.Message:
    head = await reader.readexactly(5)
    message = m.Message(head[:1].decode(), await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4))
    if message.tag == "E":
        raise Refused(message.sqlstate)
    return message


async def log_in(reader, writer, user, database, password):
    exchange = scram.Client(password)
    writer.write(m.startup({"user": user, "database": database}))
    while (message := await receive(reader)).tag != "Z":
        kind = struct.unpack("!i", message.body[:4])[0] if message.tag == "R" else 0
        if kind == 10:
            first = exchange.first()
            writer.write(m.frame(b"p", m.cstr("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first))
        elif kind == 11:
            writer.write(m.frame(b"p", exchange.final(message.body[4:])))
        elif kind == 12:
            exchange.verify(message.body[4:])


async def storm(count, host, port, source, *who):
    started = time.monotonic()
    took, refused, kept = [], collections.Counter(), []

    async def one():
        try:
            reader, writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
            kept.append(writer)
            await log_in(reader, writer, *who)
            took.append(time.monotonic() - started)
        except Refused as error:
            refused[str(error)] += 1
        except (OSError, asyncio.IncompleteReadError):
            refused["closed"] += 1

    await asyncio.gather(*(one() for _ in range(count)))
    say(logged_in=len(took), refused=refused, seconds=time.monotonic() - started)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for writer in kept:
        writer.close()


def half_a_tls_hello() -> bytes:
    out = ssl.MemoryBIO()
    try:
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        hello = out.read()
    return hello[:len(hello) // 2]


class Half(asyncio.Protocol):
    """Sends its beginning, on an answer the rest, and then waits for its end."""

    def __init__(self, beginning: bytes, rest: bytes, ended):
        self._beginning, self._rest, self._ended = beginning, rest, ended

    def connection_made(self, transport):
        self._transport, self._since = transport, time.monotonic()
        transport.write(self._beginning)

    def data_received(self, data):
        self._transport.write(self._rest)
        self._rest = b""

    def connection_lost(self, _):
        self._ended(time.monotonic() - self._since)


async def halves(count, host, port, source):
    lasted = {"startup": [], "hello": []}
    hello, packet = half_a_tls_hello(), m.startup({"user": "app", "database": "app"})
    loop, everyone_ended = asyncio.get_running_loop(), asyncio.Event()

    def make(number):
        def ended(seconds):
            lasted["hello" if number % 2 else "startup"].append(seconds)
            if sum(map(len, lasted.values())) == count:
                everyone_ended.set()
        return Half(m.SSL_REQUEST, hello, ended) if number % 2 else Half(packet[:len(packet) // 2], b"", ended)

    for group in range(0, count, 50):  # small ones, so that none waits in this process between its connect and its clock
        await asyncio.gather(*(loop.create_connection(functools.partial(make, number), host, port, local_addr=(source, 0))
                               for number in range(group, min(group + 50, count))))
    say(connected=count)
    await everyone_ended.wait()
    say(**lasted)


def say(**words):
    print(json.dumps(words), flush=True)


if __name__ == "__main__":
    mode, number, address, port_number, *others = sys.argv[1:]
    asyncio.run({"storm": storm, "halves": halves}[mode](int(number), address, int(port_number), *others))
