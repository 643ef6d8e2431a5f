"""Many clients that vanish at once: what each has left running is cancelled, although cancel requests have to wait in line."""
import struct
import threading
import time
from contextlib import ExitStack

from support import messages as m
from support.hostile_server import AUTH_OK, PARAMETERS, READY, Call, Delay, Expect
from support.proxy import login
from support.system import eventually

AT_ONCE = 48  # servers that are sent a cancel request at a time
CLIENTS = AT_ONCE + 22


class SlowToCancel:
    """Gives each session a key of its own, and notes by its number which were cancelled."""

    def __init__(self):
        self.cancelled = set()
        self.sessions = 0
        self.under_way = self.most_under_way = 0
        self._lock = threading.Lock()
        self.script = [Call(self._start), Expect("P"), Delay(30)]

    def _start(self, connection):
        length, code = struct.unpack("!iI", connection.read(8))
        body = connection.read(length - 8)
        if code == 80877102:
            with self._lock:
                self.under_way += 1
                self.most_under_way = max(self.most_under_way, self.under_way)
            time.sleep(0.3)
            with self._lock:
                self.under_way -= 1
                self.cancelled.add(struct.unpack("!i", body[:4])[0])
            raise ConnectionError
        with self._lock:
            self.sessions += 1
            number = self.sessions
        connection.socket.sendall(AUTH_OK + PARAMETERS + m.frame(b"K", struct.pack("!ii", number, 1717)) + READY)


def test_every_query_is_cancelled_although_its_server_connection_is_closed_first(sluice, hostile):
    """With half a message sent, a server connection is of no use to anybody else."""
    slow = SlowToCancel()
    server = hostile(*slow.script)
    proxy = sluice(workers=1, cluster={"servers": [{"host": "127.0.0.1", "port": server.port}], "max_connecting": 20},
                   pool={"size": CLIENTS}, timeouts={"connect": "10s"})
    with ExitStack() as stack:
        clients = [stack.enter_context(login(proxy, user="trusted")) for _ in range(CLIENTS)]
        for client in clients:
            client.send(m.parse("select pg_sleep(60), $1::text") + m.bind(values=["x" * 100000])[:50000])
        eventually(lambda: proxy.metrics().sum("pgsluice_servers", state="active") == CLIENTS, 20, "every query to run")
        eventually(lambda: sum(bool(each.frames) for each in server.connections) == CLIENTS, 20, "every query to arrive")
    eventually(lambda: len(slow.cancelled) == CLIENTS, 10, "every query to be cancelled")
    assert slow.most_under_way <= AT_ONCE
