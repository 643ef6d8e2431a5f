"""File descriptors: what the start asks of RLIMIT_NOFILE, and crowds that want more of them than there are."""
import socket
import time

import pytest

from support.crowd import allow_descriptors, storm
from support.proxy import default_config, login
from support.system import cpu_seconds, eventually, open_descriptors, run

CROWD = 1000
FEW = 256


def test_start_fails_where_the_descriptors_cannot_suffice(make_proxy, postgres):
    proxy = make_proxy(default_config(postgres, limits={"client_connections": 5000}), start=False, file_limit=FEW)
    proxy.launch()
    assert proxy.wait(10) in (1, 2)
    assert "client_connections" in proxy.log()


def test_start_tells_how_many_descriptors_may_be_needed(make_proxy, postgres):
    """The route is for any database and user: only the cluster's limit says how many servers that can be."""
    for cap, at_most in ((0, "any number"), (40, 40)):
        config = default_config(postgres, limits={"client_connections": 100})
        config["clusters"]["main"]["max_connections"] = cap
        proxy = make_proxy(config)
        started = proxy.awaited_events("started")[0]
        clients = started["descriptors_at_least"] - config["routes"][0]["pool"]["size"]
        assert clients >= 200
        assert started["descriptors_at_most"] == (clients + at_most if cap else at_most)
        proxy.stop()


def test_soft_descriptor_limit_is_raised(sluice):
    proxy = sluice()
    with open(f"/proc/{proxy.pid}/limits") as limits:
        soft, hard = next(line for line in limits if "open files" in line).split()[3:5]
    assert soft == hard


def cpu_share(pid: int, seconds: float = 2) -> float:
    """Of one processor."""
    used = cpu_seconds(pid)
    time.sleep(seconds)
    return (cpu_seconds(pid) - used) / seconds


def seconds_until_a_login(proxy) -> float:
    def succeeds():
        try:
            login(proxy).close()
            return True
        except (OSError, AssertionError):
            return False
    started = time.monotonic()
    eventually(succeeds, 5, "a login")
    return time.monotonic() - started


@pytest.mark.limits
def test_running_out_of_descriptors_pauses_accept_without_spinning(make_proxy, postgres, figure):
    """The hard limit falls while clients are connected, so accept meets EMFILE."""
    proxy = make_proxy(default_config(postgres, limits={"client_connections": 2 * CROWD}))
    with login(proxy) as old:
        old.query("select 1")
        assert run(["prlimit", "--pid", str(proxy.pid), f"--nofile={FEW}:{FEW}"]).returncode == 0
        crowd = [socket.create_connection(proxy.address) for _ in range(CROWD)]
        eventually(lambda: proxy.events("accept_paused"), 5, "accept to pause")
        share = cpu_share(proxy.pid)
        assert old.value("select 'alive'") == "alive"
        for client in crowd:
            client.close()
        resumed = seconds_until_a_login(proxy)
    name = f"the limit falls to {FEW} descriptors under {CROWD:,} clients: "
    figure(f"{name}CPU meanwhile", f"{share:.1%}", "below 20 %", share < 0.2)
    figure(f"{name}until a login succeeds once they are gone", f"{resumed:.2f} s", "at most 2 s", resumed <= 2)


@pytest.mark.limits
def test_with_256_descriptors_those_who_fit_are_served_and_the_others_are_told(make_proxy, postgres, figure):
    allow_descriptors(2 * CROWD)
    fit = 50
    proxy = make_proxy(default_config(postgres, limits={"client_connections": fit}), file_limit=FEW)
    with login(proxy) as old:
        with storm(proxy, CROWD) as crowd:
            report = crowd.hear()
            share = cpu_share(proxy.pid)
            assert old.value("select 'alive'") == "alive"
        resumed = seconds_until_a_login(proxy)
    refused = report["refused"]
    name = f"started with {FEW} descriptors, {CROWD:,} clients: "
    figure(f"{name}logged in, told 53300, closed", f"{report['logged_in']}, {refused['53300']}, {refused.get('closed', 0)}", f"{fit - 1} logged in")
    figure(f"{name}CPU meanwhile", f"{share:.1%}", "below 20 %", share < 0.2)
    figure(f"{name}until a login succeeds once they are gone", f"{resumed:.2f} s", "at most 2 s", resumed <= 2)
    assert report["logged_in"] == fit - 1
    assert set(refused) <= {"53300", "closed"} and refused["53300"] > 0
    assert report["logged_in"] + sum(refused.values()) == CROWD


def test_a_flood_beyond_the_limit_leaves_descriptors_for_servers_and_metrics(make_proxy, postgres):
    """The hard limit is the least that pgsluice starts with; a crowd that says nothing wants more than all of it."""
    config = default_config(postgres, limits={"client_connections": 30}, workers=1)
    proxy = make_proxy(config, file_limit=30 + 5 + 192)
    with login(proxy) as client:
        crowd = [socket.create_connection(proxy.address) for _ in range(300)]
        eventually(lambda: proxy.metrics().sum("pgsluice_login_failures_total", reason="too_many_clients") == 300 - 29 - 64, 5,
                   "the last of the crowd to be closed")
        assert open_descriptors(proxy.pid) < 30 + 64 + 60
        for server in postgres.backends():
            postgres.terminate(server)
        assert client.value("select 'another server'") == "another server"
        assert proxy.events("accept_paused") == []
        for silent in crowd:
            silent.close()
