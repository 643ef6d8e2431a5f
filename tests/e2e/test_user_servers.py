"""limits.server_connections_per_user: the servers of one user, whatever their pools."""
import threading
import time

import pytest

from support import messages as m
from support.console import CONSOLE, connect, one
from support.proxy import hold_server, login, merged
from support.system import eventually
from support.wire import error_in, summaries

OWN = {"users": [{"name": "app", "password": "app-secret", "max_server_connections": 1}, {"name": "other", "password": "other-secret"}]}


@pytest.fixture
def aside(postgres):
    """A second database."""
    postgres.execute("create database aside")
    yield "aside"
    eventually(lambda: postgres.execute("drop database aside with (force)") is None or True, 5, "the database to go")


def servers_of(postgres, user: str) -> int:
    return postgres.execute(f"select count(*) from pg_stat_activity where usename = '{user}' and backend_type = 'client backend'")[0][0]


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("changes", [{"limits": {"server_connections_per_user": 1}}, {"auth": OWN}])
def test_a_user_has_no_more_servers_over_all_databases(sluice, postgres, aside, changes, mode):
    proxy = sluice(pool={"size": 5, "mode": mode}, workers=2, **changes)
    with login(proxy) as first, login(proxy, user="other", database=aside) as stranger:
        hold_server(first)
        waiting = threading.Thread(target=lambda: got.append(login(proxy, database=aside).value("select current_database()")))
        got = []
        waiting.start()
        assert stranger.value("select 1") == "1"
        time.sleep(1)
        assert got == [] and servers_of(postgres, "app") == 1
        first.query("commit")
        if mode == "session":
            first.close()
        waiting.join(10)
        assert got == [aside]
        eventually(lambda: servers_of(postgres, "app") == 1, 2, "the other server's process to end")


def test_idle_servers_of_other_databases_make_room(sluice, postgres, aside):
    proxy = sluice(limits={"server_connections_per_user": 1}, pool={"size": 5}, workers=2)
    with login(proxy) as here, login(proxy, database=aside) as there:
        for client in (here, there, there, here, there):
            started = time.monotonic()
            assert client.value("select 1") == "1"
            assert time.monotonic() - started < 2
            eventually(lambda: servers_of(postgres, "app") == 1, 2, "the other server's process to end")


def test_who_finds_no_server_in_time_is_told_and_stays(sluice, aside):
    proxy = sluice(limits={"server_connections_per_user": 1}, pool={"query_wait_timeout": "700ms"})
    with login(proxy, database=aside) as waiter:
        assert waiter.value("select 1") == "1"
        with login(proxy) as holder:
            hold_server(holder)
            error = error_in(waiter.query("select 1"))
            assert error.sqlstate == "53300" and "server_connections_per_user" in error.fields["H"]
            holder.query("commit")
        assert waiter.value("select 1") == "1"


def test_the_limit_is_told_also_where_connections_that_wait_for_a_place_fill_up_the_pool(sluice):
    proxy = sluice(limits={"server_connections_per_user": 1}, pool={"size": 3, "query_wait_timeout": "700ms"})
    with login(proxy) as first, login(proxy) as second, login(proxy) as holder:
        hold_server(holder)
        for client in (first, second):
            client.send(m.query("select 1"))
        for client in (first, second):
            error = error_in(client.until_ready())
            assert error.sqlstate == "53300" and "fewer connections than pool.size, and could open no more" in error.fields["D"]
            assert "server_connections_per_user" in error.fields["H"]
        holder.query("commit")
        assert first.value("select 1") == "1"


@pytest.mark.parametrize("cluster_cap", [0, 3])
def test_many_clients_of_many_pools_are_all_served(sluice, postgres, aside, cluster_cap):
    """Two users and two databases on three workers: the limits of users and of the server are in each other's way."""
    proxy = sluice(limits={"server_connections_per_user": 2}, cluster={"max_connections": cluster_cap}, pool={"size": 4, "query_wait_timeout": "20s"}, workers=3)
    served, most = [], []

    def work(user, database):
        with login(proxy, user=user, database=database) as client:
            for _ in range(12):
                served.append(client.value("select 1 from pg_sleep(0.01)"))

    threads = [threading.Thread(target=work, args=(user, database)) for user in ("app", "other") for database in ("app", aside) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most.append(max(servers_of(postgres, user) for user in ("app", "other")))
    assert served == ["1"] * len(threads) * 12
    assert 1 <= max(most) <= 2


def test_a_busy_pool_leaves_room_for_another_of_its_user(sluice, aside):
    proxy = sluice(workers=2, limits={"server_connections_per_user": 2}, pool={"size": 4, "query_wait_timeout": "10s"})
    done = threading.Event()

    def keep_busy():
        with login(proxy) as client:
            while not done.is_set():
                client.query("select pg_sleep(0.005)")

    threads = [threading.Thread(target=keep_busy) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        with login(proxy, database=aside) as client:
            for _ in range(3):
                started = time.monotonic()
                assert client.value("select 1") == "1"
                assert time.monotonic() - started < 3
                time.sleep(0.3)
    finally:
        done.set()
        for thread in threads:
            thread.join(20)
    assert proxy.metrics().sum("pgsluice_server_closes_total", reason="evicted") >= 1


def test_the_console_shows_it_and_a_reload_changes_it(sluice, postgres, aside):
    proxy = sluice(admin=CONSOLE, auth=OWN, limits={"server_connections_per_user": 7}, pool={"size": 5})
    with connect(proxy) as console, login(proxy) as client, login(proxy, database=aside) as second:
        hold_server(client)
        shown = one(console, "users", name="app")
        assert (shown["max_user_connections"], shown["current_connections"]) == (1, 1)
        assert one(console, "users", name="other")["max_user_connections"] == 7
        second.send(m.query("select 'waited'"))
        assert second.silent_for(0.5)
        proxy.reload(merged(proxy.config, {"auth": {"users": [{"name": "app", "password": "app-secret"}, OWN["users"][1]]}}))
        assert "D:waited" in summaries(second.until_ready(timeout=10))
        assert servers_of(postgres, "app") == 2
        console.execute("SET max_user_connections = 3")
        assert one(console, "users", name="app")["max_user_connections"] == 3


def test_the_limit_is_that_of_the_user_whom_the_server_knows(sluice, postgres):
    proxy = sluice(admin=CONSOLE, limits={"server_connections_per_user": 1}, route={"user": "app", "password": "app-secret", "pool": {"mode": "session"}})
    with connect(proxy) as console, login(proxy, user="other") as first:
        assert first.value("select current_user") == "app"
        with login(proxy, user="other", database="pgsluice"):
            assert one(console, "users", name="app")["current_connections"] == 1
