"""What is measured, by name. Each measurement takes one reading of one target: a dict of figures."""
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from measure import BIN, cpu_seconds, pgbench, stream, warm_up
from servers import PASSWORD, USER
from support.memory import private_bytes

CLIENTS = Path(__file__).with_name("clients.py")


class Measurement:
    most_rounds = 1000
    skips = ()  # targets that it says nothing about

    def targets(self, chosen):
        return [target for target in chosen if target not in self.skips]


class Pgbench(Measurement):
    """pgbench -S. Prepared statements need session mode in Debian's PgBouncer, so that all poolers get it there; pgsluice is
    measured in transaction mode beside it."""

    def __init__(self, mode, clients, tls=False):
        self.mode, self.clients, self.tls = mode, clients, tls
        self._warm = set()

    def targets(self, chosen):
        beside = ["pgsluice, transaction"] if self.mode == "prepared" and "pgsluice" in chosen else []
        return [*chosen, *beside]

    def take(self, stage, target, options):
        kind, _, pooling = target.partition(", ")
        server = stage.server(kind, **({"tls": True} if self.tls and kind in ("pgbouncer", "pgsluice") else {}))
        session = self.mode == "prepared" and not pooling and kind in ("pgbouncer", "pgsluice")
        dsn = server.dsn("bench_session" if session else "bench", self.tls)
        if target not in self._warm:
            self._warm.add(target)
            warm_up(dsn, self.mode, self.clients)
        return pgbench(dsn, None if kind == "direct" else server.pid, self.mode, self.clients, options.seconds, stage.folder)


class Workers(Measurement):
    """pgsluice alone, with one worker and with two."""

    def targets(self, chosen):
        return ["pgsluice", "pgsluice, 2 workers"] if "pgsluice" in chosen else []

    def take(self, stage, target, options):
        server = stage.server("pgsluice", **({"workers": 2} if target.endswith("2 workers") else {}))
        return pgbench(server.dsn(), server.pid, "simple", 16, options.seconds, stage.folder)


class SessionState(Measurement):
    """pgsluice alone, where it keeps what clients make of their sessions and where it does not look; each statement has another text."""

    def targets(self, chosen):
        return ["pgsluice", "pgsluice, session_state: ignore"] if "pgsluice" in chosen else []

    def take(self, stage, target, options):
        server = stage.server("pgsluice", **({"session_state": "ignore"} if target.endswith("ignore") else {}))
        return pgbench(server.dsn(), server.pid, "simple", 16, options.seconds, stage.folder)


class Rules(Measurement):
    """pgsluice alone: with fifty rules over what statements do and the statistics of queries, and without."""

    def __init__(self, mode):
        self.mode = mode

    def targets(self, chosen):
        return ["pgsluice", "pgsluice, 50 rules and insight"] if "pgsluice" in chosen else []

    def take(self, stage, target, options):
        server = stage.server("pgsluice", **({"rules": True} if target.endswith("insight") else {}))
        return pgbench(server.dsn(), server.pid, self.mode, 16, options.seconds, stage.folder)


class Transaction(Measurement):
    """One SELECT between BEGIN and COMMIT, each a round trip: by poolers, and by pgsluice where BEGIN takes a server."""

    skips = ("direct", "haproxy")

    def targets(self, chosen):
        return [*super().targets(chosen), *(["pgsluice, lazy_begin: false"] if "pgsluice" in chosen else [])]

    def take(self, stage, target, options):
        script = stage.folder / "transaction.sql"
        script.write_text("\\set aid random(1, 100000)\nbegin;\nselect abalance from pgbench_accounts where aid = :aid;\ncommit;\n")
        kind, _, eager = target.partition(", ")
        server = stage.server(kind, **({"lazy_begin": False} if eager else {}))
        return pgbench(server.dsn(), server.pid, "simple", 16, options.seconds, stage.folder, script)


class Settings(Measurement):
    """pgsluice alone: 64 clients with 20 prepared statements each on 4 servers, so that most transactions find one that another had."""

    PROCESSES, CLIENTS, STATEMENTS = 8, 8, 20

    def targets(self, chosen):
        return ["pgsluice, equal settings", "pgsluice, 8 sets of settings"] if "pgsluice" in chosen else []

    def take(self, stage, target, options):
        server = stage.server("pgsluice", size=4)
        command = [BIN / "pgbench", "-n", "-M", "prepared", "-c", self.CLIENTS, "-T", options.seconds]
        for number in range(self.STATEMENTS):
            script = stage.folder / f"statement{number}.sql"
            script.write_text(f"\\set aid random(1, 1000)\nselect abalance + {number} from pgbench_accounts where aid = :aid;\n")
            command += ["-f", script]
        command = [str(word) for word in (*command, server.dsn())]
        before = cpu_seconds(server.pid)
        crowd = []
        for number in range(self.PROCESSES):
            megabytes = 8 + number if target.endswith("8 sets of settings") else 8
            environment = {**os.environ, "PGOPTIONS": f"-c work_mem={megabytes}MB"}
            crowd.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True))
        outputs = [one.communicate(timeout=60 + options.seconds)[0] for one in crowd]
        done = [re.search(r"transactions actually processed: (\d+)", output) for output in outputs]
        if any(one.returncode for one in crowd) or not all(done):
            raise RuntimeError(f"pgbench with settings failed:\n{outputs[0][-2000:]}")
        count = sum(int(each[1]) for each in done)
        return {"tps": count / options.seconds, "cpu": 1e6 * (cpu_seconds(server.pid) - before) / count}


class Stream(Measurement):
    """COPY in either direction, or the rows of one large SELECT, in rows of about 100 bytes; MB as PostgreSQL sends them."""

    def __init__(self, sql, from_file=False):
        self.sql, self.from_file = sql, from_file

    def take(self, stage, target, options):
        megabytes, file = _rows(stage, options.megabytes)
        stage.postgres.execute("TRUNCATE sink", "bench")
        server = stage.server(target)
        return stream(server.dsn(), None if target == "direct" else server.pid, self.sql, megabytes,
                      file if self.from_file else None)


def _rows(stage, megabytes):
    """Table `wide` of so many megabytes, an empty table `sink` like it, and a file with its rows; made once."""
    file = stage.folder / "rows"
    if not file.exists():
        stage.postgres.execute(
            "CREATE UNLOGGED TABLE wide AS SELECT i, repeat(md5(i::text), 3) AS t"
            f" FROM generate_series(1, {megabytes * 1_000_000 // 110}) i; CREATE UNLOGGED TABLE sink (LIKE wide)", "bench")
        stage.postgres.execute("VACUUM ANALYZE wide", "bench")
        with open(file, "wb") as out:
            subprocess.run(["psql", "-XAtqc", "COPY wide TO STDOUT", stage.postgres.dsn()], stdout=out, check=True)
    return file.stat().st_size / 1e6, file


class Logins(Measurement):
    """Clients that log in with SCRAM and leave; four processes at a time, their keys derived once."""

    def take(self, stage, target, options):
        server = stage.server(target)
        where = ["127.0.0.1", str(server.port), USER, PASSWORD, "bench", "plain"]
        subprocess.run([sys.executable, CLIENTS, "login", "0.3", *where], check=True, stdout=subprocess.DEVNULL)
        before, seconds = cpu_seconds(server.pid), min(options.seconds, 3)
        crowd = [subprocess.Popen([sys.executable, CLIENTS, "login", str(seconds), *where], stdout=subprocess.PIPE, text=True)
                 for _ in range(4)]
        count = sum(int(one.communicate(timeout=60)[0] or 0) for one in crowd)
        if any(one.returncode for one in crowd) or not count:
            raise RuntimeError(f"logins at {target} failed")
        figures = {"rate": count / seconds}
        if target != "direct":
            figures["cpu"] = 1e6 * (cpu_seconds(server.pid) - before) / count
        return figures


class Idle(Measurement):
    """Private memory of a fresh process per client that asked one question and has been quiet for 10 s."""

    most_rounds = 3
    skips = ("direct", "haproxy")  # one server process for each client

    def __init__(self, tls):
        self.tls = tls

    def take(self, stage, target, options):
        server = stage.fresh(target, **({"tls": True} if self.tls else {}))
        try:
            words = ["127.0.0.1", str(server.port), USER, PASSWORD, "bench", "tls" if self.tls else "plain"]
            self._crowd(25, words, 0)  # its pool and caches are there before the count begins
            before = private_bytes(server.pid)
            after = self._crowd(options.idle_clients, words, 2 if options.quick else 10, lambda: private_bytes(server.pid))
            return {"bytes": (after - before) / options.idle_clients}
        finally:
            server.stop()

    def _crowd(self, count, words, seconds, read=lambda: None):
        with subprocess.Popen([sys.executable, CLIENTS, "idle", str(count), *words], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as crowd:
            if crowd.stdout.readline().strip() != str(count):
                raise RuntimeError("the idle clients could not all log in")
            time.sleep(seconds)
            value = read()
            crowd.stdin.close()
        return value


ALL = {f"{mode}{clients}": Pgbench(mode, clients) for mode in ("simple", "extended", "prepared") for clients in (1, 16, 128)}
ALL |= {
    "tls16": Pgbench("simple", 16, tls=True),
    "workers2": Workers(),
    "state16": SessionState(),
    "rules16": Rules("simple"),
    "rules_prepared16": Rules("prepared"),
    "begin16": Transaction(),
    "settings64": Settings(),
    "copy_out": Stream("COPY wide TO STDOUT"),
    "copy_in": Stream("COPY sink FROM STDIN", from_file=True),
    "select": Stream("SELECT * FROM wide"),
    "login": Logins(),
    "idle": Idle(tls=False),
    "idle_tls": Idle(tls=True),
}
