"""Makes the programs runnable. What is costly to make (Go's cache, npm's packages) stays below build/."""
import contextlib
import fcntl
import os
import shutil
from pathlib import Path

from support.proxy import REPOSITORY
from support.system import check_run

PROGRAMS = Path(__file__).resolve().parents[1] / "programs"
KEPT = REPOSITORY / "build/drivers"
JDBC = "/usr/share/java/postgresql.jar"

BUILD_TIMEOUT = 240  # seconds; Go compiles its driver once, npm asks a registry


@contextlib.contextmanager
def alone(folder: Path):
    """Workers share what is built: one makes it, the others wait and find it made."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def python(file: str):
    return lambda folder: ["/usr/bin/python3", PROGRAMS / "python" / file]


def libpq(folder: Path) -> list:
    program = folder / "libpq"
    with alone(folder):
        if not program.exists():
            flags = check_run(["pkg-config", "--cflags", "--libs", "libpq"]).split()
            sources = sorted((PROGRAMS / "libpq").glob("*.c"))
            strict = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror"]
            check_run(["cc", *strict, "-o", program, *sources, *flags], timeout=BUILD_TIMEOUT)
    return [program]


def java(folder: Path) -> list:
    classes = folder / "java"
    with alone(folder):
        if not classes.exists():
            sources = sorted((PROGRAMS / "java").glob("*.java"))
            check_run(["javac", "-Xlint:all", "-Werror", "-cp", JDBC, "-d", classes, *sources], timeout=BUILD_TIMEOUT)
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JDBC}:{classes}", "Main"]


def go(folder: Path) -> list:
    """Without modules, so that Debian's own pgx is found and nothing is fetched."""
    program = folder / "go"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(KEPT / "go")}
    with alone(KEPT):
        if not program.exists():
            check_run(["go", "build", "-o", program, *sorted((PROGRAMS / "go").glob("*.go"))], env=environment,
                      timeout=BUILD_TIMEOUT)
    return [program]


def node(folder: Path) -> list:
    """The packages of package.json, whose exact versions stand there; fetched anew only when that file has changed."""
    kept = KEPT / "node"
    sources = PROGRAMS / "node"
    with alone(kept):
        done = kept / "installed.json"
        wanted = (sources / "package.json").read_text()
        if not done.exists() or done.read_text() != wanted:
            shutil.copy(sources / "package.json", kept)
            quietly = ["--ignore-scripts", "--no-audit", "--no-fund"]
            check_run(["npm", "install", *quietly], cwd=kept, timeout=BUILD_TIMEOUT)
            done.write_text(wanted)
    # Node looks for packages beside the file that asks for them, so the program goes to where they are.
    with alone(folder):
        place = folder / "node"
        if not place.exists():
            shutil.copytree(sources, place)
            (place / "node_modules").symlink_to(kept / "node_modules")
    return ["node", place / "main.js"]
