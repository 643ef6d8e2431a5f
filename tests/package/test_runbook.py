"""The runbook of docs/operations.md, each block typed as it is written: on a machine with PgBouncer, PostgreSQL and the package's
files, in namespaces of its own, so that ports and paths are those of the text. Only sudo and systemctl have stand-ins."""
import os
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
from support.certificates import Authority
from support.postgres import copy_of, template
from support.system import check_run, give_to_unprivileged

NAMESPACES = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
# Neither as an ordinary user nor in a chroot, whose root is no mount that could be made private.
pytestmark = pytest.mark.skipif(subprocess.run([*NAMESPACES, "true"], capture_output=True).returncode != 0,
                                reason="no namespaces of its own can be had here")

PSQL_APP = "psql -X -h 127.0.0.1 -p 6432 -U app -d app"

HOLDERS = "console -At -F '|' -c 'show clients' | awk -F '|' '$2 == \"app\" {print $10, $21}'"  # since when it is there, and its id


def runbook(tree):
    """The blocks of each section, by its heading; "" is what stands ahead of them."""
    text = (tree / "docs/operations.md").read_text().split("\n## Runbook\n")[1].split("\n## ")[0]
    ahead, *parts = re.split(r"^### ", text, flags=re.MULTILINE)
    sections = {"": ahead} | dict(part.split("\n", 1) for part in parts)
    return {heading: re.findall(r"^```sh\n(.*?)^```", body, re.DOTALL | re.MULTILINE) for heading, body in sections.items()}


class Stage:
    """A shell on that machine. type() gives what a block prints, and fails where a line of it does."""

    def __init__(self, tree, folder, binary, data):
        self.home = folder / "home"
        self._shell = subprocess.Popen(
            [*NAMESPACES, tree / "tests/package/runbook/stage", folder, binary, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._watch = threading.Timer(120, self._shell.kill)  # a step that hangs fails
        self._watch.start()
        self._read = b""
        while not self._read.endswith(b"ready\n"):
            piece = os.read(self._shell.stdout.fileno(), 65536)
            assert piece, self._read.decode()
            self._read += piece

    def type(self, block):
        self._shell.stdin.write(block.encode() + b"\0")
        self._shell.stdin.flush()
        seen = b""
        while seen.count(b"\0") < 2:
            piece = os.read(self._shell.stdout.fileno(), 65536)
            assert piece, f"the shell is gone, behind\n{block}\n{seen.decode()}"
            seen += piece
        output, code, _ = seen.decode().split("\0")
        assert code == "0", f"{block}\nended with {code}:\n{output}"
        return output

    def close(self):
        self._watch.cancel()
        self._shell.kill()
        self._shell.wait(20)


@pytest.fixture
def sections(tree):
    return runbook(tree)


@pytest.fixture
def stage(tree, pgsluice, folder, sections):
    servers = folder / "servers"
    if not servers.exists():
        servers.mkdir()
        give_to_unprivileged(servers)
    place = Path(tempfile.mkdtemp(dir=folder))
    place.chmod(0o755)
    data = servers / place.name
    copy_of(template(servers), data, servers)
    made = Stage(tree, place, pgsluice, data)
    try:
        (made.home / "functions").write_text(sections[""][0])
        yield made
    finally:
        made.close()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def moved(stage, sections):
    """Where pgsluice has taken PgBouncer's port."""
    for block in sections["From PgBouncer to pgsluice"][:3]:
        stage.type(block)
    return stage


def test_every_section_is_tried(sections):
    assert set(sections) == {"", "From PgBouncer to pgsluice", "Who holds a server", "Why clients are pinned", "A new certificate",
                             "A new password", "Draining a node"}


def test_from_pgbouncer_to_pgsluice_and_back(stage, sections):
    beside, compare, move, back = sections["From PgBouncer to pgsluice"]
    stage.type(beside)
    assert stage.type(compare).count("| cl_active |") == 2
    assert stage.type("for port in 6432 6433; do psql -X -h 127.0.0.1 -p $port -U ops -d pgbouncer -Atc 'show version'; done").splitlines() == [
        "PgBouncer 1.18.0", "pgsluice 0.1.0"]
    assert stage.type(move).strip() == "1"
    assert "pgsluice" in stage.type("console -Atc 'show version'")
    assert stage.type(back).strip() == "1"
    assert "PgBouncer" in stage.type("psql -X -h 127.0.0.1 -p 6432 -U ops -d pgbouncer -Atc 'show version'")


def test_who_holds_a_server(moved, sections):
    look, end = sections["Who holds a server"]
    moved.type(f"(echo \"begin; select 'held';\"; sleep 60) | {PSQL_APP} >~/held 2>&1 &\nuntil grep -q held ~/held; do sleep 0.05; done")
    seen = moved.type(look)
    assert re.search(r"^user +\| app$", seen, re.MULTILINE) and re.search(r"^state +\| active$", seen, re.MULTILINE)
    assert "idle in transaction" in seen and "select 'held'" in seen
    pid = re.search(r"^(\d+)$", seen, re.MULTILINE)[1]
    assert re.search(rf"^ *{pid} \|", seen, re.MULTILINE), f"the process that pgsluice names is the one that PostgreSQL shows:\n{seen}"
    moved.type(end)
    assert moved.type("console -At -F '|' -c 'show clients' | awk -F '|' '$2 == \"app\"' | wc -l").strip() == "0"


def test_whoever_has_a_server_for_longest_is_ended_however_busy_it_is(moved, sections):
    moved.type(f"(echo \"begin; select 'older';\"; while sleep 0.1; do echo 'select 1;'; done) | {PSQL_APP} >~/older 2>&1 &\n"
               "until grep -q older ~/older; do sleep 0.05; done; sleep 1.1")
    moved.type(f"(echo \"begin; select 'younger';\"; sleep 60) | {PSQL_APP} >~/younger 2>&1 &\n"
               "until grep -q younger ~/younger; do sleep 0.05; done; sleep 1.1")
    assert moved.type(f"{HOLDERS} | wc -l").strip() == "2"
    older = moved.type(f"{HOLDERS} | sort | head -1").strip()
    moved.type(sections["Who holds a server"][1])
    left = moved.type(HOLDERS).strip()
    assert left and left != older
    assert "terminating connection" in moved.type("sleep 0.5; cat ~/older") and "terminating" not in moved.type("cat ~/younger")


def test_why_clients_are_pinned(moved, sections):
    moved.type(f"(echo \"create temporary table t(); select 'held';\"; sleep 60) | {PSQL_APP} >~/held 2>&1 &\n"
               "until grep -q held ~/held; do sleep 0.05; done")
    seen = moved.type(sections["Why clients are pinned"][0])
    assert "temporary_table" in seen
    assert re.search(r'^pgsluice_pinned_clients\{.*reason="temporary_table".*\} 1', seen, re.MULTILINE)


def test_a_new_certificate(moved, sections, tmp_path):
    authority = Authority(tmp_path)
    for name, days in (("old", 10), ("new", 20)):
        made = authority.issue("localhost", file=name, days=days)
        (moved.home / f"{name}.crt").write_bytes(made.certificate.read_bytes())
        (moved.home / f"{name}.key").write_bytes(made.key.read_bytes())
    moved.type("""install -m 640 -g pgsluice old.key /etc/pgsluice/server.key && install -m 644 old.crt /etc/pgsluice/server.crt
sed -i 's|^\\(  - address: .*\\)|\\1\\n    tls: { mode: prefer, certificate: server.crt, private_key: server.key }|' /etc/pgsluice/pgsluice.yaml
systemctl restart pgsluice""")
    replace, look = sections["A new certificate"]
    old = moved.type(look)
    moved.type(replace)
    new = moved.type(look)
    serial = check_run(["openssl", "x509", "-noout", "-serial", "-in", moved.home / "new.crt"]).strip()
    assert serial in new and serial not in old
    expiry = [float(re.search(r"^pgsluice_certificate_expiry\S+ (\S+)", text, re.MULTILINE)[1]) for text in (old, new)]
    assert expiry[1] - expiry[0] == pytest.approx(10 * 86400, abs=60)


def test_a_new_password(moved, sections):
    (moved.home / "new-password").write_text("n3w & better\n")
    assert moved.type(sections["A new password"][0]).strip() == "1"
    assert "28P01" in moved.type(f"PGPASSWORD=app-secret {PSQL_APP} -v VERBOSITY=verbose -c 'select 1' && exit 1; "
                                 f"PGPASSWORD=app-secret {PSQL_APP} -c 'select 1' 2>&1 | grep -q 'password authentication failed' && echo 28P01")


def test_draining_a_node(moved, sections):
    moved.type(f"(echo \"begin; select 'held';\"; sleep 1; echo \"select 'done'; commit;\") | {PSQL_APP} >~/held 2>&1 &\n"
               "until grep -q held ~/held; do sleep 0.05; done")
    seen = moved.type(sections["Draining a node"][0])
    assert "PAUSE" in seen and "RESUME" in seen
    assert "done" in (moved.home / "held").read_text(), "a transaction that runs is waited for"
    moved.type("! psql -X -h 127.0.0.1 -p 6432 -U app -d app -c '' 2>/dev/null")
