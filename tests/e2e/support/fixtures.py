"""Fixtures that every folder of tests with a real PostgreSQL takes: a folder for the run, one server for each worker, daemons."""
import os
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from .certificates import Authority
from .postgres import Postgres, copy_of, template
from .proxy import Proxy
from .system import give_to_unprivileged


def pytest_configure(config):
    """One folder per run, readable by the account that runs PostgreSQL; workers of xdist share it."""
    if hasattr(config, "workerinput"):
        config.run_directory = Path(config.workerinput["run_directory"])
    else:
        config.run_directory = Path(tempfile.mkdtemp(prefix="pgsluice-e2e-"))
        config.run_directory.chmod(0o755)
        give_to_unprivileged(config.run_directory)


def pytest_configure_node(node):
    node.workerinput["run_directory"] = str(node.config.run_directory)


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput") and not os.environ.get("PGSLUICE_E2E_KEEP"):
        shutil.rmtree(config.run_directory, ignore_errors=True)


@pytest.fixture(scope="session")
def run_directory(request) -> Path:
    return request.config.run_directory


@pytest.fixture(scope="session")
def worker_directory(run_directory, request) -> Path:
    """This xdist worker's own folder."""
    name = getattr(request.config, "workerinput", {}).get("workerid", "main")
    directory = run_directory / name
    directory.mkdir(mode=0o755)
    give_to_unprivileged(directory)
    return directory


@pytest.fixture
def directory(worker_directory, request) -> Path:
    """A folder for one test; kept short, since Unix socket paths end at 107 bytes."""
    made = Path(tempfile.mkdtemp(prefix="t", dir=worker_directory))
    made.chmod(0o755)
    give_to_unprivileged(made)
    return made


@pytest.fixture(scope="session")
def authority(worker_directory) -> Authority:
    made = worker_directory / "tls"
    made.mkdir(mode=0o755)
    return Authority(made)


@pytest.fixture(scope="session")
def stranger(worker_directory, authority):
    """An authority that nobody trusts."""
    return Authority(worker_directory / "tls", "stranger")


@pytest.fixture(scope="session")
def server_certificate(authority):
    return authority.issue("localhost", file="server", hosts=("localhost", "127.0.0.1", "::1"))


@pytest.fixture(scope="session")
def shared_postgres(run_directory, worker_directory, authority, server_certificate):
    server = copy_of(template(run_directory), worker_directory / "data", worker_directory,
                     certificate=server_certificate, ca=authority.certificate)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def postgres(shared_postgres) -> Postgres:
    """The server that all tests of a worker share; each test begins with an empty table `target`."""
    try:
        shared_postgres.execute("TRUNCATE target", dbname="app", setup="SET lock_timeout = '5s'")
    except psycopg.errors.LockNotAvailable:  # the test before this one failed and left a transaction behind
        for pid in shared_postgres.backends():
            shared_postgres.terminate(pid)
        shared_postgres.execute("TRUNCATE target", dbname="app")
    return shared_postgres


@pytest.fixture
def make_proxy(directory):
    """Any number of daemons from whole configurations; each must end cleanly."""
    made = []

    def make(config: dict, start: bool = True, **options) -> Proxy:
        folder = directory / f"proxy{len(made)}"
        folder.mkdir()
        proxy = Proxy(folder, config, **options)
        made.append(proxy)
        return proxy.start() if start else proxy

    yield make
    problems = []
    for proxy in made:
        try:
            proxy.stop()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)
