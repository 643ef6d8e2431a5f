"""Starts crowds of clients as processes of their own, so that this one stays free to measure what others notice of them."""
import json
import resource
import select
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("crowd_program.py")
QUIET_CLIENTS = Path(__file__).resolve().parents[2] / "bench/clients.py"
SOURCE = "127.0.0.5"  # where a crowd comes from, for limits by address


class Crowd:
    """One program that answers with lines of JSON."""

    def __init__(self, program: Path, *words):
        self._process = subprocess.Popen([sys.executable, program, *map(str, words)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def has_spoken(self) -> bool:
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def hear(self):
        """Its next line, waited for: the test's own timeout is the limit."""
        line = self._process.stdout.readline()
        assert line, f"the crowd ended with {self._process.wait(5)}"
        return json.loads(line)

    def ask(self):
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def storm(proxy, count: int, user: str = "app", database: str = "app") -> Crowd:
    """All log in at once, and stay until the crowd ends."""
    return Crowd(PROGRAM, "storm", count, *proxy.address, SOURCE, user, database, f"{user}-secret")


def halves(proxy, count: int) -> Crowd:
    """Half startup packets and half TLS hellos, in turn."""
    return Crowd(PROGRAM, "halves", count, *proxy.address, SOURCE)


def quiet(proxy, count: int, tls: bool = False) -> Crowd:
    """Each logs in and asks one question, one after the other; then all are silent, but answer when asked."""
    return Crowd(QUIET_CLIENTS, "idle", count, *proxy.address, "app", "app-secret", "app", "tls" if tls else "plain")


def allow_descriptors(count: int):
    """To us and to what we start."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(count, hard)))
