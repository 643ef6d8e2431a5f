"""Two ways to one server: straight, and through pgsluice in session and in transaction mode."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from support.proxy import Proxy, default_config

pytest_plugins = ("support.fixtures", "support.figures")

LANES = 4
MODES = ("session", "transaction")


def pytest_addoption(parser):
    parser.addoption("--sessions", type=int, default=1000, help="how many random sessions are played in each mode")
    parser.addoption("--seed", type=int, default=1, help="the first of them")


@pytest.fixture(scope="session")
def oracle(shared_postgres):
    """PostgreSQL, with a database for each way: what one way writes the others do not see."""
    for lane in range(LANES):
        shared_postgres.execute(f"create table lane_{lane} (a int primary key, b text)", dbname="app", setup="set role app")
    shared_postgres.execute("grant other to app")
    for mode in MODES:
        shared_postgres.execute(f"create database {mode} template app owner app")
    return shared_postgres


@pytest.fixture(scope="session")
def proxy(oracle, worker_directory):
    """More servers than lanes, and all of them may be pinned: no session waits for another or is refused. Names of custom settings are
    their clients' own in transaction mode, as they are in a connection of one's own."""
    folder = worker_directory / "oracle"
    folder.mkdir()
    config = default_config(oracle)
    config["routes"] = [{"name": mode, "match": {"databases": [mode]}, "cluster": "main",
                         "pool": {"mode": mode, "size": 2 * LANES, "max_pinned": "100%", "custom_settings": "affinity"}} for mode in MODES]
    config["log"]["level"] = "info"
    daemon = Proxy(folder, config).start()
    yield daemon
    daemon.stop()
