"""Names of servers: one that nobody answers for, whom that keeps waiting and whom not, and one that has moved."""
import os
import signal
import socket
import subprocess
import time

import pytest

from support import messages as m
from support.proxy import assert_ends_at_once, default_config, hold_server, login
from support.system import eventually
from support.wire import WireClient, error_in


def has_mounts_of_its_own() -> bool:
    """Not in a chroot, whose root is no mount."""
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True, timeout=10, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not has_mounts_of_its_own(), reason="a resolv.conf or hosts of one's own wants root and mounts of its own")


@pytest.fixture
def silent_name_server():
    """Its address; the socket is there, and nobody reads it but the tests."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        for last in range(2, 255):
            try:
                server.bind((f"127.0.0.{last}", 53))
                break
            except OSError:
                continue
        else:
            pytest.skip("port 53 is taken at every address")
        server.setblocking(False)
        yield server


def was_asked(server) -> bool:
    try:
        return bool(server.recv(512))
    except BlockingIOError:
        return False


def with_own(file: str, content) -> list[str]:
    """The wrapper of a daemon that reads `content` where others read `file`."""
    return ["unshare", "--mount", "sh", "-c", f'mount --bind {content} {file} && exec "$@"', "sh"]


@pytest.fixture
def asking(make_proxy, silent_name_server, directory):
    """pgsluice with one worker, whose name server is the silent one."""
    def make(config):
        resolv = directory / "resolv.conf"
        resolv.write_text(f"nameserver {silent_name_server.getsockname()[0]}\noptions timeout:30 attempts:2\n")
        proxy = make_proxy({**config, "workers": 1}, start=False)
        proxy.wrapper = with_own("/etc/resolv.conf", resolv)
        return proxy.start()

    return make


@pytest.fixture
def two_clusters(postgres, asking):
    """The clients of database `away` wait for a name that is being looked up."""
    config = default_config(postgres, timeouts={"connect": "30s"})
    main = config["clusters"]["main"]
    config["clusters"] = {"main": {**main, "servers": [{"host": "localhost", "port": postgres.port}]},
                          "away": {**main, "servers": [{"host": "db.away.example", "port": postgres.port}]}}
    first = {**config["routes"][0], "cluster": "main"}
    config["routes"] = [{**first, "name": "away", "cluster": "away", "match": {"databases": ["away"]}}, first]
    return asking(config)


@pytest.fixture
def waiting(two_clusters, silent_name_server):
    with WireClient(two_clusters.address) as client:
        client.send(m.startup({"user": "trusted", "database": "away"}))
        eventually(lambda: was_asked(silent_name_server), 5, "the name server to be asked")
        yield client


def test_a_name_server_that_is_silent_about_one_name_keeps_no_other_server_waiting(two_clusters, waiting):
    began = time.monotonic()
    with login(two_clusters) as client:
        assert client.value("select 1") == "1"
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("signals", [[signal.SIGQUIT], [signal.SIGTERM, signal.SIGTERM]], ids=["QUIT", "second TERM"])
def test_the_end_does_not_wait_for_a_name_server(two_clusters, waiting, signals):
    with login(two_clusters) as busy:
        hold_server(busy)  # what the first TERM would wait for
        assert_ends_at_once(two_clusters, signals)


def test_a_cancel_goes_to_where_its_query_runs_and_not_to_where_the_name_leads_now(make_proxy, postgres, directory):
    hosts = directory / "hosts"
    hosts.write_text("127.0.0.1 db.moving.example\n")
    config = default_config(postgres)
    config["clusters"]["main"]["servers"] = [{"host": "db.moving.example", "port": postgres.port}]
    proxy = make_proxy(config, start=False)
    proxy.wrapper = with_own("/etc/hosts", hosts)
    proxy.start()
    with login(proxy) as client, socket.create_server(("127.0.0.9", postgres.port)):
        client.send(m.query("select pg_sleep(20)"))
        assert client.silent_for(0.3)
        hosts.write_text("127.0.0.9 db.moving.example\n")
        with WireClient(proxy.address) as cancel:
            cancel.send(m.cancel_request(client.pid, client.secret))
        assert error_in(client.until_ready(timeout=5)).sqlstate == "57014"
