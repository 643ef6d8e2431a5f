"""The unit's SystemCallFilter forbids nothing that the daemon does: a traced life of it stays within the filter."""
import re
import signal
import subprocess

import psycopg
import pytest
import support.proxy
from support.certificates import Authority
from support.figures import is_sanitized
from support.system import free_port


def group(name):
    """The system calls of systemd's @group, those of nested groups included."""
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", name], capture_output=True, text=True,
                          check=True, timeout=30, env={"PATH": "/usr/bin:/bin", "SYSTEMD_COLORS": "0"}).stdout
    words = [line.strip() for line in text.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
    return set().union(*(group(word) if word.startswith("@") else {word} for word in words))


def allowed(unit):
    """Lists add up; one that begins with ~ takes away."""
    calls = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        listed = set().union(*(group(word) if word[0] == "@" else {word} for word in line.lstrip("~").split()))
        calls = calls - listed if line.startswith("~") else calls | listed
    return calls


@pytest.fixture
def traced(folder, pgsluice, monkeypatch):
    """Every pgsluice that support.proxy starts is traced into this file; with -D it keeps its own process id."""
    record = folder / "calls"
    wrapper = folder / "traced"
    wrapper.write_text(f'#!/bin/sh\nexec strace -D -f -qq -o {record} {pgsluice} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(support.proxy, "BINARY", wrapper)
    return record


@pytest.mark.skipif(is_sanitized(), reason="sanitizers make calls of their own, and LeakSanitizer fails under strace")
def test_a_whole_life_stays_within_the_filter(folder, traced, postgres, tree):
    authority = Authority(folder)
    certificate = authority.issue("localhost", hosts=("127.0.0.1",))
    config = support.proxy.default_config(postgres)
    config["listeners"] = [
        {"address": "127.0.0.1", "port": free_port(),
         "tls": {"mode": "prefer", "certificate": str(certificate.certificate), "private_key": str(certificate.key)}},
        {"unix": str(folder), "port": 5432, "mode": "0777"},
    ]
    home = folder / "proxy"
    home.mkdir()
    proxy = support.proxy.Proxy(home, config).start()
    for changes in ({}, {"sslmode": "require"}, {"host": str(folder), "port": 5432}):
        with proxy.connect(**changes) as connection:
            assert connection.execute("SELECT sum(n) FROM numbers").fetchone() == (500500,)
    with pytest.raises(psycopg.OperationalError):
        proxy.connect(password="wrong")
    proxy.reload()
    assert proxy.http("/metrics")[0] == 200
    proxy.signal(signal.SIGTERM)
    assert proxy.wait(30) == 0, proxy.log()

    used = set(re.findall(r"^\d+ +(\w+)\(", traced.read_text(), re.MULTILINE))
    assert {"epoll_wait", "sendmsg", "recvmsg", "read", "write", "accept4", "sendto"} & used, "the trace is empty"
    assert used - allowed((tree / "config/pgsluice.service").read_text()) == set()
