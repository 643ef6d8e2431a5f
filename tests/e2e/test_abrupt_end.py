"""pgsluice ends at once while much is going on."""
import contextlib
import os
import signal
import socket
import threading

import pytest

from support import messages as m
from support.system import eventually
from support.wire import Closed, WireClient


@pytest.mark.parametrize("delay", [0.002, 0.006, 0.010, 0.014, 0.018, 0.022])
def test_sigquit_while_a_crowd_logs_in_is_a_clean_end(sluice, delay):
    """Clients that get through in the last turn wait for a server of a session of their own."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as silent:
        proxy = sluice(workers=2, auth={"rules": [{"method": "trust"}]}, pool={"mode": "session", "size": 2},
                       clusters={"main": {"servers": [{"host": "127.0.0.1", "port": silent.getsockname()[1]}]}})
        crowd = [WireClient(proxy.address) for _ in range(500)]
        eventually(lambda: len(os.listdir(f"/proc/{proxy.process.pid}/fd")) > 500, 10, "all of them to be accepted")
        threading.Timer(delay, proxy.signal, [signal.SIGQUIT]).start()
        with contextlib.suppress(OSError, Closed):
            for client in crowd:
                client.send(m.startup({"user": "app", "database": "app"}))
        assert proxy.wait(10) == 0
        for client in crowd:
            client.close()
