"""pgjdbc reads every table of the console, by each of its protocols; tests/e2e/test_console.py does the same with psycopg and psql."""
import os
import subprocess

from harness import builds
from support.console import CONSOLE, connect
from support.proxy import default_config, login

# What changes from one look to the next.
LIVE = {"clients", "sockets", "active_sockets", "fds", "lists", "mem"}


def tables(connection):
    """The names that SHOW takes, as SHOW HELP says them in its notice."""
    said = []
    connection.add_notice_handler(lambda notice: said.append(notice.message_primary + (notice.message_detail or "")))
    connection.execute("show help")
    words = "".join(said).split("SHOW ", 1)[1].split("\n\t")[0] if said else ""
    return [word.strip().lower() for word in words.replace("\n", " ").split("|") if word.strip()]


def test_pgjdbc_reads_every_table_by_each_protocol(server, make_proxy, run_directory):
    proxy = make_proxy(default_config(server, admin=CONSOLE | {"http": ""}))
    command = builds.java(run_directory / "programs" / "pgjdbc")
    with login(proxy, database="app") as client, connect(proxy) as console:
        client.query("create temporary table kept()")
        names = [name for name in tables(console) if name != "help"]
        assert len(names) > 20 and "pools" in names and "pins" in names
        host, port = proxy.address
        environment = {"PATH": os.environ["PATH"], "PGHOST": host, "PGPORT": str(port), "PGDATABASE": "pgbouncer", "PGUSER": "app",
                       "PGPASSWORD": "app-secret", "PGSSLMODE": "disable"}
        done = subprocess.run([*map(str, command[:-1]), "Tables", *names], env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        seen = [line.split("\t") for line in done.stdout.splitlines()]
        assert [name for name, _, _ in seen] == names * 3
        for name, columns, count in seen:
            cursor = console.execute(f"show {name}")
            assert [column.split(":")[0] for column in columns.split()] == [column.name for column in cursor.description], name
            if name not in LIVE:
                assert int(count) == len(cursor.fetchall()), name
