"""Sockets: TCP on both families, Unix sockets, a port that is taken, keepalive."""
import os
import socket
import stat

import pytest

from support import messages as m
from support.proxy import BINARY, default_config, login
from support.system import eventually, free_port, run
from support.wire import WireClient


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "::"])
def test_tcp(sluice, address):
    proxy = sluice(listeners=[{"address": address, "port": free_port()}])
    with proxy.connect(host={"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_all_of_ipv6_is_nothing_of_ipv4(sluice):
    port = free_port()
    sluice(listeners=[{"address": "::", "port": port}])
    socket.create_connection(("::1", port), 5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_several_listeners(sluice, directory):
    ports = [free_port(), free_port()]
    proxy = sluice(listeners=[{"address": "127.0.0.1", "port": ports[0]}, {"address": "::1", "port": ports[1]}, {"unix": str(directory), "port": 5432}])
    for address in (("127.0.0.1", ports[0]), ("::1", ports[1]), f"{directory}/.s.PGSQL.5432"):
        with WireClient(address) as client:
            client.start("app", "app", "app-secret")
            assert client.value("select 1") == "1"
    assert len(proxy.events("listening")) == 3


def test_unix_socket_has_its_mode_and_goes_away(sluice, directory):
    proxy = sluice(listeners=[{"address": "127.0.0.1", "port": free_port()}, {"unix": str(directory), "port": 5432, "mode": "0750"}])
    path = directory / ".s.PGSQL.5432"
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    with login(proxy) as client:
        assert client.value("select 1") == "1"
    proxy.signal(15)
    assert proxy.wait() == 0
    assert not path.exists()


def test_stale_unix_socket_is_replaced(sluice, directory):
    path = directory / ".s.PGSQL.5432"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    sluice(listeners=[{"address": "127.0.0.1", "port": free_port()}, {"unix": str(directory), "port": 5432}])
    with WireClient(str(path)) as client:
        assert client.start("app", "app", "app-secret")[-1].tag == "Z"


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_second_instance_is_refused(sluice, make_proxy, postgres, directory, kind):
    listeners = [{"address": "127.0.0.1", "port": free_port()}, *([{"unix": str(directory), "port": 5432}] if kind == "unix" else [])]
    first = sluice(listeners=listeners)
    if kind == "unix":
        listeners = [{"address": "127.0.0.1", "port": free_port()}, listeners[1]]
    second = make_proxy(default_config(postgres, listeners=listeners), start=False)
    second.launch()
    assert second.wait(10) == 1
    assert "in use" in second.log()
    with login(first) as client:
        assert client.value("select 1") == "1"
    if kind == "unix":
        with WireClient(f"{directory}/.s.PGSQL.5432") as client:
            assert client.start("app", "app", "app-secret")[-1].tag == "Z"


def test_port_taken_by_another_program(make_proxy, postgres):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        proxy = make_proxy(default_config(postgres, listeners=[{"address": "127.0.0.1", "port": taken.getsockname()[1]}]), start=False)
        proxy.launch()
        assert proxy.wait(10) == 1
        assert "in use" in proxy.log()


def test_restart_at_once_on_the_same_port(sluice):
    """Connections in TIME_WAIT do not block the next start."""
    proxy = sluice()
    for _ in range(3):
        client = login(proxy)
        proxy.signal(3)
        proxy.wait()
        client.close()
        proxy.start()
    with login(proxy) as client:
        assert client.value("select 1") == "1"


def has_keepalive_timer(*, remote_port: int, local_port: int | None = None) -> bool:
    """/proc/net/tcp shows keepalive as timer 2. While something is unacknowledged the retransmission timer is shown instead."""
    for row in (line.split() for line in open("/proc/net/tcp").read().splitlines()[1:]):
        local, remote = (int(row[column].split(":")[1], 16) for column in (1, 2))
        if remote == remote_port and local_port in (None, local) and row[5].startswith("02:"):
            return True
    return False


def test_keepalive_is_on_towards_clients_and_servers(sluice, postgres):
    proxy = sluice(timeouts={"keepalive": {"idle": "7s", "interval": "3s", "count": 2}}, pool={"size": 1})
    with login(proxy) as client:
        server_port = int(client.value("select inet_client_port()"))
        client_port = client.socket.getsockname()[1]
        eventually(lambda: has_keepalive_timer(remote_port=client_port), 5, "the keepalive timer towards the client")
        eventually(lambda: has_keepalive_timer(remote_port=postgres.port, local_port=server_port), 5, "the keepalive timer towards the server")


@pytest.mark.parametrize("workers", [1, 3])
def test_many_clients_over_all_workers(sluice, workers):
    proxy = sluice(workers=workers, pool={"size": 4})
    clients = [login(proxy, "trusted") for _ in range(60)]
    for client in clients:
        client.send(b"Q\0\0\0\x0dselect 1\0")
    for client in clients:
        assert client.until_ready()[1].row == [b"1"]
    assert proxy.metrics().sum("pgsluice_worker_clients") == 60
    for client in clients:
        client.close()


@pytest.mark.parametrize("logs_in", [False, True], ids=["silent", "logins"])
def test_a_burst_over_a_unix_socket_is_spread_over_all_workers(sluice, directory, logs_in):
    """Each stays on its worker for life, so those count that have not logged in yet."""
    proxy = sluice(workers=2, listeners=[{"address": "127.0.0.1", "port": free_port()}, {"unix": str(directory), "port": 5432}])
    clients = [WireClient(f"{directory}/.s.PGSQL.5432") for _ in range(40)]
    if logs_in:
        for client in clients:
            client.send(m.startup({"user": "trusted", "database": "app"}))
        for client in clients:
            client.until_ready()
    eventually(lambda: proxy.metrics().sum("pgsluice_worker_clients") == 40, 5, "all to be accepted")
    metrics = proxy.metrics()
    assert [metrics.sum("pgsluice_worker_clients", worker=worker) for worker in ("0", "1")] == [20, 20]
    for client in clients:
        client.close()
    eventually(lambda: proxy.metrics().sum("pgsluice_worker_clients") == 0, 5, "all to have gone")


def test_version(directory):
    done = run([BINARY, "--version"], cwd=directory)
    assert done.returncode == 0 and done.stdout.startswith("pgsluice")
    assert os.path.exists(BINARY)
