"""The oracle: whatever happens to servers and queries, no client ever sees a row that is not its own."""
import random
import threading
import time

import pytest

from support import messages as m
from support.proxy import login
from support.system import eventually
from support.wire import Closed, WireClient

# Errors that chaos may cause; each must be told to the client that it belongs to.
EXPECTED = {"57P01", "57014", "08006", "57P03", "53300", "57P02"}


class Client(threading.Thread):
    """Sends queries that carry its own number and checks every row that comes back."""

    def __init__(self, proxy, me, stop, cancels):
        super().__init__(daemon=True)
        self.proxy, self.me, self.stop, self.cancels = proxy, me, stop, cancels
        self.chooser = random.Random(me)
        self.checked, self.failures = 0, []

    def run(self):
        while not self.stop.is_set() and not self.failures:
            try:
                with login(self.proxy) as client:
                    client.send(m.parse(f"select {self.me}, $1::int", "mine"), m.SYNC)
                    if client.until_ready()[0].tag == "1":
                        self.converse(client)
            except (Closed, AssertionError, TimeoutError, OSError) as problem:
                if isinstance(problem, AssertionError) and "FATAL" not in str(problem):
                    self.failures.append(repr(problem))
                if isinstance(problem, TimeoutError):
                    self.failures.append(f"client {self.me} hangs")
                time.sleep(0.05)

    def converse(self, client):
        for seq in range(200):
            if self.stop.is_set():
                return
            expected, data, ready = getattr(self, self.chooser.choice(["simple", "extended", "pipelined", "prepared", "copy"]))(seq)
            client.send(data)
            if self.cancels and self.chooser.random() < 0.1:
                with WireClient(self.proxy.address) as cancel:
                    cancel.send(m.cancel_request(client.pid, client.secret))
            if not self.verify(client, expected, ready):
                return

    def simple(self, seq):
        return [(self.me, seq)], m.query(f"select {self.me}, {seq}"), 1

    def extended(self, seq):
        return [(self.me, seq)], m.parse(f"select {self.me}, $1::int") + m.bind(values=[seq]) + m.execute() + m.SYNC, 1

    def pipelined(self, seq):
        numbers = range(seq, seq + 5)
        return [(self.me, n) for n in numbers], b"".join(m.unnamed(f"select {self.me}, {n}") + m.SYNC for n in numbers), 5

    def prepared(self, seq):
        return [(self.me, seq)], m.bind("mine", values=[seq]) + m.execute() + m.SYNC, 1

    def copy(self, seq):
        return [(self.me, seq)], m.query(f"copy (select {self.me}, {seq}) to stdout"), 1

    def verify(self, client, expected, ready) -> bool:
        rows, errors = [], 0
        while ready:
            message = client.receive(20)
            if message.tag == "D":
                rows.append(tuple(int(value) for value in message.row))
            elif message.tag == "d":
                rows.append(tuple(int(value) for value in message.body.split()))
            elif message.tag == "E":
                errors += 1
                if message.sqlstate not in EXPECTED:
                    self.failures.append(f"{message.sqlstate} {message.text}")
                if message.severity == "FATAL":
                    return False
            elif message.tag == "Z":
                ready -= 1
        wrong = [row for row in rows if row not in expected]
        if wrong or (not errors and rows != expected):
            self.failures.append(f"client {self.me} expected {expected}, got {rows}")
        self.checked += len(rows)
        return True


@pytest.mark.parametrize("chaos", ["calm", "cancels", "kills", "everything"])
@pytest.mark.parametrize("seconds, clients", [(6, 16), pytest.param(120, 60, marks=[pytest.mark.slow, pytest.mark.timeout(240)])])
def test_every_row_belongs_to_the_client_that_asked(sluice, postgres, chaos, seconds, clients):
    proxy = sluice(pool={"size": 2, "max_prepared_statements": 5, "lifetime": "2s" if chaos == "everything" else "1h"},
                   timeouts={"connect_retry": "50ms", **({"query": "300ms"} if chaos == "everything" else {})}, workers=2)
    stop = threading.Event()
    threads = [Client(proxy, me, stop, chaos in ("cancels", "everything")) for me in range(1, clients + 1)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end and not any(thread.failures for thread in threads):
        time.sleep(0.3)
        if chaos in ("kills", "everything"):
            postgres.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' order by random() limit 1")
        if chaos == "everything":
            proxy.reload()
    stop.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "a client hangs"
    failures = [failure for thread in threads for failure in thread.failures]
    assert not failures, failures[:3]
    checked = sum(thread.checked for thread in threads)
    assert checked > clients * 10, f"only {checked} rows were checked"
    # One that was closed takes a moment to end.
    eventually(lambda: len(postgres.backends()) <= 2, 5, "no more servers than pool.size")


def test_client_that_vanishes_with_unread_results_leaves_nothing_to_the_next(sluice):
    proxy = sluice(pool={"size": 1})
    for number in range(30):
        client = login(proxy)
        client.send(m.query(f"select 'mine {number}', repeat('x', {number * 1000}) from generate_series(1, 50)"))
        if number % 2:
            client.receive_bytes(100)
        client.reset() if number % 3 else client.close()
        with login(proxy) as other:
            assert other.value(f"select 'theirs {number}'") == f"theirs {number}"
