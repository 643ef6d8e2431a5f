"""A real PgBouncer beside pgsluice: the same ini file, once run by PgBouncer and once imported."""
import re
import subprocess
from pathlib import Path

import yaml

from .proxy import BINARY
from .system import as_unprivileged, end, eventually, free_port, give_to_unprivileged, run

CORPUS = Path(__file__).resolve().parents[1] / "pgbouncer"


def filled_in(name: str, folder: Path, values: dict) -> Path:
    """Copies a set of files into `folder`, {{NAME}} replaced by its value; the path of its pgbouncer.ini."""
    for source in (CORPUS / name).iterdir():
        text = re.sub(r"\{\{([^}]+)\}\}", lambda match: str(values[match[1]]), source.read_text())
        copy = folder / source.name
        copy.write_text(text)
        copy.chmod(0o600)
        give_to_unprivileged(copy)
    return folder / "pgbouncer.ini"


class PgBouncer:
    """One process, run as the account that runs PostgreSQL, since it refuses root."""

    def __init__(self, ini: Path, port: int):
        self.port = port
        self._log = ini.parent / "output.log"
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(as_unprivileged(["/usr/sbin/pgbouncer", str(ini)]), stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, cwd=ini.parent)
        eventually(self._listens, 20, "PgBouncer to listen")

    def _listens(self) -> bool:
        assert self._process.poll() is None, f"PgBouncer did not start:\n{self._log.read_text()[-3000:]}"
        return "process up" in self._log.read_text()

    def stop(self):
        end(self._process)


def imported(ini: Path, folder: Path) -> dict:
    """What `pgsluice import-pgbouncer` makes of it, with ports and sockets of its own, beside PgBouncer, and like it one thread."""
    done = run([BINARY, "import-pgbouncer", ini])
    assert done.returncode in (0, 1), done.stderr
    config = yaml.safe_load(done.stdout)
    port = free_port()
    for listener in config["listeners"]:
        listener["port"] = port
        if "unix" in listener:
            listener["unix"] = str(folder)
    config["workers"] = 1
    config["admin"] = {**config.get("admin", {}), "http": f"127.0.0.1:{free_port()}"}
    config["log"] = {**config.get("log", {}), "level": "debug", "format": "json"}
    return config
