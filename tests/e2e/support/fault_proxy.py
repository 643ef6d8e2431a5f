"""A TCP proxy that misbehaves on command: delays, throttles, splits, stalls, swallows, resets, cuts at an offset."""
import select
import socket
import struct
import threading
import time

from .system import free_port


class Path:
    """One proxied connection: two pumps that look at the shared settings before every chunk."""

    def __init__(self, owner: "FaultProxy", client: socket.socket, server: socket.socket):
        self.owner, self.client, self.server = owner, client, server
        self.swallowing = False
        self.from_server = 0
        self.first_bytes = b""
        for source, sink, down in ((client, server, False), (server, client, True)):
            threading.Thread(target=self._pump, args=(source, sink, down), daemon=True).start()

    def _pump(self, source, sink, down: bool):
        try:
            while chunk := self._receive(source):
                if not down:
                    self.first_bytes = (self.first_bytes + chunk)[:8]
                if self.swallowing:
                    continue
                self.owner.running.wait(60)
                if self.owner.delay:
                    time.sleep(self.owner.delay)
                if down and self.owner.cut_at is not None and self.from_server + len(chunk) >= self.owner.cut_at:
                    sink.sendall(chunk[:max(0, self.owner.cut_at - self.from_server)])
                    self.close(reset=self.owner.cut_with_reset)
                    return
                if down:
                    self.from_server += len(chunk)
                if self.owner.bytes_per_second:
                    time.sleep(len(chunk) / self.owner.bytes_per_second)
                sink.sendall(chunk)
            if not self.swallowing:
                sink.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):  # ValueError: select on a closed socket
            self.close()

    def _receive(self, source) -> bytes:
        """Never blocks in recv for long: a socket that another thread closes meanwhile would not be torn down."""
        while not select.select([source], [], [], 0.05)[0]:
            pass
        return source.recv(self.owner.chunk)

    def close(self, reset: bool = False):
        for end in (self.client, self.server):
            try:
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR) if not reset else None
            except OSError:
                pass
            end.close()


class FaultProxy:
    """Forwards 127.0.0.1:`port` to `upstream`; settings apply to live connections too."""

    def __init__(self, upstream: tuple):
        self.upstream = upstream
        self.port = free_port()
        self.chunk = 65536
        self.delay = 0.0
        self.bytes_per_second = 0
        self.cut_at: int | None = None
        self.cut_with_reset = False
        self.running = threading.Event()
        self.running.set()
        self.accepted = 0
        self.paths: list[Path] = []
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            try:
                server = socket.create_connection(self.upstream, 5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.paths.append(Path(self, client, server))

    def stall(self):
        """Nothing moves until resume(); connections stay open."""
        self.running.clear()

    def resume(self):
        self.running.set()

    def swallow_existing(self):
        """Today's connections look alive and answer nothing any more; new ones work."""
        for path in self.paths:
            path.swallowing = True

    def reset_all(self):
        for path in self.paths:
            path.close(reset=True)

    def close(self):
        self.running.set()
        self._listener.close()
        for path in self.paths:
            path.close()
