"""Fixtures. A test that takes `target` speaks to either PostgreSQL or pgsluice, as PGSLUICE_E2E_TARGET says, so its
expectations can be proven against PostgreSQL itself; a test that takes `sluice` is about pgsluice alone."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support.console import CONSOLE, connect
from support.fault_proxy import FaultProxy
from support.hostile_server import HostileServer
from support.postgres import Postgres, copy_of, template
from support.proxy import BINARY, Proxy, default_config, merged
from support.target import DirectTarget, ProxyTarget

pytest_plugins = ("support.fixtures", "support.figures")

DIRECT = os.environ.get("PGSLUICE_E2E_TARGET", "pgsluice") == "direct"
ONLY_PROXY = {"sluice", "make_proxy"}
TARGETS = {"target", "fresh_target"}


def pytest_collection_modifyitems(config, items):
    """Against PostgreSQL itself, tests that need pgsluice are not collected; the rest carry the marker `direct`."""
    needs_proxy = [item for item in items if ONLY_PROXY & set(item.fixturenames)]
    for item in items:
        if not ONLY_PROXY & set(item.fixturenames) and TARGETS & set(item.fixturenames):
            item.add_marker("direct")
    if DIRECT:
        proven = [item for item in items if TARGETS & set(item.fixturenames) and item not in needs_proxy]
        config.hook.pytest_deselected(items=[item for item in items if item not in proven])
        items[:] = proven
    if not config.option.markexpr:
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


def pytest_sessionstart(session):
    if not DIRECT and not BINARY.exists():
        pytest.exit(f"no pgsluice at {BINARY}: build it, set PGSLUICE_BIN, or set PGSLUICE_E2E_TARGET=direct", 4)


@pytest.fixture
def make_postgres(run_directory, directory):
    """Servers of a test's own, for those that stop, promote or reconfigure one."""
    made = []

    def make(name: str = "own", start: bool = True, **options) -> Postgres:
        server = copy_of(template(run_directory), directory / name, directory, **options)
        made.append(server)
        if start:
            server.start()
        return server

    yield make
    for server in reversed(made):
        if server._process is not None:
            server.stop()


@pytest.fixture
def sluice(make_proxy, postgres):
    """pgsluice in front of the shared server: sluice(pool={...}, limits={...}, ...) changes the default configuration.
    It begins with no client backend on the server, so that tests may count them."""
    for pid in postgres.backends():
        postgres.terminate(pid)

    def make(pool: dict | None = None, route: dict | None = None, cluster: dict | None = None, **changes) -> Proxy:
        config = default_config(postgres, **changes)
        config["routes"][0] = merged(config["routes"][0], {"pool": pool or {}, **(route or {})})
        config["clusters"]["main"] = merged(config["clusters"]["main"], cluster or {})
        return make_proxy(config)

    return make


@pytest.fixture
def target(request, postgres):
    """What a client talks to: PostgreSQL itself, or a default pgsluice in front of it."""
    if DIRECT:
        return DirectTarget(postgres)
    return ProxyTarget(request.getfixturevalue("_default_proxy"), postgres)


@pytest.fixture
def fresh_target(request, postgres):
    """Like target, with a daemon of its own: for tests that leave settings on server connections."""
    if DIRECT:
        return DirectTarget(postgres)
    return ProxyTarget(request.getfixturevalue("sluice")(), postgres)


@pytest.fixture(scope="session")
def _session_proxy(shared_postgres, worker_directory, server_certificate, authority):
    folder = worker_directory / "proxy"
    folder.mkdir()
    tls = {"mode": "prefer", "certificate": str(server_certificate.certificate), "private_key": str(server_certificate.key),
           "client_ca": str(authority.certificate)}
    config = default_config(shared_postgres)
    config["listeners"][0]["tls"] = tls
    config["auth"]["rules"] = [{"users": ["trusted", "postgres"], "method": "trust"}, {"users": ["md5user"], "method": "md5"},
                               {"users": ["plainuser"], "method": "password"}, {"users": ["rejected"], "method": "reject"},
                               {"method": "scram-sha-256"}]
    holder = {"proxy": Proxy(folder, config).start(), "folder": folder}
    yield holder
    holder["proxy"].stop()


@pytest.fixture
def _default_proxy(_session_proxy, postgres):
    """One daemon serves every `target` test of a worker; where a test has killed it, the next one gets a new one."""
    proxy = _session_proxy["proxy"]
    if proxy.process.poll() is not None:
        proxy.start()
    yield proxy
    assert proxy.process.poll() is None, f"pgsluice ended with {proxy.process.returncode} during this test:\n{proxy.log()[-5000:]}"


@pytest.fixture
def fault_proxy():
    """Misbehaving TCP paths: fault_proxy(upstream_address)."""
    made = []

    def make(upstream: tuple) -> FaultProxy:
        made.append(FaultProxy(upstream))
        return made[-1]

    yield make
    for path in made:
        path.close()


@pytest.fixture
def hostile():
    """Scripted servers: hostile(script) listens at .port and plays the script to every connection."""
    made = []

    def make(*script, **options) -> HostileServer:
        made.append(HostileServer(*script, **options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def console(sluice):
    """A daemon with a console, and an administrator's connection to that."""
    proxy = sluice(admin=CONSOLE)
    with connect(proxy) as connection:
        yield proxy, connection
