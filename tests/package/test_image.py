"""The container image: built by buildah, which needs neither a daemon nor a registry, on a base made by debootstrap."""
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from support.proxy import default_config
from support.system import check_run, end, eventually, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800),
              pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap and buildah want root")]

IMAGE, BASE = "localhost/pgsluice", "localhost/debian-base"
MOST_MEGABYTES = 200  # on top of the base


@pytest.fixture(scope="module")
def buildah(folder):
    """buildah with storage of its own."""
    def call(*words, timeout=1500):
        return check_run(["buildah", "--root", folder / "storage", "--runroot", folder / "run", "--storage-driver", "vfs", *words],
                         timeout=timeout)
    return call


@pytest.fixture(scope="module")
def image(folder, buildah):
    here = Path(__file__).parent
    base = folder / "base"
    check_run(["bash", "-c", '. "$1" && make_base "$2"', "bash", here / "debian_base.sh", base], timeout=300)
    check_run(["tar", "-C", base, "-cf", folder / "base.tar", "."], timeout=120)
    shutil.rmtree(base)
    container = buildah("from", "scratch").strip()
    buildah("add", "--quiet", container, folder / "base.tar", "/")
    buildah("commit", "--quiet", container, BASE)

    check_run(["git", "clone", "--quiet", "--no-local", here.parents[1], folder / "context"])
    buildah("bud", "--format", "docker", "--isolation", "chroot", "--pull-never", "--build-arg", f"BASE={BASE}",
            "--ignorefile", folder / "context/docker/Dockerfile.dockerignore", "--file", folder / "context/docker/Dockerfile",
            "--tag", IMAGE, folder / "context")
    return json.loads(buildah("inspect", "--type", "image", IMAGE))


def test_says_how_it_wants_to_be_run(image):
    config = json.loads(image["Config"])["config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/sbin/pgsluice", "health"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Entrypoint"] + config["Cmd"] == ["/usr/sbin/pgsluice", "--config", "/etc/pgsluice/pgsluice.yaml"]
    assert not [name for name in config["Env"] if not name.startswith("PATH=")]


def test_is_small_and_has_no_compiler(image, buildah):
    container = buildah("from", "--pull-never", IMAGE).strip()
    layers = json.loads(image["Manifest"])["layers"]
    assert sum(layer["size"] for layer in layers[1:]) / 1e6 < MOST_MEGABYTES
    found = buildah("run", "--isolation", "chroot", container, "--", "sh", "-c", "command -v g++ cmake git python3 || true")
    assert found == ""


@pytest.fixture
def running(image, buildah, folder, postgres):
    """The container, running its own command on our configuration: its name, its daemon's pid, and the configuration."""
    config = default_config(postgres)
    file = folder / "pgsluice.yaml"
    file.write_text(yaml.safe_dump(config))
    file.chmod(0o644)
    container = buildah("from", "--pull-never", IMAGE).strip()
    wanted = json.loads(image["Config"])["config"]
    log = open(folder / "pgsluice.log", "wb")
    process = subprocess.Popen(
        ["buildah", "--root", str(folder / "storage"), "--runroot", str(folder / "run"), "--storage-driver", "vfs", "run",
         "--isolation", "chroot", "--volume", f"{file}:/etc/pgsluice/pgsluice.yaml:ro", container, "--", *wanted["Entrypoint"],
         *wanted["Cmd"]], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        def daemon():
            assert process.poll() is None, (folder / "pgsluice.log").read_text()
            return _daemon_below(process.pid)
        pid = eventually(daemon, 30, "pgsluice to run in its container")
        yield container, pid, config, process
    finally:
        end(process)
        log.close()


def _daemon_below(pid):
    """The process named pgsluice among the descendants of `pid`."""
    children = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    for child in children.split():
        if Path(f"/proc/{child}/comm").read_text().strip() == "pgsluice":
            return int(child)
        if found := _daemon_below(child):
            return found
    return None


def test_carries_a_psql_session_then_drains(running, buildah, folder):
    container, pid, config, process = running
    port = config["listeners"][0]["port"]
    psql = ["psql", "-XAtqc", "SELECT sum(n) FROM numbers",
            f"host=127.0.0.1 port={port} dbname=app user=app password=app-secret sslmode=disable connect_timeout=10"]
    log = lambda: (folder / "pgsluice.log").read_text()
    assert eventually(lambda: run(psql).returncode == 0, 20, f"psql to come through: {log()}")
    assert check_run(psql).strip() == "500500"

    file = folder / "pgsluice.yaml"
    buildah("run", "--isolation", "chroot", "--volume", f"{file}:/etc/pgsluice/pgsluice.yaml:ro", container, "--",
            "/usr/sbin/pgsluice", "health")
    assert Path(f"/proc/{pid}").stat().st_uid == 10001

    os.kill(pid, signal.SIGTERM)
    assert process.wait(30) == 0, log()
    with pytest.raises(AssertionError):
        buildah("run", "--isolation", "chroot", "--volume", f"{file}:/etc/pgsluice/pgsluice.yaml:ro", container, "--",
                "/usr/sbin/pgsluice", "health")
