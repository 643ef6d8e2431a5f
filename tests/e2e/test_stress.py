"""Nobody ever gets a row that is not theirs: clients that tag every query and check every row (tests/stress), through two
server connections, while servers are killed, crash, and time out, clients cancel and leave, and the daemon is reloaded."""
import contextlib
import json
import os
import random
import signal
import subprocess
import time

import psycopg
import pytest

from support.figures import is_sanitized
from support.proxy import BINARY, default_config, merged
from support.system import eventually

PROGRAM = BINARY.parent / "stress"


class Trouble:
    """What happens to the servers meanwhile, each at its own pace."""

    def __init__(self, server, proxy, seed: int):
        self.server, self.proxy = server, proxy
        self.chooser = random.Random(seed)
        self.kills = self.crashes = self.reloads = 0
        self.next_crash = time.monotonic() + 1
        self.next_reload = time.monotonic() + 1

    def cause(self):
        # A server that starts again answers nobody for a moment.
        with contextlib.suppress(psycopg.OperationalError):
            backends = self.server.backends(user="trusted")
            if backends and self.chooser.random() < 0.5:
                self.server.execute("select pg_terminate_backend(%s)", (self.chooser.choice(backends),))
                self.kills += 1
            elif backends and time.monotonic() > self.next_crash:
                os.kill(self.chooser.choice(backends), signal.SIGKILL)
                self.crashes += 1
                self.next_crash = time.monotonic() + 20
        if time.monotonic() > self.next_reload:
            self.proxy.reload()
            self.reloads += 1
            self.next_reload = time.monotonic() + 2


def run_clients(proxy, queries: int, seconds: float, *words, meanwhile=lambda: None) -> dict:
    host, port = proxy.address
    clients = subprocess.Popen([PROGRAM, "--port", str(port), "--user", "trusted", "--database", "app", "--queries", str(queries),
                                *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + seconds
        while clients.poll() is None:
            assert time.monotonic() < end, "the clients did not end: one hangs"
            time.sleep(0.2)
            meanwhile()
        said, wrong = clients.communicate()
    finally:
        if clients.poll() is None:
            clients.kill()
            clients.wait()
    assert clients.returncode == 0, wrong[:2000]
    print(said)
    return json.loads(said)


@pytest.fixture
def server(make_postgres):
    made = make_postgres()
    made.execute("create table stress (client int8, number int8); grant all on stress to public", dbname="app")
    return made


@pytest.fixture
def proxy(make_proxy, server):
    config = default_config(server, workers=2, timeouts={"connect_retry": "50ms", "query": "2s"})
    config["auth"]["rules"] = [{"users": ["trusted"], "method": "trust"}]
    pool = {"size": 2, "max_prepared_statements": 5, "lifetime": "2s"}
    config["routes"][0] = merged(config["routes"][0], {"pool": pool})
    return make_proxy(config)


def amounts(quick: int, slow: int):
    return pytest.mark.parametrize("queries", [quick, pytest.param(slow, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])])


@amounts(100_000, 1_000_000)
def test_every_row_is_its_clients_own(proxy, queries):
    # A minute for 100,000.
    report = run_clients(proxy, queries, queries * 60 / 100_000 * (10 if is_sanitized() else 1))
    assert (report["errors"], report["connections"]) == ({}, 16)
    assert report["queries"] >= queries and report["rows"] > queries / 2


# Some are never answered: of both tests together more than ten million are.
@amounts(300_000, 9_500_000)
def test_every_row_is_its_clients_own_in_trouble(proxy, server, queries):
    trouble = Trouble(server, proxy, seed=queries)
    report = run_clients(proxy, queries, 60 + queries / 500, "--rough", meanwhile=trouble.cause)
    assert report["queries"] > queries * 0.9
    assert trouble.kills and trouble.crashes and trouble.reloads and report["cancels"] and report["departures"]
    assert {"57P01", "57014"} <= set(report["errors"])
    # One that was closed takes a moment to end.
    eventually(lambda: len(server.backends()) <= 2, 5, "no more servers than pool.size")
