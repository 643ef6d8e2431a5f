"""Three ways to one server for each driver: straight, and through pgsluice in session and in transaction mode."""
import contextlib
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from support.certificates import Authority
from support.postgres import PASSWORDS
from support.proxy import BINARY, Proxy, default_config

from harness.catalogue import WAYS
from harness.runs import Verdict, play
from harness.unrest import CLIENTS, unrest

pytest_plugins = ("support.fixtures",)

MODES = {"session": 4, "transaction": CLIENTS}  # pool sizes: a session keeps its server, and a check has up to three


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"no pgsluice at {BINARY}: build it, or set PGSLUICE_BIN", 4)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The checks of one driver on one way stay with one worker, since one program answers them all."""
    from xdist.scheduler import LoadScopeScheduling

    class ByRun(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid.rpartition("-")[0] or nodeid

    return ByRun(config, log)


@pytest.fixture(scope="session")
def server(shared_postgres):
    """PostgreSQL, with a database for each way: what is made on one the others do not see."""
    for way in WAYS:
        shared_postgres.execute(f"create database {way} owner app")
    return shared_postgres


@pytest.fixture(scope="session")
def foreign_authority(worker_directory) -> Authority:
    """Has signed no certificate of ours."""
    made = worker_directory / "foreign"
    made.mkdir(mode=0o755)
    return Authority(made, "foreign")


@pytest.fixture(scope="session")
def way_to(server, server_certificate):
    """The address of a way: way_to("transaction", folder). pgsluice lives as long as the run, and must end cleanly."""

    @contextlib.contextmanager
    def opened(way: str, folder: Path):
        if way == "direct":
            yield server.address
            return
        config = default_config(server)
        config["listeners"][0]["tls"] = {"mode": "prefer", "certificate": str(server_certificate.certificate),
                                         "private_key": str(server_certificate.key)}
        pool = {"mode": way, "size": MODES[way], "max_pinned": "100%", "query_wait_timeout": "10s"}
        config["routes"] = [{"name": way, "match": {"databases": [way]}, "cluster": "main", "pool": pool}]
        proxy = Proxy(folder, config).start()
        try:
            with unrest(proxy.dsn(dbname=way)) if way == "transaction" else contextlib.nullcontext():
                yield proxy.address
        finally:
            proxy.stop()

    return opened


@pytest.fixture(scope="session")
def verdicts_on(request, run_directory, worker_directory, way_to, authority, foreign_authority):
    """What one driver's program says on one way: a verdict on each check that is asked for. It is played once."""

    def run(driver, way: str) -> dict:
        selected = [item.callspec.params for item in request.session.items if item.originalname == "test"]
        asked = [case["check"] for case in selected if (case["driver"], case["way"]) == (driver, way)]
        command = driver.command(run_directory / "programs" / driver.name)
        folder = Path(tempfile.mkdtemp(prefix=f"{driver.name}-{way}-", dir=worker_directory))
        with way_to(way, folder) as (host, port):
            environment = {
                "PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
                "PGHOST": host, "PGPORT": str(port), "PGDATABASE": way, "PGUSER": "app", "PGPASSWORD": PASSWORDS["app"],
                "PGSSLMODE": "disable", "PGSSLROOTCERT": str(authority.certificate),
                "FOREIGN_CA": str(foreign_authority.certificate), "TABLES": driver.name}
            return play(command, asked, environment, folder)

    done: dict = {}

    def verdicts(driver, way: str) -> dict:
        if (driver.name, way) not in done:
            try:
                done[driver.name, way] = run(driver, way)
            except (AssertionError, OSError, subprocess.TimeoutExpired):  # a build that failed, a daemon that crashed
                done[driver.name, way] = dict.fromkeys(driver.checks, Verdict(False, traceback.format_exc()))
        return done[driver.name, way]

    return verdicts
