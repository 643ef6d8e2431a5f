"""The servers that are compared: a throwaway PostgreSQL, and each proxy in front of it, on free ports of loopback.

All proxies log connections, run one thread or worker, ask clients for SCRAM-SHA-256 and hold the plain password."""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import psycopg
import yaml
from support.system import as_unprivileged, check_run, end, eventually, free_port, give_to_unprivileged

USER, PASSWORD, POOL = "bench", "bench-secret", 20
SESSIONS = 140  # servers of a pool in session mode: one for each client of the largest round
MOST_CLIENTS = 6000


class Server:
    """A process of ours. A subclass says how to start it and which port tells that it is ready."""

    name = ""

    def __init__(self, folder, label=""):
        self.folder = folder / f"{self.name}{label}"
        self.folder.mkdir(mode=0o755)
        give_to_unprivileged(self.folder)
        self.port = free_port()
        self.process = None

    def start(self, command, readable=()):
        for path in readable:
            give_to_unprivileged(path)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(as_unprivileged([str(word) for word in command]), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, cwd=self.folder)
        eventually(self._listens, 30, f"{self.name} to listen")
        return self

    def _listens(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended at once:\n{(self.folder / 'log').read_text()[-2000:]}")
        with contextlib.closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process:
            end(self.process)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        give_to_unprivileged(path)
        return path

    def dsn(self, database="bench", tls=False):
        return (f"host=127.0.0.1 port={self.port} user={USER} password={PASSWORD} dbname={database} "
                f"sslmode={'require' if tls else 'disable'} gssencmode=disable")


class Postgres(Server):
    name = "direct"

    def __init__(self, folder, certificate):
        super().__init__(folder)
        binaries, data = Path("/usr/lib/postgresql/15/bin"), self.folder / "data"
        password = self.file("password", PASSWORD)
        check_run(as_unprivileged([binaries / "initdb", "-D", data, "-U", USER, f"--pwfile={password}", "--locale=C",
                                   "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"]))
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": 1000, "fsync": "off",
                    "shared_buffers": "512MB", "synchronous_commit": "off", "autovacuum": "off", "max_wal_size": "4GB",
                    "ssl": "on", "ssl_cert_file": self.file("server.crt", certificate.certificate.read_text()),
                    "ssl_key_file": self.file("server.key", certificate.key.read_text())}
        flags = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        self.start([binaries / "postgres", "-D", data, "-p", self.port, *flags])
        eventually(self._answers, 30, "PostgreSQL to answer")
        self.execute("CREATE DATABASE bench")
        check_run([binaries / "pgbench", "-i", "-q", "-s", 10, self.dsn()])
        self.execute("VACUUM ANALYZE", "bench")

    def _answers(self):
        with contextlib.suppress(psycopg.OperationalError):
            return psycopg.connect(self.dsn("postgres")).close() is None

    def stop(self):
        end(self.process, signal.SIGINT)  # does not wait for its clients

    def execute(self, sql, database="postgres"):
        with psycopg.connect(self.dsn(database), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []


class HAProxy(Server):
    name = "haproxy"

    def __init__(self, folder, postgres):
        super().__init__(folder)
        self.start(["/usr/sbin/haproxy", "-db", "-f", self.file("haproxy.cfg", f"""
global
    nbthread 1
    maxconn {MOST_CLIENTS}
    log stdout format raw local0
defaults
    mode tcp
    log global
    option tcplog
    option splice-auto
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen postgres
    bind 127.0.0.1:{self.port}
    server main 127.0.0.1:{postgres.port}
""")])


class PgBouncer(Server):
    name = "pgbouncer"

    def __init__(self, folder, postgres, certificate, tls=False, label=""):
        super().__init__(folder, label)
        users = self.file("users.txt", f'"{USER}" "{PASSWORD}"\n')
        key, certificate = self.file("tls.key", certificate.key.read_text()), self.file("tls.crt", certificate.certificate.read_text())
        server = f"host=127.0.0.1 port={postgres.port} dbname=bench"
        encryption = f"""
client_tls_sslmode = require
client_tls_key_file = {key}
client_tls_cert_file = {certificate}
client_tls_ca_file = {certificate}
server_tls_ca_file = {certificate}
server_tls_sslmode = require""" if tls else ""
        self.start(["/usr/sbin/pgbouncer", self.file("pgbouncer.ini", f"""
[databases]
bench = {server} pool_size={POOL}
bench_session = {server} pool_size={SESSIONS} pool_mode=session
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {users}
pool_mode = transaction
max_client_conn = {MOST_CLIENTS}
ignore_startup_parameters = extra_float_digits
{encryption}
""")])


def fifty_rules():
    """Enforced, and none of them matches what pgbench sends: each kind of condition on what a statement does, with names of its own."""
    conditions = [{"statements": ["delete", "update"], "without_where": True}, {"reads": ["secrets.*"]}, {"columns": ["people.ssn"]},
                  {"functions": ["pg_sleep*"]}, {"statements": ["ddl"], "tables": ["pgbench_*"]}]
    return [{"name": f"rule{number}", "action": "block",
             "when": {key: [f"{each}{number}" if key in ("reads", "columns") else each for each in value] if isinstance(value, list) else value
                      for key, value in conditions[number % len(conditions)].items()}} for number in range(50)]


class PgSluice(Server):
    name = "pgsluice"

    def __init__(self, folder, postgres, certificate, tls=False, workers=1, size=POOL, session_state="preserve", lazy_begin=True,
                 rules=False, label="", prefix=()):
        super().__init__(folder, label)
        binary = self.folder / "pgsluice"  # a copy: the other user may not see into the checkout
        shutil.copy(os.environ["PGSLUICE_BIN"], binary)
        key, certificate = self.file("tls.key", certificate.key.read_text()), self.file("tls.crt", certificate.certificate.read_text())
        listener = {"address": "127.0.0.1", "port": self.port}
        if tls:
            listener["tls"] = {"mode": "require", "certificate": str(certificate), "private_key": str(key)}
        self.config = {
            "listeners": [listener],
            "workers": workers,
            "auth": {"rules": [{"method": "scram-sha-256"}], "users": [{"name": USER, "password": PASSWORD}]},
            "clusters": {"main": {"servers": [{"host": "127.0.0.1", "port": postgres.port}],
                                  "tls": {"mode": "require" if tls else "disable"}}},
            "routes": [{"name": mode, "match": {"databases": [database]}, "cluster": "main", "database": "bench",
                        "pool": {"mode": mode, "size": most, "session_state": session_state, "lazy_begin": lazy_begin}}
                       for mode, database, most in (("transaction", "bench", size), ("session", "bench_session", SESSIONS))],
            "log": {"level": "info", "format": "text"},
            "admin": {"http": f"127.0.0.1:{free_port()}"},
        }
        if rules:
            self.config |= {"policies": fifty_rules(), "insight": {"max_queries": 1000}}
        self.start([*prefix, binary, "--config", self.file("pgsluice.yaml", yaml.safe_dump(self.config, sort_keys=False))])
