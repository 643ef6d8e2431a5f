import os
import pathlib
import shutil
import sys
import tempfile

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
for folder in ("scripts", "scripts/lib", "tests/e2e"):
    sys.path.insert(0, str(TREE / folder))


@pytest.fixture
def tree():
    return TREE


@pytest.fixture
def pgsluice():
    """The binary under test; scripts/test names it."""
    return pathlib.Path(os.environ.get("PGSLUICE_BIN", TREE / "build/dev/bin/pgsluice"))


@pytest.fixture(scope="module")
def folder():
    """One that other users may look into: the servers' and the containers'."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="pgsluice-package-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def postgres(folder):
    """A PostgreSQL with the roles and tables of the end-to-end tests."""
    from support.postgres import copy_of, template
    from support.system import give_to_unprivileged

    servers = folder / "servers"
    servers.mkdir()
    give_to_unprivileged(servers)
    server = copy_of(template(servers), servers / "data", servers)
    server.start()
    yield server
    server.stop()
