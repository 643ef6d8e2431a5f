"""Pool modes, sizes, queues and the life of a server connection."""
import asyncio
import contextlib
import time

import psycopg
import pytest

from support import messages as m
from support.proxy import hold_server, login
from support.system import eventually, stays
from support.wire import WireClient, error_in, summaries


def pid_of(client) -> int:
    return int(client.value("select pg_backend_pid()"))


# --- modes ---

def test_transaction_mode_gives_the_server_back_after_each_transaction(sluice, postgres):
    proxy = sluice(pool={"size": 1})
    with login(proxy) as first, login(proxy) as second:
        assert pid_of(first) == pid_of(second)
        first.query("begin")
        pid = pid_of(first)
        second.send(m.query("select pg_backend_pid()"))
        assert second.silent_for(0.3)
        assert pid_of(first) == pid
        first.query("commit")
        assert second.until_ready()[1].row == [str(pid).encode()]
    assert len(postgres.backends()) == 1


def test_a_failed_transaction_keeps_its_server_until_rollback(sluice):
    proxy = sluice(pool={"size": 1})
    with login(proxy) as first, login(proxy) as second:
        first.query("begin")
        first.query("select 1/0")
        second.send(m.query("select 1"))
        assert second.silent_for(0.3)
        first.query("rollback")
        assert summaries(second.until_ready())[-1] == "Z:I"


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("mode, refused_by, sqlstate", [("session", {"options": "-c work_mem=nonsense"}, "22023"),
                                                        ("session", {"replication": "true"}, "42501"),
                                                        ("transaction", {"replication": "database"}, "42501")])
def test_a_login_that_the_server_refuses_waits_for_nobody_elses_server(sluice, workers, mode, refused_by, sqlstate):
    """Servers of other startup packets are no use to it, whoever has them."""
    proxy = sluice(pool={"mode": mode}, workers=workers)
    with login(proxy) as holder:
        hold_server(holder)
        for _ in range(4):
            with WireClient(proxy.address, timeout=5) as client:
                assert client.start("app", "app", "app-secret", **refused_by)[-1].sqlstate == sqlstate


def test_session_mode_keeps_the_server_for_the_clients_life(sluice, postgres):
    proxy = sluice(pool={"mode": "session", "size": 1})
    with login(proxy, "trusted") as first:
        pid = pid_of(first)
        first.query("set work_mem = '7MB'; create temp table mine (a int)")
        assert pid_of(first) == pid
        assert first.value("show work_mem") == "7MB"
        waiter = login_later(proxy)
        assert waiter.silent_for(0.3)
    waiter.receive_until("Z")
    with waiter:
        assert pid_of(waiter) == pid
        assert waiter.value("show work_mem") == "4MB"
        assert waiter.value("select to_regclass('mine') is null") == "t"


def login_later(proxy):
    """Sends the login up to the point where session mode waits for a server."""
    client = WireClient(proxy.address)
    client.send(m.startup({"user": "trusted", "database": "app"}))
    return client


def test_session_mode_resets_what_the_last_client_left(sluice):
    proxy = sluice(pool={"mode": "session", "size": 1})
    left = ["set datestyle = german", "set search_path = pg_catalog", "prepare p as select 1", "listen channel",
            "select pg_advisory_lock(7)", "declare c cursor with hold for select 1", "create temp table t (a int)", "set role trusted"]
    with login(proxy, user="trusted") as first:
        pid = pid_of(first)
        for sql in left:
            first.query(sql)
    with login(proxy, user="trusted") as second:
        assert pid_of(second) == pid
        assert second.value("show datestyle") == "ISO, MDY"
        assert second.value("show search_path") == '"$user", public'
        assert second.value("select count(*) from pg_prepared_statements where name = 'p'") == "0"
        assert second.value("select count(*) from pg_listening_channels()") == "0"
        assert second.value("select count(*) from pg_locks where locktype = 'advisory'") == "0"
        assert second.value("select count(*) from pg_cursors") == "0"
        assert second.value("select current_user") == "trusted"


def test_session_mode_drops_a_server_left_in_a_transaction_or_rolls_back(sluice, postgres):
    proxy = sluice(pool={"mode": "session", "size": 1})
    with login(proxy) as first:
        first.query("begin")
        first.query("insert into target values (1, 'lost')")
    with login(proxy) as second:
        assert second.value("select count(*) from target") == "0"
        assert second.query("select 1")[-1].status == "I"


def test_session_mode_runs_the_connect_query_again_behind_the_reset(sluice):
    proxy = sluice(pool={"mode": "session", "size": 1}, route={"connect_query": "set work_mem = '9MB'; set search_path = pg_catalog"})
    with login(proxy) as first:
        pid = pid_of(first)
        first.query("set work_mem = '7MB'")
    with login(proxy) as second:
        assert pid_of(second) == pid
        assert second.value("show work_mem") == "9MB"
        assert second.value("show search_path") == "pg_catalog"


def test_session_mode_bounds_the_servers_of_all_startup_packets_together(sluice, postgres):
    proxy = sluice(pool={"mode": "session", "size": 2})
    for number in range(8):
        with login(proxy, "trusted", application_name=f"job {number}") as client:
            assert client.value("show application_name") == f"job {number}"
        eventually(lambda: len(postgres.backends()) <= 2, what="a server that was closed for another to be gone")
    with login(proxy, "trusted", application_name="one"), login(proxy, "trusted", application_name="two") as leaves:
        waiter = WireClient(proxy.address)
        waiter.send(m.startup({"user": "trusted", "database": "app", "application_name": "three"}))
        assert waiter.silent_for(0.3)
        leaves.close()
        waiter.receive_until("Z")
        assert waiter.value("show application_name") == "three"
        waiter.close()


def test_session_mode_serves_clients_of_two_startup_packets_in_turn(sluice):
    proxy = sluice(workers=1, pool={"mode": "session", "size": 1})

    def waits(name):
        client = WireClient(proxy.address)
        client.send(m.startup({"user": "trusted", "database": "app", "application_name": name}))
        assert client.silent_for(0.2)
        return client

    with login(proxy, "trusted", application_name="one") as holder:
        first = waits("two")
        second = waits("one")
        holder.close()
        for client, name in ((first, "two"), (second, "one")):
            client.receive_until("Z")
            assert client.value("show application_name") == name
            client.close()
    closed = proxy.metrics().sum("pgsluice_server_closes_total", reason="evicted")
    assert closed == 2, "one server for each that waited"


def test_listen_and_notify_in_session_mode(sluice):
    proxy = sluice(pool={"mode": "session", "size": 3})
    with login(proxy) as listener, login(proxy) as notifier, login(proxy) as bystander:
        listener.query("listen news")
        notifier.query("notify news, 'hello'")
        message = listener.receive()
        assert message.tag == "A" and message.body[4:] == b"news\0hello\0"
        assert bystander.silent_for(0.2)


# --- size ---

def busy(proxy, count, hold="0.3"):
    """`count` clients each run one transaction that takes `hold` seconds; returns the errors."""
    async def one():
        try:
            connection = await psycopg.AsyncConnection.connect(**proxy.dsn(), autocommit=True)
            async with contextlib.AsyncExitStack() as stack:
                await stack.enter_async_context(connection)
                await connection.execute("select pg_sleep(%s)", (hold,))
        except psycopg.Error as error:
            return error

    async def work():
        return [x for x in await asyncio.gather(*[one() for _ in range(count)]) if x]
    return asyncio.run(asyncio.wait_for(work(), 60))


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_size_bounds_the_pool_over_all_workers(sluice, postgres, workers):
    proxy = sluice(pool={"size": 3}, workers=workers)
    assert busy(proxy, 24, "0.1") == []
    assert len(postgres.backends()) == 3
    log = postgres.log()
    assert busy(proxy, 24, "0.1") == []
    assert len(postgres.backends()) == 3, log[-500:]


def test_size_never_exceeded_under_load(sluice, postgres):
    proxy = sluice(pool={"size": 4})
    seen = []

    async def work():
        async def client():
            async with await psycopg.AsyncConnection.connect(**proxy.dsn(), autocommit=True) as connection:
                for _ in range(15):
                    await connection.execute("select pg_sleep(0.01)")

        async def watch():
            while True:
                seen.append(len(await asyncio.to_thread(postgres.backends)))
                await asyncio.sleep(0.02)
        watcher = asyncio.create_task(watch())
        await asyncio.gather(*[client() for _ in range(30)])
        watcher.cancel()
    asyncio.run(asyncio.wait_for(work(), 60))
    assert max(seen) <= 4 and len(seen) > 3


def test_min_size_is_filled_and_refilled(sluice, postgres):
    proxy = sluice(pool={"min_size": 3, "size": 5}, route={"match": {"databases": ["app"], "users": ["app"]}, "database": "app", "user": "app",
                                                        "password": "app-secret"})
    with login(proxy) as client:
        client.query("select 1")
        pids = eventually(lambda: len(postgres.backends()) == 3 and postgres.backends(), what="three servers")
        postgres.terminate(pids[0])
        eventually(lambda: len(postgres.backends()) == 3, what="three servers again")


def test_reserve_opens_after_its_timeout(sluice, postgres):
    proxy = sluice(pool={"size": 1, "reserve_size": 1, "reserve_timeout": "500ms"})
    with login(proxy) as first, login(proxy) as second:
        hold_server(first)
        started = time.monotonic()
        assert second.value("select 1") == "1"
        assert 0.4 < time.monotonic() - started < 3
        assert len(postgres.backends()) == 2
        first.query("commit")


def test_cluster_cap_over_all_pools_takes_from_an_idle_sibling(sluice, postgres):
    proxy = sluice(cluster={"max_connections": 2}, pool={"size": 5})
    with login(proxy, user="app") as first, login(proxy, user="other") as second, login(proxy, user="trusted") as third:
        for client in (first, second, third, first, second, third):
            assert client.value("select 1") == "1"
            eventually(lambda: len(postgres.backends()) <= 2, 2, "the process of the server that made room to end")
        hold_server(first), hold_server(second)
        third.send(m.query("select 'waited'"))
        assert third.silent_for(0.3)
        first.query("commit")
        assert "D:waited" in summaries(third.until_ready())
        second.query("commit")


def test_a_database_name_cannot_lead_into_the_pool_of_another_user(sluice, postgres):
    """Names may hold line ends, and a pool of session mode is known by all names and settings of the startup packet."""
    proxy = sluice(pool={"mode": "session"})
    with login(proxy, user="app", application_name="other") as victim:
        assert victim.value("select current_user") == "app"
    eventually(lambda: proxy.metrics().sum("pgsluice_servers", state="idle") == 1, 5, "the victim's server to be idle")
    with WireClient(proxy.address) as client:
        seen = client.start("other", "app\napp\napplication_name", "other-secret")
        assert (seen[-1].severity, seen[-1].sqlstate) == ("FATAL", "3D000")


def test_pools_are_separate_per_database_and_user(sluice, postgres):
    proxy = sluice(pool={"size": 1})
    with login(proxy, "app", "app") as a, login(proxy, "app", "other") as b, login(proxy, "other", "app") as c:
        for client in (a, b, c):
            hold_server(client)
        assert len(postgres.backends()) == 3
        assert (a.value("select current_database()"), b.value("select current_database()"), c.value("select current_user")) == (
            "app", "other", "other")


# --- waiting ---

def test_waiters_are_served_first_come_first_served(sluice):
    """Across workers: the order of service is the order of arrival."""
    proxy = sluice(pool={"size": 1, "session_state": "ignore"}, workers=2)
    with login(proxy) as holder, contextlib.ExitStack() as stack:
        waiters = [stack.enter_context(login(proxy)) for _ in range(8)]
        holder.query("create temporary sequence if not exists served; begin")
        for number, waiter in enumerate(waiters):
            waiter.send(m.query(f"select nextval('served'), {number}"))
            time.sleep(0.06)
        holder.query("commit")
        order = [waiter.until_ready()[1].row for waiter in waiters]
        assert [int(served) for served, _ in order] == list(range(1, 9)), order


def test_newcomers_never_overtake_waiters(sluice):
    proxy = sluice(pool={"size": 1}, workers=2)
    with login(proxy) as holder, login(proxy) as waiter:
        hold_server(holder)
        waiter.send(m.query("select 'waited'"))
        time.sleep(0.2)
        holder.send(m.query("commit"), m.query("select 1"))
        assert "D:waited" in summaries(waiter.until_ready(timeout=3))
        holder.until_ready(2)


def test_query_wait_timeout_is_an_error_and_the_client_stays(sluice):
    proxy = sluice(pool={"size": 1, "query_wait_timeout": "500ms"})
    with login(proxy) as holder, login(proxy) as waiter:
        hold_server(holder)
        started = time.monotonic()
        reply = waiter.query("select 1")
        assert 0.4 < time.monotonic() - started < 2.5
        error = error_in(reply)
        assert (error.severity, error.sqlstate, error.fields["R"]) == ("ERROR", "53300", "pgsluice")
        assert "default" in error.fields["D"]
        assert reply[-1].status == "I"
        holder.query("commit")
        assert waiter.value("select 'again'") == "again"


def test_query_wait_timeout_in_a_pipeline_skips_to_sync(sluice):
    proxy = sluice(pool={"size": 1, "query_wait_timeout": "300ms"})
    with login(proxy) as holder, login(proxy) as waiter:
        hold_server(holder)
        waiter.send(m.unnamed("select 1"), m.unnamed("select 2"), m.SYNC)
        assert summaries(waiter.until_ready()) == ["E:ERROR:53300", "Z:I"]
        holder.query("commit")
        waiter.send(m.unnamed("select 3"), m.SYNC)
        assert "D:3" in summaries(waiter.until_ready())


def test_a_waiter_that_leaves_does_not_block_the_queue(sluice):
    proxy = sluice(pool={"size": 1})
    with login(proxy) as holder, login(proxy) as leaver, login(proxy) as stayer:
        hold_server(holder)
        leaver.send(m.query("insert into target values (1, 'ghost')"))
        time.sleep(0.1)
        stayer.send(m.query("select 'served'"))
        time.sleep(0.1)
        leaver.reset()
        time.sleep(0.1)
        holder.query("commit")
        assert "D:served" in summaries(stayer.until_ready())
        assert stayer.value("select count(*) from target") == "0"


@pytest.mark.timeout(60)
def test_a_client_that_waits_is_told_so_after_five_seconds(sluice):
    proxy = sluice(pool={"size": 1, "query_wait_timeout": "20s"})
    with login(proxy) as holder, login(proxy) as waiter:
        hold_server(holder)
        started = time.monotonic()
        waiter.send(m.query("select 1"))
        notice = waiter.receive(timeout=9)
        assert notice.tag == "N" and notice.severity == "NOTICE" and notice.fields["R"] == "pgsluice"
        assert 4.5 < time.monotonic() - started < 7.5
        holder.query("commit")
        assert summaries(waiter.until_ready()) == ["T", "D:1", "C:SELECT 1", "Z:I"]


# --- the life of a server connection ---

def test_idle_servers_are_closed(sluice, postgres):
    proxy = sluice(pool={"idle_timeout": "1s"})
    with login(proxy) as client:
        client.query("select 1")
        assert len(postgres.backends()) == 1
        eventually(lambda: not postgres.backends(), 6, "the idle server to be closed")
        assert client.value("select 1") == "1"


def test_old_servers_are_replaced_between_transactions_only(sluice, postgres):
    proxy = sluice(pool={"lifetime": "1s", "size": 1})
    with login(proxy) as client:
        client.query("begin")
        pid = pid_of(client)
        time.sleep(2.5)
        assert pid_of(client) == pid
        client.query("commit")
        eventually(lambda: pid_of(client) != pid, 5, "another server")
        assert len(postgres.backends()) <= 1


def test_server_that_died_while_idle_is_not_lent(sluice, postgres):
    proxy = sluice(pool={"size": 2})
    with login(proxy) as client:
        for _ in range(10):
            pid = pid_of(client)
            postgres.terminate(pid)
            assert pid_of(client) != pid


def test_check_after_idle_finds_a_server_behind_a_cut_path(sluice, postgres, fault_proxy):
    """The path swallows everything, so no end of stream tells that the server is gone."""
    path = fault_proxy(postgres.address)
    proxy = sluice(pool={"size": 1, "check_after_idle": "300ms"}, cluster={"servers": [{"host": "127.0.0.1", "port": path.port}]},
                   timeouts={"connect": "1s"})
    with login(proxy) as client:
        pid = pid_of(client)
        path.swallow_existing()
        time.sleep(0.6)
        client.send(m.query("select pg_backend_pid()"))
        row = client.until_ready(timeout=15)[1].row
        assert row != [str(pid).encode()]


def test_server_killed_in_mid_query_is_one_fatal(target):
    with target.login() as client:
        client.send(m.query("select 'to be killed', pg_sleep(20)"))
        running = "select pid from pg_stat_activity where query = 'select ''to be killed'', pg_sleep(20)' and state = 'active'"
        (pid,), = eventually(lambda: target.postgres.execute(running), what="the query to run")
        target.postgres.terminate(pid)
        assert [x for x in summaries(client.rest()) if x != "T"] == ["E:FATAL:57P01"]


def test_server_terminated_in_a_transaction_while_the_client_is_idle(target):
    with target.login() as client:
        client.query("begin")
        target.postgres.terminate(pid_of(client))
        assert summaries(client.rest()) == ["E:FATAL:57P01"]


def test_server_lost_without_a_word_is_one_fatal(sluice, postgres, fault_proxy):
    path = fault_proxy(postgres.address)
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": path.port}]})
    with login(proxy) as client, login(proxy) as other:
        client.send(m.query("select pg_sleep(20)"))
        time.sleep(0.3)
        path.reset_all()
        errors = client.rest()
        assert summaries(errors) == ["E:FATAL:08006"]
        assert errors[0].fields["R"] == "pgsluice"
        assert other.value("select 1") == "1"


def test_parameters_of_a_route_and_connect_query_reach_every_server(sluice):
    proxy = sluice(pool={"size": 3}, route={"parameters": {"statement_timeout": "33s", "lock_timeout": "44s"},
                                            "connect_query": "select set_config('my.mark', 'set', false)"})
    clients = [login(proxy) for _ in range(3)]
    for client in clients:
        hold_server(client)
    for client in clients:
        assert [client.value(f"show {name}") for name in ("statement_timeout", "lock_timeout", "my.mark")] == ["33s", "44s", "set"]
        client.close()


def test_settings_of_a_connect_query_are_those_that_clients_are_told(sluice):
    proxy = sluice(pool={"size": 1}, route={"connect_query": "set timezone to 'Asia/Tokyo'"})
    with login(proxy) as client, login(proxy, TimeZone="UTC") as other:
        assert client.parameters["TimeZone"] == client.value("show timezone") == "Asia/Tokyo"
        assert other.parameters["TimeZone"] == other.value("show timezone") == "UTC"
        assert client.value("show timezone") == "Asia/Tokyo"


def test_a_connect_query_may_not_leave_a_transaction_open(sluice):
    proxy = sluice(route={"connect_query": "begin"}, timeouts={"connect_retry": "500ms"})
    with WireClient(proxy.address) as client:
        assert client.start("app", "app", "app-secret")[-1].severity == "FATAL"
    assert any("left a transaction open" in event["message"] for event in proxy.awaited_events("server_connect_failed"))


def test_a_bad_connect_query_is_an_error_not_a_hang(sluice):
    proxy = sluice(route={"connect_query": "select nosuch"}, pool={"query_wait_timeout": "3s"}, timeouts={"connect_retry": "500ms"})
    with pytest.raises(psycopg.OperationalError):
        with proxy.connect() as connection:
            connection.execute("select 1")


def test_idle_clients_hold_no_server(sluice, postgres):
    proxy = sluice(pool={"size": 2})
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(login(proxy)) for _ in range(50)]
        for client in clients:
            assert client.value("select 1") == "1"
        assert len(postgres.backends()) <= 2
        stays(lambda: len(postgres.backends()) <= 2, 0.3)
