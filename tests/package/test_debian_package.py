"""The Debian package: made by scripts/package, then installed, upgraded and removed in bare Debian 12 folders."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.system import check_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600),
              pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap and chroot want root")]

CONFIGURATION = "etc/pgsluice/pgsluice.yaml"
ENABLED = "etc/systemd/system/multi-user.target.wants/pgsluice.service"
AS_SYSTEMD = """#!/bin/sh
echo "$@" >>/root/systemctl.calls
[ "$2" != is-enabled ] || echo enabled
"""


class Debian:
    """A bare Debian 12 below a folder. What runs there ends with its namespaces."""

    def __init__(self, root):
        self.root = root

    def run(self, script, timeout=300):
        return check_run(["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--", "sh", "-c",
                          'mount -t proc proc "$1/proc" && exec chroot "$1" env -i HOME=/root DEBIAN_FRONTEND=noninteractive '
                          'PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -ec "$2"',
                          "sh", self.root, script], timeout=timeout)

    def install(self, package, options=""):
        shutil.copy(package, self.root / "root/pgsluice.deb")
        return self.run(f"apt-get -q install --yes --no-install-recommends {options} /root/pgsluice.deb")

    def check(self):
        """What pgsluice makes of its configuration, as the account that the unit names."""
        return self.run("runuser -u pgsluice -- pgsluice --config /etc/pgsluice/pgsluice.yaml --check 2>&1")

    def owner(self, path):
        return self.run(f"stat -c '%U:%G %a' /{path}").strip()

    def asked_of_systemd(self):
        """What the stand-in of systemctl was told to do with the running service since the last time."""
        file = self.root / "root/systemctl.calls"
        calls = file.read_text() if file.exists() else ""
        file.unlink(missing_ok=True)
        return re.findall(r"(\S*(?:start|stop)) pgsluice\.service$", calls, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def package():
    done = check_run([Path(__file__).parents[2] / "scripts/package", "--yes"], timeout=3000)
    return Path(done.splitlines()[-1])


@pytest.fixture(scope="module")
def contents(package, folder):
    check_run(["dpkg-deb", "--extract", package, folder / "contents"])
    return folder / "contents"


@pytest.fixture(scope="module")
def newer(package, folder):
    """The same as a later version, which ships another configuration."""
    tree = folder / "newer"
    check_run(["dpkg-deb", "--raw-extract", package, tree])
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace("Version: ", "Version: 1:"))
    with open(tree / CONFIGURATION, "a") as file:
        file.write("# Shipped by a later version.\n")
    check_run(["dpkg-deb", "--build", "--root-owner-group", tree, folder / "newer.deb"])
    return folder / "newer.deb"


@pytest.fixture(scope="module")
def installed(package, folder):
    """A folder with the package and what it depends on: the tests get copies."""
    root = folder / "installed"
    check_run(["bash", "-c", '. "$1" && make_base "$2"', "bash", Path(__file__).with_name("debian_base.sh"), root], timeout=600)
    debian = Debian(root)
    debian.run("apt-get -q update", timeout=300)
    debian.install(package)
    return debian


@pytest.fixture
def debian(installed, tmp_path):
    check_run(["cp", "-a", installed.root, tmp_path / "debian"], timeout=120)
    yield Debian(tmp_path / "debian")
    shutil.rmtree(tmp_path / "debian")


def test_lintian_has_nothing_to_say(package):
    assert check_run(["lintian", "--allow-root", "--fail-on", "error", package], timeout=120) == ""


def test_contents(package, contents):
    assert check_run(["dpkg-deb", "--field", package, "Section"]).strip() == "database"
    depends = check_run(["dpkg-deb", "--field", package, "Depends"])
    assert "libssl3" in depends and "systemd-sysusers" in depends and "libpg" not in depends
    for path in ("usr/sbin/pgsluice", "usr/lib/systemd/system/pgsluice.service", "usr/lib/sysusers.d/pgsluice.conf",
                 "usr/share/man/man8/pgsluice.8.gz", "usr/share/doc/pgsluice/copyright", "usr/share/doc/pgsluice/changelog.gz",
                 "usr/share/doc/pgsluice/operations.md"):
        assert (contents / path).is_file(), path


def test_it_holds_what_make_install_installs(contents, tree, tmp_path):
    check_run(["make", "-C", tree, "install", f"DESTDIR={tmp_path}", "BUILD=build/profiled"])
    files = lambda root: {path.relative_to(root) for path in root.rglob("*") if path.is_file()}
    more = {str(path) for path in files(contents) ^ files(tmp_path)}
    assert more == {"usr/share/lintian/overrides/pgsluice",
                    *(f"usr/share/doc/pgsluice/{name}" for name in ("changelog.gz", "copyright", "libcli11.copyright",
                                                                    "libpg-query.copyright"))}


def test_its_man_page_is_set_without_warnings(contents):
    page = contents / "usr/share/man/man8/pgsluice.8.gz"
    done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], capture_output=True, text=True,
                          timeout=60, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stderr) == (0, "")


def test_once_installed_its_account_accepts_its_configuration(debian):
    assert 'name: "all"' in debian.check()
    assert "warning" not in debian.check()
    assert debian.run("pgsluice --version").startswith("pgsluice ")
    assert debian.owner(CONFIGURATION) == debian.owner("etc/pgsluice/userlist.txt") == "root:pgsluice 640"
    assert (debian.root / ENABLED).is_symlink()
    assert (debian.root / "usr/share/man/man8/pgsluice.8.gz").exists()


def test_an_upgrade_keeps_what_the_administrator_has_changed(debian, newer):
    file = debian.root / CONFIGURATION
    edited = file.read_text().replace("name: all", "name: mine")
    file.write_text(edited)
    debian.run("systemctl disable pgsluice.service && groupadd keepers && chgrp keepers /etc/pgsluice/userlist.txt")
    debian.install(newer, "-o Dpkg::Options::=--force-confold")
    assert debian.run("dpkg-query -W -f '${Version} ${Status}' pgsluice").startswith("1:")
    assert file.read_text() == edited
    assert debian.owner(CONFIGURATION) == "root:pgsluice 640"
    assert debian.owner("etc/pgsluice/userlist.txt") == "root:keepers 640"
    assert not (debian.root / ENABLED).is_symlink()


def test_an_upgrade_brings_a_configuration_that_nobody_has_changed_up_to_date(debian, newer):
    debian.install(newer)
    assert "a later version" in (debian.root / CONFIGURATION).read_text()
    assert 'name: "all"' in debian.check()
    assert debian.owner(CONFIGURATION) == "root:pgsluice 640"
    assert (debian.root / ENABLED).is_symlink()


def test_removal_keeps_configuration_and_logs_and_purge_takes_them(debian):
    (debian.root / CONFIGURATION).write_text("mine\n")
    (debian.root / "etc/pgsluice/server.key").write_text("secret\n")
    debian.run("install -d -o pgsluice /var/log/pgsluice && touch /var/log/pgsluice/pgsluice.log")
    debian.run("apt-get -q remove --yes pgsluice")
    assert not (debian.root / "usr/sbin/pgsluice").exists()
    assert (debian.root / CONFIGURATION).read_text() == "mine\n"
    assert (debian.root / "var/log/pgsluice/pgsluice.log").exists()

    debian.run("apt-get -q purge --yes pgsluice")
    left = debian.run("find / -xdev -path /proc -prune -o -name '*pgsluice*' ! -path '/root/*' -print").split()
    assert [path for path in left if not path.startswith(("/var/log/apt", "/var/cache"))] == []
    assert debian.run("getent passwd pgsluice").startswith("pgsluice:")


def test_after_a_removal_it_can_be_installed_again(debian, package):
    (debian.root / CONFIGURATION).write_text((debian.root / CONFIGURATION).read_text().replace("name: all", "name: mine"))
    debian.run("apt-get -q remove --yes pgsluice")
    debian.install(package)
    assert 'name: "mine"' in debian.check()
    assert (debian.root / ENABLED).is_symlink()


def test_the_service_starts_at_installation_restarts_at_upgrade_and_stops_at_removal(debian, package, newer):
    (debian.root / "usr/bin/systemctl").write_text(AS_SYSTEMD)
    (debian.root / "run/systemd/system").mkdir(parents=True, exist_ok=True)

    debian.install(newer)
    assert debian.asked_of_systemd() == ["try-restart"]
    debian.run("apt-get -q purge --yes pgsluice")
    assert debian.asked_of_systemd() == ["stop"]
    debian.install(package)
    assert debian.asked_of_systemd() == ["start"]
    debian.run("printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d")
    debian.install(newer)
    assert debian.asked_of_systemd() == []
