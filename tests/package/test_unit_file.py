"""config/pgsluice.service: as closed as systemd can make it, and still fit for what the daemon does."""
import re
import subprocess

import pytest

AT_MOST = 1.5  # systemd's exposure score; PgBouncer's and HAProxy's units of Debian 12 score above 9


@pytest.fixture
def unit(tree):
    return (tree / "config/pgsluice.service").read_text()


def test_exposure(tree):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", tree / "config/pgsluice.service"],
        capture_output=True, text=True, timeout=60, env={"SYSTEMD_COLORS": "0", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    score = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert score, done.stdout + done.stderr
    assert float(score[1]) <= AT_MOST


@pytest.mark.parametrize(
    "line", ["Type=notify", "ExecReload=/bin/kill -HUP $MAINPID", "RestartPreventExitStatus=2", "User=pgsluice"]
)
def test_says(unit, line):
    assert line in unit.splitlines()


def test_leaves_peer_authentication_working(unit):
    assert not re.search(r"^PrivateUsers=", unit, re.MULTILINE)


def test_waits_longer_than_the_default_drain(unit):
    drain = 60  # shutdown.timeout's default
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1]) > drain


def test_has_a_watchdog(unit):
    assert 10 <= int(re.search(r"^WatchdogSec=(\d+)$", unit, re.MULTILINE)[1]) <= 30
