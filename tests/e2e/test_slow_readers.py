"""Clients that do not read cost little memory and nobody else's time."""
import time

import pytest

from support import messages as m
from support.proxy import login
from support.system import resident_kib
from support.wire import WireClient


def p99(client, rounds=300) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        client.query("select 1")
        times.append(time.perf_counter() - started)
    return sorted(times)[int(rounds * 0.99)]


@pytest.mark.parametrize("readers", [40, pytest.param(100, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
def test_slow_readers_hold_at_most_256_kib_each_and_slow_nobody(sluice, readers):
    proxy = sluice(pool={"size": readers + 5})
    with login(proxy) as steady:
        for _ in range(200):
            steady.query("select 1")
        alone = min(p99(steady) for _ in range(3))
        before = resident_kib(proxy.pid)
        slow = []
        for _ in range(readers):
            client = WireClient(proxy.address, receive_buffer=4096)
            client.start("app", "app", "app-secret")
            client.send(m.query("select repeat('x', 100000) from generate_series(1, 10000)"))
            slow.append(client)
        time.sleep(2)
        crowded = min(p99(steady) for _ in range(5))
        grown = resident_kib(proxy.pid) - before
        assert grown < readers * 256, f"{grown} KiB for {readers} readers"
        for client in slow[: readers // 2]:
            client.receive_bytes(1024)
        for client in slow:
            client.reset()
        assert steady.value("select 1") == "1"
        time.sleep(0.5)
        alone = max(alone, min(p99(steady) for _ in range(3)))  # the machine may have other work by now
        assert crowded < max(2 * alone, alone + 0.003), f"p99 {alone * 1000:.2f} ms alone, {crowded * 1000:.2f} ms beside them"


def test_slow_reader_gets_everything_in_the_end(sluice):
    proxy = sluice()
    with WireClient(proxy.address, receive_buffer=4096) as client:
        client.start("app", "app", "app-secret")
        client.send(m.query("select i, repeat('x', 10000) from generate_series(1, 2000) i"))
        time.sleep(1)
        rows = [x.row[0] for x in client.until_ready(timeout=30) if x.tag == "D"]
        assert rows == [str(n).encode() for n in range(1, 2001)]


def test_client_that_writes_without_end_to_a_busy_server_is_held_back(sluice):
    """The server sleeps, so what the client sends on must wait in the kernel, not in pgsluice."""
    proxy = sluice()
    with login(proxy) as client:
        before = resident_kib(proxy.pid)
        client.send(m.query("select pg_sleep(3)"))
        client.socket.setblocking(False)
        block, sent = m.query("select 1 /* " + "x" * 60000 + " */"), 0
        deadline = time.monotonic() + 2
        rest = b""
        while time.monotonic() < deadline:
            rest = rest or block
            try:
                done = client.socket.send(rest)
                sent, rest = sent + done, rest[done:]
            except BlockingIOError:
                time.sleep(0.02)
        assert sent > 100_000
        assert resident_kib(proxy.pid) - before < 8 * 1024, f"{sent >> 20} MiB were taken in"
