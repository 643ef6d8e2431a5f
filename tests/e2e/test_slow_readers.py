"""Clients that do not read cost little memory and nobody else's time."""
import threading
import time

from support import messages as m
from support.figures import full_size
from support.latency import ms, p99
from support.memory import Growth, resident_kib
from support.proxy import login
from support.wire import WireClient

BIGGER_THAN_ANY_BUFFER = m.query("select repeat('x', 100000) from generate_series(1, 10000)")


def read_slowly(clients: list, enough: threading.Event):
    """1 KiB each, once a second."""
    while not enough.wait(1):
        for client in clients:
            client.receive_bytes(1024)


@full_size("readers", 40, 100)
def test_slow_readers_hold_at_most_256_kib_each_and_slow_nobody(sluice, figure, readers):
    proxy = sluice(pool={"size": readers + 5})
    with login(proxy) as steady:
        for _ in range(200):
            steady.query("select 1")
        alone = min(p99(steady) for _ in range(3))
        slow, enough = [], threading.Event()
        with Growth(proxy.pid) as growth:
            for _ in range(readers):
                client = WireClient(proxy.address, receive_buffer=4096)
                client.start("app", "app", "app-secret")
                client.send(BIGGER_THAN_ANY_BUFFER)
                slow.append(client)
            reading = threading.Thread(target=read_slowly, args=(slow, enough))
            reading.start()
            time.sleep(2)
            crowded = min(p99(steady) for _ in range(5))
            enough.set()
            reading.join()
        for client in slow:
            client.reset()
        assert steady.value("select 1") == "1"
        time.sleep(0.5)
        alone = max(alone, min(p99(steady) for _ in range(3)))  # the machine may have other work by now
    figure(f"{readers} clients that read 1 KiB/s of 1 GB each: memory for each", f"{growth.kib / readers:.0f} KiB", "at most 256 KiB",
           growth.kib <= readers * 256)
    figure("p99 latency of another client, alone and beside them", f"{ms(alone)}, {ms(crowded)}", "at most twice, or 3 ms more",
           crowded < max(2 * alone, alone + 0.003))


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
