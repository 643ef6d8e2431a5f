"""Runs pgsluice with a configuration given as a dict and looks after it: readiness, log, metrics, a clean end."""
import contextlib
import copy
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import time
import yaml

from .endpoint import connect_http
from .metrics import Metrics
from .reachable import Reachable
from .system import end, eventually, free_port, run
from .wire import WireClient

REPOSITORY = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("PGSLUICE_BIN", REPOSITORY / "build/dev/bin/pgsluice"))

# Printed by PGSLUICE_CHECK and by the sanitizers: none of these may ever stand in a log.
FORBIDDEN = ("invariant broken", "AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:", "terminate called")


def merged(base: dict, changes: dict) -> dict:
    """Dicts merge, everything else replaces; None removes a key."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


class Proxy(Reachable):
    """One daemon. `config` is what its file says; change it and call reload()."""

    def __init__(self, directory: Path, config: dict, environment: dict | None = None, file_limit: int = 0):
        self.directory = directory
        self.config = config
        self.file = directory / "pgsluice.yaml"
        self._output = directory / "output.log"
        self._environment = environment or {}
        self._file_limit = file_limit
        self.wrapper: list[str] = []  # a command that runs the daemon as its own process
        self._expect_crash = False
        self.process: subprocess.Popen | None = None
        self.write_config()

    # --- life ---

    def write_config(self, config: dict | None = None):
        if config is not None:
            self.config = config
        self.file.touch(mode=0o600)
        self.file.write_text(yaml.safe_dump(self.config, sort_keys=False, width=1000))

    def launch(self):
        """Starts without waiting; for daemons that are meant to fail."""
        prefix = ["prlimit", f"--nofile={self._file_limit}:{self._file_limit}"] if self._file_limit else []
        with open(self._output, "ab") as output:
            self.process = subprocess.Popen([*self.wrapper, *prefix, str(BINARY), "--config", str(self.file)], stdin=subprocess.DEVNULL,
                                            stdout=output, stderr=output, cwd=self.directory,
                                            env={**os.environ, **self._environment})

    def start(self) -> "Proxy":
        self.launch()
        eventually(self._listens, 20, "pgsluice to listen")
        return self

    def _listens(self) -> bool:
        assert self.process.poll() is None, f"pgsluice exited {self.process.returncode} at start:\n{self.log()[-4000:]}"
        for listener in self.config["listeners"]:
            address = self.unix_path(listener) if "unix" in listener else (listener["address"], listener["port"])
            family = (socket.AF_UNIX if "unix" in listener
                      else socket.AF_INET6 if ":" in listener["address"] else socket.AF_INET)
            with contextlib.closing(socket.socket(family)) as probe:
                probe.settimeout(2)
                if probe.connect_ex(address) != 0:
                    return False
                # It counts as a client until it has been seen to leave.
                with contextlib.suppress(OSError):
                    probe.shutdown(socket.SHUT_WR)
                    probe.recv(1)
        return self._answers_http()

    def _answers_http(self) -> bool:
        """Where it has an endpoint: that is opened last, and by another thread."""
        where = self.config.get("admin", {}).get("http")
        if not where or "tls" in where:
            return True
        try:
            with contextlib.closing(connect_http(where, 2)) as connection:
                connection.connect()
            return True
        except (ConnectionRefusedError, FileNotFoundError):
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout: float = 15) -> int:
        return self.process.wait(timeout)

    def reload(self, config: dict | None = None, changes: dict | None = None, expect: str = "success", timeout: float = 10):
        """Writes the file, sends SIGHUP and waits until the reload was counted as success or failure."""
        if changes is not None:
            config = merged(self.config, changes)
        self.write_config(config)
        before = self.metrics().sum("pgsluice_reloads_total", outcome=expect)
        self.signal(signal.SIGHUP)
        eventually(lambda: self.metrics().sum("pgsluice_reloads_total", outcome=expect) > before, timeout,
                   f"a reload with result {expect}")

    def stop(self):
        """At the end of a test: gone within its time, with exit code 0 and nothing forbidden in its log."""
        if self.process is None:
            return
        crashed = self.process.poll() is not None and self.process.returncode not in (0, 1, 2)
        code = end(self.process, signal.SIGQUIT)
        log = self.log()
        found = [word for word in FORBIDDEN if word in log]
        assert not found, f"pgsluice broke an invariant:\n{log[-6000:]}"
        assert not crashed, f"pgsluice crashed with {code}:\n{log[-6000:]}"
        assert code in (0, 1, 2), f"pgsluice ended with {code}:\n{log[-6000:]}"

    @property
    def pid(self) -> int:
        return self.process.pid

    # --- what it says ---

    def log(self) -> str:
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    def events(self, name: str | None = None) -> list:
        """Records of a JSON log as dicts; with a name only those of that event."""
        records = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return [record for record in records if name is None or record.get("event") == name]

    def awaited_events(self, name: str) -> list:
        """Like events(), once there is one. A record follows what it tells of by some milliseconds: a thread of its own writes."""
        return eventually(lambda: self.events(name), 5, f"an event {name}")

    def http(self, path: str, method: str = "GET", timeout: float = 5, **headers) -> tuple:
        """Status and text."""
        with contextlib.closing(connect_http(self.config["admin"]["http"], timeout)) as connection:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def metrics(self) -> Metrics:
        status, text = self.http("/metrics")
        assert status == 200, text
        return Metrics(text)

    # --- reaching it ---

    @staticmethod
    def unix_path(listener: dict) -> str:
        return f"{listener['unix']}/.s.PGSQL.{listener.get('port', 5432)}"

    @property
    def address(self) -> tuple:
        """The first TCP listener."""
        listener = next(x for x in self.config["listeners"] if "address" in x)
        return (listener["address"], listener["port"])


def check(directory: Path, config: dict | str, *arguments) -> subprocess.CompletedProcess:
    """`pgsluice --check` on this configuration."""
    file = directory / "checked.yaml"
    file.write_text(config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False, width=1000))
    return run([BINARY, "--config", file, "--check", *arguments], timeout=20)


def default_config(postgres, **changes) -> dict:
    """The shortest configuration that most tests want: SCRAM on both sides, transaction pooling, JSON log, metrics."""
    config = {
        "listeners": [{"address": "127.0.0.1", "port": free_port()}],
        "workers": 2,
        "shutdown": {"timeout": "5s"},
        "auth": {
            "rules": [{"users": ["trusted"], "method": "trust"}, {"method": "scram-sha-256"}],
            "users": [{"name": name, "password": f"{name}-secret"} for name in ("app", "other", "trusted", "md5user", "plainuser")],
        },
        "clusters": {"main": {"servers": [{"host": "127.0.0.1", "port": postgres.port}], "tls": {"mode": "disable"}}},
        "routes": [{"name": "default", "match": {"databases": ["*"]}, "cluster": "main",
                    "pool": {"mode": "transaction", "size": 5, "query_wait_timeout": "10s"}}],
        "log": {"level": "debug", "format": "json"},
        "admin": {"http": f"127.0.0.1:{free_port()}"},
    }
    return merged(config, changes)


def login(proxy, user="app", database="app", password=None, source="", tls=None, **parameters):
    """A raw connection through this daemon, past its first ReadyForQuery; tls: the server name to ask for."""
    client = WireClient(proxy.address, source=source)
    if tls is not None:
        client.start_tls(server_name=tls)
    seen = client.start(user, database, password or f"{user}-secret", **parameters)
    assert seen[-1].tag == "Z", [message.summary() for message in seen]
    return client


def assert_ends_at_once(proxy, signals, limit=2):
    """By an end that waits for nobody, within `limit` seconds."""
    began = time.monotonic()
    for number in signals:
        proxy.signal(number)
        time.sleep(0.2)
    assert proxy.wait(10) == 0
    assert time.monotonic() - began < limit


def hold_server(client):
    """A transaction that has begun on a server: BEGIN by itself takes none."""
    client.query("begin")
    client.query("select 1")
