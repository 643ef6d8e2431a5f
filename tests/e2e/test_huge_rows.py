"""A row and a parameter as large as PostgreSQL allows pass through and are not held."""
import struct
import time

from support import messages as m
from support.figures import full_size
from support.memory import Growth
from support.proxy import login
from support.wire import WireClient, summaries

# PostgreSQL composes a row in less than 1 GiB: 2 bytes say how many values it has, 4 how long each is.
LARGEST_IN_A_ROW = (1 << 30) - 2 - 2 - 4
# It takes no longer message than 1 GiB - 2; bind() has 16 bytes besides its one value.
LARGEST_IN_BIND = (1 << 30) - 2 - 16
PIECE = b"x" * (1 << 16)


def pieces_of(size: int):
    for position in range(0, size, len(PIECE)):
        yield PIECE[:size - position]


def read_row(client: WireClient, size: int) -> float:
    """A row of one value with so many bytes; seconds from its first byte to its last."""
    client.send(m.query(f"select repeat('x', {size})"))
    assert client.receive(timeout=60).tag == "T"
    assert client.receive_bytes(11) == b"D" + struct.pack("!ihi", 4 + 2 + 4 + size, 1, size)
    started = time.monotonic()
    for piece in pieces_of(size):
        assert client.receive_bytes(len(piece)) == piece
    took = time.monotonic() - started
    assert summaries(client.until_ready(timeout=60)) == ["C:SELECT 1", "Z:I"]
    return took


def write_parameter(client: WireClient, size: int) -> float:
    """Bind with one value of so many bytes; seconds until all were taken."""
    head, tail = m.cstr("") * 2 + struct.pack("!hhi", 0, 1, size), struct.pack("!h", 0)
    client.send(m.parse("select length($1::text)"), b"B", struct.pack("!i", 4 + len(head) + size + len(tail)), head)
    started = time.monotonic()
    for piece in pieces_of(size):
        client.send(piece)
    took = time.monotonic() - started
    client.send(tail, m.execute(), m.SYNC)
    assert summaries(client.until_ready(timeout=60)) == ["1", "2", f"D:{size}", "C:SELECT 1", "Z:I"]
    return took


def passes_with_flat_memory(proxy, postgres, figure, what: str, transfer, size: int):
    with login(postgres) as straight:
        direct = transfer(straight, size)
    with login(proxy) as client:
        transfer(client, len(PIECE))
        with Growth(proxy.pid) as growth:
            took = transfer(client, size)
        assert client.value("select 'usable'") == "usable"
    figure(f"{what} of {size:,} bytes: memory of pgsluice grows by", f"{growth.kib} KiB", "at most 1 MiB", growth.kib <= 1024)
    figure("its time on the wire, straight to PostgreSQL and through pgsluice", f"{direct:.1f} s, {took:.1f} s")


@full_size("size", 64 << 20, LARGEST_IN_A_ROW)
def test_a_row_as_large_as_postgresql_allows_keeps_memory_flat(sluice, postgres, figure, size):
    passes_with_flat_memory(sluice(), postgres, figure, "a row with a value", read_row, size)


@full_size("size", 64 << 20, LARGEST_IN_BIND)
def test_a_parameter_as_large_as_postgresql_allows_keeps_memory_flat(sluice, postgres, figure, size):
    passes_with_flat_memory(sluice(), postgres, figure, "a parameter", write_parameter, size)
