"""docs/security.md: its SQL runs on PostgreSQL 15 and gives away no more than it says; its configuration uses it."""
import re
import subprocess

import psycopg
import pytest
import yaml
from support.postgres import PASSWORDS
from support.proxy import Proxy, default_config, login, merged
from support.wire import WireClient


@pytest.fixture(scope="module")
def document():
    from conftest import TREE
    return (TREE / "docs/security.md").read_text()


def block(document, language):
    found, = re.findall(rf"^```{language}\n(.*?)^```", document, flags=re.DOTALL | re.MULTILINE)
    return found


@pytest.fixture(scope="module")
def asked(postgres, document):
    """The server on which the document's SQL has been run, in a database of its own."""
    postgres.execute("ALTER ROLE pgsluice_auth RENAME TO earlier")
    postgres.execute("CREATE DATABASE lookups")
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "postgres", "lookups"],
                   input=block(document, "sql"), text=True, check=True, timeout=60)
    postgres.execute("ALTER ROLE pgsluice_auth PASSWORD 'asker'")
    postgres.execute("CREATE ROLE ending LOGIN PASSWORD 'ending-secret' VALID UNTIL '2100-01-01 00:00+00'")
    return postgres


def ask(server, name):
    with psycopg.connect(host="127.0.0.1", port=server.port, dbname="lookups", user="pgsluice_auth", password="asker") as connection:
        return connection.execute("SELECT name, password, valid_until FROM pgsluice.user_lookup(%s)", (name,)).fetchall()


def test_gives_name_verifier_and_end(asked):
    verifier, = asked.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'app'")[0]
    assert ask(asked, "app") == [("app", verifier, None)]
    assert ask(asked, "ending")[0][2] == 4102444800
    assert ask(asked, "expired")[0][2] < 1e9
    assert ask(asked, "forever")[0][2] == float("inf")


@pytest.mark.parametrize("name", ["postgres", "locked", "nobody", "", None, "app'; --"])
def test_gives_nothing_of_others(asked, name):
    assert ask(asked, name) == []


def test_the_role_can_do_nothing_else(asked):
    with psycopg.connect(host="127.0.0.1", port=asked.port, dbname="lookups", user="pgsluice_auth", password="asker", autocommit=True) as connection:
        for statement in ("SELECT rolpassword FROM pg_authid", "CREATE TABLE public.t ()", "CREATE TABLE pgsluice.t ()", "CREATE SCHEMA s",
                          "CREATE OR REPLACE FUNCTION pgsluice.user_lookup(username text) RETURNS int LANGUAGE sql AS 'SELECT 1'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_others_cannot_ask(asked):
    with psycopg.connect(host="127.0.0.1", port=asked.port, dbname="lookups", user="app", password=PASSWORDS["app"]) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM pgsluice.user_lookup('app')")


def test_a_temporary_table_does_not_stand_in_for_the_catalog(asked):
    with psycopg.connect(host="127.0.0.1", port=asked.port, dbname="lookups", user="postgres", options="-c search_path=pg_temp,pg_catalog") as connection:
        connection.execute("CREATE TEMP TABLE pg_authid (rolname name, rolpassword text, rolvaliduntil timestamptz, rolcanlogin bool, rolsuper bool, rolreplication bool)")
        connection.execute("INSERT INTO pg_temp.pg_authid VALUES ('made up', 'x', NULL, true, false, false)")
        assert connection.execute("SELECT * FROM pgsluice.user_lookup('made up')").fetchall() == []


@pytest.fixture
def proxy(asked, document, tmp_path):
    """A daemon with the document's `auth` section; nothing of the test's own about users."""
    (tmp_path / "pgsluice_auth").touch(mode=0o600)
    (tmp_path / "pgsluice_auth").write_text("asker\n")
    configuration = merged(default_config(asked), {"auth": None})
    configuration["auth"] = yaml.safe_load(block(document, "yaml"))["auth"]
    configuration["auth"]["query"]["database"] = "lookups"
    started = Proxy(tmp_path, configuration).start()
    yield started
    started.stop()


def outcome(proxy, user, password):
    with WireClient(proxy.address) as client:
        last = client.start(user, "app", password)[-1]
        return last.sqlstate if last.tag == "E" else last.tag


def test_the_configuration_logs_in_and_passes_through(proxy):
    for user in ("app", "ending", "forever"):
        with login(proxy, user=user) as client:
            assert client.value("SELECT session_user") == user


@pytest.mark.parametrize("user, password", [("app", "wrong"), ("expired", PASSWORDS["expired"]), ("locked", PASSWORDS["locked"]),
                                            ("postgres", "anything"), ("nobody", "anything")])
def test_the_configuration_refuses(proxy, user, password):
    assert outcome(proxy, user, password) == "28P01"
