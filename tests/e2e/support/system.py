"""Processes, ports and waiting. Every wait in the suite goes through `eventually`, so every wait is bounded."""
import contextlib
import itertools
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

# Below the ephemeral range (32768 and up), so that no outgoing connection takes a port between its choice and its use.
PORT_RANGE = range(15000, 31000)


def _own_ports():
    """Every port of the range that is this process's to give, in an order drawn anew each time round. Processes of one run
    share the range without overlap, so none is given twice within minutes: what is free at the choice is free at the use."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    while True:
        yield from random.sample(own := PORT_RANGE[worker::workers], len(own))


_ports = _own_ports()


def free_port() -> int:
    """A TCP port that nothing listens on. No SO_REUSEADDR here: a listener with SO_REUSEPORT must count as taken."""
    for port in itertools.islice(_ports, 200):
        with contextlib.suppress(OSError), socket.socket() as v4, socket.socket(socket.AF_INET6) as v6:
            v4.bind(("0.0.0.0", port))
            v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            v6.bind(("::", port))
            return port
    raise RuntimeError("no free TCP port")


def eventually(condition, timeout: float = 10, what: str = "condition", interval: float = 0.02):
    """The first true value of condition(); fails after `timeout` seconds with the last value seen."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout} s; last value: {value!r}")
        time.sleep(interval)


def stays(condition, seconds: float, what: str = "condition", interval: float = 0.02):
    """The opposite of eventually: condition() holds at every look for the whole time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition(), f"{what} did not hold for {seconds} s"
        time.sleep(interval)


def unprivileged_user():
    """The account that runs PostgreSQL, which refuses root; None where we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("root needs an account `postgres` or `nobody` to run PostgreSQL")


def as_unprivileged(command: list) -> list:
    """The command line that runs `command` as that account and lets it die with us."""
    user = unprivileged_user()
    if user is None:
        return list(command)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--", *command]


def give_to_unprivileged(path: Path):
    user = unprivileged_user()
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)


def run(command: list, **options) -> subprocess.CompletedProcess:
    """Runs to the end with a time limit; output is captured as text."""
    options.setdefault("timeout", 60)
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)


def check_run(command: list, **options) -> str:
    done = run(command, **options)
    assert done.returncode == 0, f"{command} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def end(process: subprocess.Popen, with_signal=signal.SIGTERM, timeout: float = 15) -> int:
    """Ends one process of ours, by its pid; SIGKILL when it does not go."""
    if process.poll() is None:
        process.send_signal(with_signal)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout)
    return process.returncode


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds_of_threads(pid: int, name: str) -> float:
    """Of those whose name begins so."""
    ticks = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        comm, fields = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        if comm.startswith(name):
            ticks += sum(map(int, fields.split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def open_descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def refused_for_a_full_backlog() -> int:
    """How many connections the kernel of this machine has put off so, which then try again a second later."""
    names, values = (line.split() for line in Path("/proc/net/netstat").read_text().splitlines() if line.startswith("TcpExt:"))
    return int(values[names.index("ListenOverflows")])


def copy_tree(source: Path, target: Path):
    """cp -a keeps owners, which PostgreSQL checks on its data directory."""
    check_run([shutil.which("cp"), "-a", "--reflink=auto", source, target])
