"""Functions that leave what a server neither tells of nor clears: in transaction mode a client that calls one keeps its
server, finds there what it has left, and takes both along."""
import pytest

from support import messages as m
from support.proxy import login
from support.system import eventually
from support.wire import error_in

PID = "select pg_backend_pid()"
SLOTS = "select count(*) from pg_replication_slots where active_pid = pg_backend_pid()"

# what makes it, what shows it, and what that answers where it is and where it is not
KINDS = {
    "dblink connection": ("select dblink_connect('far', '{here}')",
                          "select coalesce(array_to_string(dblink_get_connections(), ','), '')", "far", ""),
    "replication origin": ("select pg_replication_origin_session_setup('lasting')",
                           "select pg_replication_origin_session_is_setup()", "t", "f"),
    "physical slot": ("select pg_create_physical_replication_slot('lasting', true, true)", SLOTS, "1", "0"),
    "logical slot": ("select pg_create_logical_replication_slot('lasting', 'pgoutput', temporary => true)", SLOTS, "1", "0"),
}


@pytest.fixture
def proxy(sluice, postgres):
    postgres.execute("alter role app superuser")
    postgres.execute("create extension dblink; select pg_replication_origin_create('lasting')", dbname="app")
    made = sluice(workers=1, pool={"size": 2})
    yield made
    made.stop()
    eventually(lambda: not postgres.backends(dbname="app"), 5, "the servers' sessions to end")
    postgres.execute("drop extension dblink; select pg_replication_origin_drop('lasting')", dbname="app")
    postgres.execute("alter role app nosuperuser")


def makes(client, postgres, sql, by):
    host, port = postgres.address
    sql = sql.format(here=f"host={host} port={port} dbname=app user=app password=app-secret")
    client.send(m.query(sql) if by == "query" else m.parse(sql) + m.bind() + m.execute() + m.SYNC)
    assert "E" not in [x.tag for x in client.until_ready()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", ["query", "bind"])
def test_what_nothing_clears_is_its_clients_own_and_goes_with_it(proxy, postgres, kind, by):
    make, show, made, unmade = KINDS[kind]
    with login(proxy) as owner, login(proxy) as stranger:
        makes(owner, postgres, make, by)
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason="library") == 1, 5, "the pin to show")
        pid = owner.value(PID)
        for _ in range(3):
            assert (stranger.value(show), owner.value(show)) == (unmade, made)
            assert (owner.value(PID), stranger.value(PID) == pid) == (pid, False)
        owner.query("discard all")
        assert stranger.value(PID) != pid
        owner.close()
        eventually(lambda: int(pid) not in postgres.backends(dbname="app"), 5, "the server's session to end")
        assert stranger.value(show) == unmade
    assert proxy.metrics().sum("pgsluice_pinned_clients") == 0


def test_a_backup_is_ended_by_the_client_that_began_it_and_by_nobody_else(proxy):
    stop = "select count(*) from pg_backup_stop(false)"
    with login(proxy) as owner, login(proxy) as stranger:
        owner.value("select pg_backup_start('lasting', true) is not null")
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason="library") == 1, 5, "the pin to show")
        for _ in range(3):
            assert error_in(stranger.query(stop)).sqlstate == "55000"
        assert owner.value(stop) == "1"


def test_slots_that_outlive_their_session_keep_no_server(proxy, postgres):
    with login(proxy) as owner, login(proxy) as stranger:
        owner.query("select pg_create_physical_replication_slot('staying', true, false)")
        assert owner.value("select pg_drop_replication_slot('staying') is not null") == "t"
        assert owner.value(PID) == stranger.value(PID)
        assert proxy.metrics().sum("pgsluice_pinned_clients") == 0
