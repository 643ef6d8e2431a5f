"""The console's own Unix socket (admin.console.unix): for root and pgsluice's account, when nobody else gets in too."""
import os
import stat
import subprocess

import psycopg
import pytest

from support.proxy import default_config, login
from support.system import as_unprivileged, eventually, run


@pytest.fixture
def given(postgres, make_proxy, directory):
    """A daemon that systemd has given a runtime directory."""
    runtime = directory / "run"
    runtime.mkdir()

    def make(**changes):
        proxy = make_proxy(default_config(postgres, **changes), environment={"RUNTIME_DIRECTORY": f"{runtime}:/nonexistent"})
        proxy.awaited_events("started")
        return proxy, runtime / "console"

    return make


def console(folder, user="anybody", database="anything"):
    return psycopg.connect(host=str(folder), user=user, dbname=database, autocommit=True, connect_timeout=5)


def test_it_is_there_by_default_where_systemd_gives_a_folder(given):
    proxy, folder = given()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / ".s.PGSQL.5432").stat().st_mode) == 0o600
    with console(folder) as connection:
        assert connection.execute("show version").fetchall() == [("pgsluice 0.1.0",)]
        connection.execute("reload")
    command, = [event for event in proxy.awaited_events("console_command") if event["command"] == "RELOAD"]
    assert (command["user"], command["address"]) == ("anybody", "[local]")


def test_psql_needs_no_more_than_the_folder(given):
    _, folder = given()
    assert run(["psql", "-X", "-h", folder, "-Atc", "show state"]).stdout.splitlines()[0].startswith("active")


def test_it_is_there_when_no_client_gets_in_any_more(given):
    proxy, folder = given(limits={"client_connections": 1})
    with login(proxy) as client, console(folder) as connection:
        shown = connection.execute("show clients")
        columns = [column.name for column in shown.description]
        number, = [row[columns.index("id")] for row in shown.fetchall() if row[columns.index("user")] == "app"]
        connection.execute(f"kill_client {number}")
        assert client.receive(5).sqlstate == "57P01"


def test_it_goes_with_the_process_and_comes_again(given):
    proxy, folder = given()
    proxy.stop()
    assert not (folder / ".s.PGSQL.5432").exists()
    proxy.start()
    eventually(lambda: len(proxy.events("started")) == 2, 5, "the second start")
    console(folder).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="another account wants root")
def test_other_accounts_are_refused_even_where_they_reach_it(given):
    proxy, folder = given()
    command = as_unprivileged(["psql", "-X", "-h", str(folder), "-Atc", "show version"])
    assert subprocess.run(command, capture_output=True, timeout=20).returncode == 2, "the folder is closed"
    folder.chmod(0o755)
    folder.parent.chmod(0o755)
    (folder / ".s.PGSQL.5432").chmod(0o666)
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and "Peer authentication failed" in done.stderr
    assert proxy.awaited_events("client_login_failed")[0]["reason"] == "authentication"


def test_it_may_be_elsewhere_or_nowhere(given, directory):
    _, folder = given(admin={"console": {"unix": str(directory / "own")}})
    console(directory / "own").close()
    assert not folder.exists()
    _, folder = given(admin={"console": {"unix": ""}})
    assert not folder.exists()


def test_a_folder_that_cannot_be_made_stops_the_start(postgres, make_proxy, directory):
    proxy = make_proxy(default_config(postgres, admin={"console": {"unix": str(directory / "no" / "such")}}), start=False)
    proxy.launch()
    assert proxy.wait() == 1
    assert "admin.console.unix" in proxy.log()
