"""What pgsluice tells its supervisor at the notify socket, as sd_notify(3) has it: its states, and that it lives."""
import contextlib
import signal
import socket
import time

import pytest

from support.hanging_thread import hanging_thread
from support.proxy import default_config, login
from support.system import eventually


def test_notify_socket_hears_ready_reloading_stopping_and_watchdog(make_proxy, postgres, directory):
    path = str(directory / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(10)
        proxy = make_proxy(default_config(postgres), start=False, environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"})
        proxy.launch()
        heard = []

        def hear(word):
            while not any(word in message for message in heard):
                heard.append(notify.recv(4096).decode())
        hear("READY=1")
        with login(proxy) as client:
            assert client.value("select 1") == "1"
        hear("WATCHDOG=1")
        heard.clear()
        proxy.reload()
        hear("RELOADING=1")
        hear("READY=1")
        heard.clear()
        proxy.signal(signal.SIGTERM)
        hear("STOPPING=1")
        assert proxy.wait() == 0


@pytest.fixture
def watched(make_proxy, postgres, directory):
    """A proxy of two workers, and the socket where its watchdog's messages arrive."""
    path = str(directory / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(5)
        config = {**default_config(postgres), "workers": 2}
        yield make_proxy(config, environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}), notify


def is_fed(notify) -> bool:
    """Whether a message comes within twice WatchdogSec, those that have come already aside."""
    notify.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while notify.recv(4096):
            pass
    notify.settimeout(0.8)
    with contextlib.suppress(TimeoutError):
        return "WATCHDOG=1" in notify.recv(4096).decode()
    return False


def test_watchdog_is_fed_twice_within_its_time(watched):
    _, notify = watched
    beats = [time.monotonic() for _ in range(30) if "WATCHDOG=1" in notify.recv(4096).decode()][-4:]
    assert all(later - earlier < 0.4 for earlier, later in zip(beats, beats[1:])), "slower than half of WatchdogSec"


def test_watchdog_stays_silent_when_the_process_hangs(watched):
    proxy, notify = watched
    proxy.signal(signal.SIGSTOP)
    try:
        time.sleep(0.1)
        assert not is_fed(notify)
    finally:
        proxy.signal(signal.SIGCONT)


@pytest.mark.parametrize("worker", ["worker 0", "worker 1"])
def test_watchdog_stays_silent_when_one_worker_hangs(watched, worker):
    proxy, notify = watched
    assert is_fed(notify)
    with hanging_thread(proxy.pid, worker):
        eventually(lambda: not is_fed(notify), 20, "the watchdog to be left hungry")
        status, body = proxy.http("/healthz")
        assert status == 503 and f"{worker} has not come round" in body
    eventually(lambda: is_fed(notify), 5, "the watchdog to be fed again")
