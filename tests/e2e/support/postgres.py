"""A real PostgreSQL 15 in a temporary directory. initdb runs once per test run; each server starts from a copy."""
import fcntl
import os
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from .certificates import Certificate
from .system import as_unprivileged, check_run, copy_tree, end, eventually, free_port, give_to_unprivileged

BIN = Path(os.environ.get("PGSLUICE_E2E_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))

SETTINGS = """
listen_addresses = '127.0.0.1, ::1'
dynamic_shared_memory_type = mmap  # /dev/shm may be closed to us in a chroot
max_connections = 160
superuser_reserved_connections = 10
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
wal_level = logical
max_wal_senders = 4
max_prepared_transactions = 4
logging_collector = off
log_connections = on
log_disconnections = on
log_line_prefix = '%m [%p] %q%u@%d '
"""

# A role is named after the way in which PostgreSQL wants it to log in; everybody else uses SCRAM.
HBA = """
local all,replication postgres trust
host  all postgres all trust
local all,replication all scram-sha-256
host  all trusted all trust
host  all md5user all md5
host  all plainuser all password
hostssl all certuser all cert
host  all certuser all reject
host  all rejected all reject
host  all,replication all all scram-sha-256
"""

PASSWORDS = {role: f"{role}-secret" for role in ("app", "other", "md5user", "plainuser", "certuser", "trusted", "rejected",
                                                  "locked", "limited", "expired", "forever", "tls", "pgsluice_auth")}

SCHEMA = """
SET password_encryption = 'scram-sha-256';
""" + "\n".join(f"CREATE ROLE {role} LOGIN PASSWORD '{word}';" for role, word in PASSWORDS.items() if role != "md5user") + f"""
SET password_encryption = 'md5';
CREATE ROLE md5user LOGIN PASSWORD '{PASSWORDS["md5user"]}';
ALTER ROLE locked NOLOGIN;
ALTER ROLE limited CONNECTION LIMIT 1;
ALTER ROLE expired VALID UNTIL '2001-01-01';
ALTER ROLE forever VALID UNTIL 'infinity';
CREATE ROLE "no password" LOGIN;
GRANT pg_signal_backend, pg_monitor TO app;
CREATE DATABASE app OWNER app;
CREATE DATABASE other;
CREATE DATABASE closed ALLOW_CONNECTIONS false;
"""

# The lookup of docs/security.md: the caller may only execute it, and an expired password is no password.
AUTH_FUNCTION = """
CREATE SCHEMA pgsluice;
CREATE FUNCTION pgsluice.lookup(name text) RETURNS TABLE (username name, password text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT rolname, CASE WHEN rolvaliduntil < pg_catalog.now() THEN NULL ELSE rolpassword END
    FROM pg_catalog.pg_authid WHERE rolname = name AND rolcanlogin AND NOT rolsuper
$$;
REVOKE ALL ON FUNCTION pgsluice.lookup(text) FROM PUBLIC;
GRANT USAGE ON SCHEMA pgsluice TO pgsluice_auth;
GRANT EXECUTE ON FUNCTION pgsluice.lookup(text) TO pgsluice_auth;
"""
AUTH_QUERY = "SELECT username, password FROM pgsluice.lookup($1)"

ACCOUNTS = """
CREATE TABLE numbers (n int PRIMARY KEY, t text);
INSERT INTO numbers SELECT i, 'row ' || i FROM generate_series(1, 1000) i;
CREATE TABLE target (a int, b text);
"""


def template(run_directory: Path) -> Path:
    """The data directory that every server of this run is copied from; made by whoever comes first."""
    data = run_directory / "template"
    with open(run_directory / "template.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (run_directory / "template.done").exists():
            data.mkdir()
            give_to_unprivileged(data)
            check_run(as_unprivileged([BIN / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                                       "--locale=C", "--no-sync"]))
            (data / "postgresql.conf").write_text(SETTINGS)
            (data / "pg_hba.conf").write_text(HBA)
            maker = Postgres(data, run_directory)
            maker.start()
            with maker.connect() as connection:
                for statement in filter(str.strip, SCHEMA.split(";")):
                    connection.execute(statement)
            maker.execute(AUTH_FUNCTION)
            maker.execute(ACCOUNTS, dbname="app", setup="SET ROLE app")
            maker.stop()
            (run_directory / "template.done").touch()
    return data


class Postgres:
    """One server; 127.0.0.1, ::1 and a Unix socket in `socket_directory`."""

    def __init__(self, data: Path, socket_directory: Path, certificate: Certificate | None = None, ca: Path | None = None):
        self.data = data
        self.port = free_port()
        self.socket_directory = socket_directory
        self.settings: dict = {}
        self._process: subprocess.Popen | None = None
        self._log = data.parent / f"{data.name}.log"
        if certificate is not None:
            self._enable_tls(certificate, ca)

    def _enable_tls(self, certificate: Certificate, ca: Path | None):
        for source, name in ((certificate.certificate, "server.crt"), (certificate.key, "server.key"), (ca, "root.crt")):
            if source is not None:
                copy = self.data / name
                copy.write_bytes(source.read_bytes())
                copy.chmod(0o600)
                give_to_unprivileged(copy)
        self.settings |= {"ssl": "on", "ssl_ca_file": "root.crt" if ca else ""}

    # --- life ---

    def start(self):
        settings = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        command = [BIN / "postgres", "-D", self.data, "-p", self.port, "-k", self.socket_directory, *settings]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(as_unprivileged([str(word) for word in command]), stdout=log, stderr=log,
                                             stdin=subprocess.DEVNULL)
        eventually(self._answers, 30, "PostgreSQL to accept connections")

    def _answers(self) -> bool:
        assert self._process.poll() is None, f"PostgreSQL did not start:\n{self.log()[-3000:]}"
        try:
            self.connect().close()
            return True
        except psycopg.OperationalError:
            return False

    def stop(self, with_signal=signal.SIGINT):
        """SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, SIGTERM the smart one."""
        end(self._process, with_signal)

    def restart(self):
        self.stop()
        self.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    # --- access, as superuser over the Unix socket, past any proxy ---

    @property
    def address(self) -> tuple:
        return ("127.0.0.1", self.port)

    @property
    def socket_path(self) -> str:
        return str(self.socket_directory / f".s.PGSQL.{self.port}")

    def connect(self, dbname="postgres", user="postgres", **options) -> psycopg.Connection:
        options.setdefault("host", str(self.socket_directory))
        options.setdefault("connect_timeout", 10)
        return psycopg.connect(port=self.port, dbname=dbname, user=user, autocommit=True, **options)

    def execute(self, sql, arguments=None, dbname="postgres", setup=None) -> list:
        """Rows of the last statement, or nothing."""
        with self.connect(dbname) as connection:
            if setup:
                connection.execute(setup)
            cursor = connection.execute(sql, arguments)
            return cursor.fetchall() if cursor.description else []

    def backends(self, user: str | None = None, dbname: str | None = None, state: str | None = None) -> list:
        """Pids of client backends other than ours, oldest first."""
        rows = self.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            " AND (%(user)s::text IS NULL OR usename = %(user)s) AND (%(db)s::text IS NULL OR datname = %(db)s)"
            " AND (%(state)s::text IS NULL OR state = %(state)s) AND usename <> 'postgres' ORDER BY backend_start, pid",
            {"user": user, "db": dbname, "state": state})
        return [pid for pid, in rows]

    def terminate(self, pid: int):
        """Returns when the backend is gone."""
        self.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    def reload(self, **settings):
        for name, value in settings.items():
            self.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        self.execute("SELECT pg_reload_conf()")
        time.sleep(0.2)

    def promote(self):
        self.execute("SELECT pg_promote(true, 20)")

    def make_standby(self, directory: Path, name: str) -> "Postgres":
        """A hot standby streaming from this server, not started yet."""
        data = directory / name
        data.mkdir()
        give_to_unprivileged(data)
        check_run(as_unprivileged([BIN / "pg_basebackup", "-D", data, "-h", self.socket_directory, "-p", self.port,
                                   "-U", "postgres", "--checkpoint=fast", "--no-sync", "--write-recovery-conf"]))
        data.chmod(0o700)
        standby = Postgres(data, self.socket_directory)
        standby.settings = dict(self.settings)
        return standby


def copy_of(source: Path, target: Path, socket_directory: Path, **options) -> Postgres:
    copy_tree(source, target)
    return Postgres(target, socket_directory, **options)
