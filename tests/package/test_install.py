"""make install puts everything where a packager expects it, and leaves a configuration that is there alone."""
import subprocess

import pytest
from support.figures import is_sanitized


@pytest.fixture
def install(tree, tmp_path, pgsluice):
    def call(**variables):
        words = [f"{key}={value}" for key, value in {"DESTDIR": tmp_path, "BUILD": pgsluice.parents[1], **variables}.items()]
        done = subprocess.run(["make", "-C", tree, "install", *words], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return tmp_path
    return call


def test_places_and_modes(install):
    root = install()
    modes = {str(path.relative_to(root)): path.stat().st_mode & 0o777 for path in root.rglob("*") if path.is_file()}
    assert modes["usr/sbin/pgsluice"] == 0o755
    assert modes["usr/lib/systemd/system/pgsluice.service"] == 0o644
    assert modes["usr/lib/sysusers.d/pgsluice.conf"] == 0o644
    assert modes["etc/pgsluice/pgsluice.yaml"] == modes["etc/pgsluice/userlist.txt"] == 0o640
    assert is_sanitized() or modes["usr/share/man/man8/pgsluice.8.gz"] == 0o644
    for name in ("LICENSE", "operations.md", "pgsluice.yaml"):
        assert f"usr/share/doc/pgsluice/{name}" in modes
    assert not [path for path in modes if path.endswith((".a", ".hpp"))]


def test_another_prefix_is_written_into_the_unit(install):
    root = install(PREFIX="/usr/local", SYSCONFDIR="/usr/local/etc")
    unit = (root / "usr/local/lib/systemd/system/pgsluice.service").read_text()
    assert "ExecStart=/usr/local/sbin/pgsluice --config /usr/local/etc/pgsluice/pgsluice.yaml" in unit
    assert (root / "usr/local/sbin/pgsluice").exists()


def test_keeps_a_configuration_that_is_there(install, tmp_path):
    file = tmp_path / "etc/pgsluice/pgsluice.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    install()
    assert [(path.name, path.read_text()) for path in file.parent.iterdir()] == [("pgsluice.yaml", "mine")]


def test_keeps_users_that_are_there(install, tmp_path):
    file = tmp_path / "etc/pgsluice/userlist.txt"
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    install()
    assert file.read_text() == "mine"
    assert (file.parent / "pgsluice.yaml").exists()


def test_what_is_installed_is_a_configuration(install, pgsluice):
    done = subprocess.run([pgsluice, "--config", install() / "etc/pgsluice/pgsluice.yaml", "--check"], capture_output=True,
                          text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
