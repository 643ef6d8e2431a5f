#!/usr/bin/env python3
"""Many small clients in one process: `clients.py idle N DSN-WORDS` or `clients.py login SECONDS DSN-WORDS`, where the words
are host port user password database tls. Answers on standard output: a number of clients, or of logins."""
import functools
import socket
import ssl
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from support import scram

# Derived once: the load is meant for the other side.
scram.Keys = functools.lru_cache(scram.Keys)


class Client:
    def __init__(self, host, port, user, password, database, tls):
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls == "tls":
            self.socket.sendall(struct.pack("!ii", 8, 80877103))
            assert self.socket.recv(1) == b"S", "the server refuses TLS"
            self.socket = context().wrap_socket(self.socket)
        self.unread = b""
        words = f"user\0{user}\0database\0{database}\0\0".encode()
        self.socket.sendall(struct.pack("!ii", 8 + len(words), 196608) + words)
        self._login(scram.Client(password))

    def _login(self, exchange):
        while True:
            kind, body = self.read()
            if kind == b"Z":
                return
            if kind == b"R":
                step = struct.unpack("!i", body[:4])[0]
                if step == 10:
                    first = exchange.first()
                    self.send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)
                elif step == 11:
                    self.send(b"p", exchange.final(body[4:]))

    def send(self, kind, body=b""):
        self.socket.sendall(kind + struct.pack("!i", 4 + len(body)) + body)

    def read(self):
        """One message; an error ends the program with its text."""
        while len(self.unread) < 5 or len(self.unread) <= struct.unpack("!i", self.unread[1:5])[0]:
            data = self.socket.recv(8192)
            if not data:
                sys.exit("the server has closed a connection")
            self.unread += data
        length = struct.unpack("!i", self.unread[1:5])[0]
        kind, body, self.unread = self.unread[:1], self.unread[5:length + 1], self.unread[length + 1:]
        if kind == b"E":
            sys.exit(f"the server says {body!r}")
        return kind, body

    def query(self, sql):
        self.send(b"Q", sql.encode() + b"\0")
        while self.read()[0] != b"Z":
            pass

    def close(self):
        self.send(b"X")
        self.socket.close()


@functools.lru_cache
def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


def idle(count, *where):
    """Each client asks one question, then all of them keep quiet until standard input ends; a line of it has each ask again."""
    clients = []
    for _ in range(int(count)):
        clients.append(Client(*where))
        clients[-1].query("SELECT 1")
    print(len(clients), flush=True)
    for _ in sys.stdin:
        for client in clients:
            client.query("SELECT 1")
        print(len(clients), flush=True)


def login(seconds, *where):
    deadline, count = time.monotonic() + float(seconds), 0
    while time.monotonic() < deadline:
        Client(*where).close()
        count += 1
    print(count, flush=True)


if __name__ == "__main__":
    {"idle": idle, "login": login}[sys.argv[1]](*sys.argv[2:])
