"""`pgsluice import-pgbouncer`: PgBouncer runs on an ini file, pgsluice on what was made of it, and both do the same."""
import contextlib
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from support.postgres import AUTH_FUNCTION
from support.pgbouncer import CORPUS, PgBouncer, filled_in, imported
from support.proxy import BINARY
from support.system import free_port, give_to_unprivileged, run

INIS = sorted(path.name for path in CORPUS.iterdir())
PROBE = ("select session_user, current_user, current_database(), current_setting('TimeZone'), current_setting('DateStyle'), "
         "current_setting('client_encoding'), current_setting('work_mem'), (select ssl from pg_stat_ssl where pid = pg_backend_pid())")


class Pair:
    """Both, and how to reach either."""

    def __init__(self, pgbouncer_port, sockets, pgsluice, tls, databases):
        self.databases = databases
        self.sides = {"pgbouncer": (pgbouncer_port, sockets), "pgsluice": (pgsluice.address[1], pgsluice.directory)}
        self._tls = tls

    def connect(self, side, user="app", password=None, database="app", way="tcp", **options):
        port, sockets = self.sides[side]
        host = str(sockets) if way == "unix" else "127.0.0.1"
        if way == "tls":
            options |= {"sslmode": "require"} | self._tls.get(user, {"sslcert": "none", "sslkey": "none"})
        else:
            options["sslmode"] = "disable"
        return psycopg.connect(host=host, port=port, user=user, password=password or f"{user}-secret", dbname=database,
                               autocommit=True, connect_timeout=10, **options)

    def outcomes(self, ask, **how):
        """What ask(connection) gives for each side; a text where there is no connection or it fails."""
        def one(side):
            try:
                with self.connect(side, **how) as connection:
                    return ask(connection)
            except psycopg.OperationalError:
                return "no connection"
            except psycopg.Error as error:
                return f"error {error.sqlstate}"
        return {side: one(side) for side in self.sides}

    def same(self, ask, **how):
        found = self.outcomes(ask, **how)
        assert found["pgbouncer"] == found["pgsluice"], (how, found)
        return found["pgsluice"]


def databases_of(name):
    """Those that an ini file names, any two for its fallback, and one that is nowhere."""
    named = {word for file in (CORPUS / name).glob("*.ini") for word in re.findall(r"^(\S+) = host=", file.read_text(), re.MULTILINE)}
    return sorted(named - {"*"} | ({"app", "other"} if "*" in named else set()) | {"nosuch"})


@pytest.fixture
def both(request, postgres, make_proxy, directory, authority, server_certificate):
    """The ini file of this name, under PgBouncer and under pgsluice."""
    folder = directory / "b"
    folder.mkdir(mode=0o755)
    give_to_unprivileged(folder)
    for file, source in (("server.crt", server_certificate.certificate), ("server.key", server_certificate.key), ("ca.crt", authority.certificate)):
        copy = folder / file
        copy.write_bytes(source.read_bytes())
        copy.chmod(0o600)
        give_to_unprivileged(copy)
    if request.param == "lookup":
        for database in ("app", "other"):  # where PgBouncer 1.18 asks: in the database that the client wants
            postgres.execute("drop schema if exists pgsluice cascade;" + AUTH_FUNCTION, dbname=database)
    verifiers = dict(postgres.execute("select rolname, rolpassword from pg_authid where rolname in ('app', 'other')"))
    port = free_port()
    ini = filled_in(request.param, folder, {
        "port": port, "folder": folder, "postgres_port": postgres.port, "postgres_sockets": postgres.socket_directory,
        "certificate": folder / "server.crt", "key": folder / "server.key", "ca": folder / "ca.crt",
        **{f"verifier:{name}": verifier for name, verifier in verifiers.items()}})
    tls = {}
    if request.param == "certificates":
        for user in ("app", "md5user"):
            made = authority.issue(user, file=f"import-{user}")
            tls[user] = {"sslcert": str(made.certificate), "sslkey": str(made.key)}
    pgbouncer = PgBouncer(ini, port)
    try:
        pgsluice = make_proxy(imported(ini, directory), start=False)
        for listener in pgsluice.config["listeners"]:
            if "unix" in listener:
                listener["unix"] = str(pgsluice.directory)
        pgsluice.write_config()
        yield Pair(port, folder, pgsluice.start(), tls, databases_of(request.param))
    finally:
        pgbouncer.stop()


def of(*names):
    return pytest.mark.parametrize("both", names, indirect=True)


@of(*INIS)
def test_the_same_people_get_in_by_the_same_ways_and_find_the_same_session(both):
    people = [("app", None), ("other", None), ("md5user", None), ("plainuser", None), ("trusted", "x"), ("nobody", None), ("app", "wrong")]
    cases = [dict(user=user, password=password, database=database, way=way)
             for user, password in people for database in both.databases for way in ("tcp", "tls", "unix")]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda how: both.same(lambda c: c.execute(PROBE).fetchall(), **how), cases))
    got_in = [row for row in found if isinstance(row, list)]
    assert got_in and len(got_in) < len(cases), "some get in, and some do not"


def servers_of_idle_clients(postgres, both, side, clients=3, **how):
    """How many servers clients keep that have asked something and sit idle."""
    before = set(postgres.backends())
    with contextlib.ExitStack() as stack:
        for _ in range(clients):
            stack.enter_context(both.connect(side, **how)).execute("select 1")
        return len(set(postgres.backends()) - before)


@pytest.mark.parametrize("both, user, database, servers", [
    ("fallback", "app", "app", 3), ("web", "app", "orders", 1), ("users", "app", "app", 1), ("users", "other", "app", 3), ("users", "app", "other", 1),
    ("users", "plainuser", "other", 3), ("statement", "app", "app", 1), ("clusters", "app", "app", 1), ("clusters", "app", "socket", 3)],
    indirect=["both"])
def test_idle_clients_keep_as_many_servers(both, postgres, user, database, servers):
    """Sessions keep theirs; transactions and statements give it back."""
    for side in both.sides:
        with both.connect(side, user=user, database=database) as first:  # min_pool_size counts apart
            first.execute("select 1")
            got = servers_of_idle_clients(postgres, both, side, user=user, database=database)
        assert got == (servers if servers > 1 else 0), side


@pytest.mark.parametrize("both, database, size", [("web", "orders", 2), ("web", "reports", 3), ("clusters", "app", 2), ("included", "odd.name", 2)],
                         indirect=["both"])
def test_as_many_transactions_run_at_once(both, database, size):
    for side in both.sides:
        running, most, lock = 0, 0, threading.Lock()

        def transact():
            nonlocal running, most
            with both.connect(side, database=database) as connection, connection.transaction():
                connection.execute("select 1")
                with lock:
                    running += 1
                    most = max(most, running)
                time.sleep(0.3)
                with lock:
                    running -= 1

        threads = [threading.Thread(target=transact) for _ in range(size + 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert most == size, side


@of("timeouts")
def test_what_takes_too_long_ends_on_both_sides(both):
    begun = []

    def slow_query(connection):
        begun.append(connection.execute("select 1").fetchone())
        return connection.execute("select pg_sleep(4)").fetchall()

    def idle_in_a_transaction(connection):
        connection.execute("begin")
        begun.append(connection.execute("select 1").fetchone())
        time.sleep(3.5)
        return connection.execute("select 1").fetchall()

    for ask in (slow_query, idle_in_a_transaction):
        begun.clear()
        found = both.outcomes(ask)
        assert all(isinstance(outcome, str) for outcome in found.values()), found
        assert begun == [(1,), (1,)], "both sides got as far as to be stopped"

    for side in both.sides:
        with both.connect(side) as holder, both.connect(side) as waiter:
            holder.execute("begin")
            holder.execute("select 1")
            started = time.monotonic()
            with pytest.raises(psycopg.Error):
                waiter.execute("select 1")
            assert 0.5 < time.monotonic() - started < 4, side
            with contextlib.suppress(psycopg.Error):
                holder.execute("rollback")


@of("timeouts")
def test_as_many_clients_get_in(both):
    for side in both.sides:
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(both.connect(side))
            with pytest.raises(psycopg.OperationalError):
                both.connect(side)


@of("statement")
def test_statement_mode_refuses_transactions_of_several(both):
    for side in both.sides:
        with both.connect(side) as connection:
            with pytest.raises(psycopg.Error):
                connection.execute("begin")
                connection.execute("select 1")


@of("console")
def test_the_same_people_may_look_and_act(both):
    for user in ("app", "other", "plainuser", "md5user"):
        for command in ("show version", "reload"):
            found = both.outcomes(lambda c: len(c.cursor().execute(command).description or []) > 0, user=user, database="pgbouncer", prepare_threshold=None)
            allowed = {side: isinstance(outcome, bool) for side, outcome in found.items()}
            assert allowed["pgbouncer"] == allowed["pgsluice"] == (user == "app" or (user in ("other", "plainuser") and command != "reload")), (user, command, found)


# --- the command itself ---

def import_of(folder, text, *words):
    ini = folder / "pgbouncer.ini"
    ini.write_text(text)
    return run([BINARY, "import-pgbouncer", ini, *words], timeout=20)


SHORT = "[databases]\n* = host=127.0.0.1\n[pgbouncer]\nlisten_addr = 127.0.0.1\nunix_socket_dir =\n"


@pytest.mark.parametrize("more, code", [("", 0), ("application_name_add_host = 1\n", 0), ("disable_pqexec = 1\n", 1), ("auth_type = ldap\n", 1),
                                        ("max_client_conn = many\n", 2), ("no setting\n", 2), ("frobnicate = 1\n", 2)])
def test_the_exit_code_says_how_far_the_result_can_be_trusted(directory, more, code):
    done = import_of(directory, SHORT + more)
    assert done.returncode == code, done.stderr
    assert ("pgbouncer.ini:6: " in done.stderr) == bool(more)


def test_the_file_that_it_writes_is_ones_own_and_never_one_that_was_there(directory):
    output = directory / "out.yaml"
    assert import_of(directory, SHORT, "-o", output).returncode == 0
    assert output.stat().st_mode & 0o777 == 0o600
    assert run([BINARY, "--config", output, "--check"]).returncode == 0
    before = output.read_text()
    done = import_of(directory, SHORT + "max_client_conn = 7\n", "--output", output)
    assert done.returncode == 1 and "exists" in done.stderr
    assert output.read_text() == before


def test_what_the_result_lacks_on_this_machine_is_said_at_once(directory):
    done = import_of(directory, SHORT + "client_tls_sslmode = require\nclient_tls_cert_file = /nowhere/c\nclient_tls_key_file = /nowhere/k\n",
                     "--output", directory / "out.yaml")
    assert done.returncode == 1
    assert "listeners[0].tls.certificate: cannot read /nowhere/c" in done.stderr
