"""How often a pool connects: neither for itself at others' cost nor to a server that refuses, and once more what a client undid."""
import threading
import time

from support import messages as m
from support.proxy import hold_server, login
from support.system import eventually
from support.wire import WireClient, error_in


def logins(postgres):
    return postgres.log().count("connection authorized: user=app") + postgres.log().count("connection authorized: user=other")


def test_pools_that_keep_connections_ready_take_none_from_each_other(sluice, postgres):
    proxy = sluice(workers=1, cluster={"max_connections": 1}, pool={"size": 2, "min_size": 1})
    for user in ("app", "other", "app"):
        with login(proxy, user=user) as client:
            assert client.value("select 1") == "1"
    before = logins(postgres)
    time.sleep(2)
    assert logins(postgres) - before <= 1
    assert proxy.metrics().sum("pgsluice_server_connect_failures_total") == 0


def test_a_server_that_is_full_is_asked_once_per_connect_retry(sluice, postgres):
    postgres.execute("alter role other connection limit 1")
    try:
        proxy = sluice(workers=1, pool={"size": 3}, timeouts={"connect_retry": "500ms"})
        with login(proxy, user="other") as holder, login(proxy, user="other") as one, login(proxy, user="other") as two:
            hold_server(holder)
            for waiter in (one, two):
                waiter.send(m.query("select 'served'"))
            time.sleep(2)
            assert 2 <= proxy.metrics().sum("pgsluice_server_connect_failures_total") <= 10
            holder.query("commit")
            for waiter in (one, two):
                assert waiter.until_ready()[-1].status == "I"
    finally:
        postgres.execute("alter role other connection limit -1")


def test_who_waits_for_a_server_that_is_full_is_told_of_the_servers_limits(sluice, postgres):
    postgres.execute("alter role other connection limit 1")
    try:
        proxy = sluice(workers=1, pool={"size": 3, "query_wait_timeout": "1s"}, timeouts={"connect_retry": "200ms"})
        with login(proxy, user="other") as holder, login(proxy, user="other") as waiter:
            hold_server(holder)
            waiter.send(m.query("select 1"))
            told = error_in(waiter.until_ready())
            assert told.sqlstate == "53300"
            assert 'could open no more: too many connections for role "other".' in told.fields["D"]
            assert "max_connections of the server" in told.fields["H"] and "CONNECTION LIMIT" in told.fields["H"]
        proxy.stop()
        with postgres.connect(user="other", password="other-secret"):
            proxy.start()
            with WireClient(proxy.address) as client:
                told = client.start("other", "app", "other-secret")[-1]
                assert (told.sqlstate, told.text) == ("53300", 'too many connections for role "other"')
                assert "max_connections of the server" in told.fields["H"]
    finally:
        postgres.execute("alter role other connection limit -1")


def test_discard_all_of_a_client_leaves_what_connect_query_has_made(sluice):
    proxy = sluice(workers=1, route={"connect_query": "create temp table ready as select 42 as v"}, pool={"size": 1})
    with login(proxy) as one, login(proxy) as two:
        for _ in range(2):
            assert one.value("select v from ready") == "42"
            two.query("discard all")
        assert two.value("select v from ready") == "42"


def test_a_busy_pool_leaves_room_for_another_at_the_clusters_cap(sluice):
    """Each is served, though one would keep all connections that the server allows busy for ever."""
    proxy = sluice(workers=2, cluster={"max_connections": 2}, pool={"size": 4, "query_wait_timeout": "10s"})
    done = threading.Event()

    def keep_busy():
        with login(proxy, user="app") as client:
            while not done.is_set():
                client.query("select pg_sleep(0.005)")

    threads = [threading.Thread(target=keep_busy) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.5)
        with login(proxy, user="other") as client:
            for _ in range(3):
                started = time.monotonic()
                assert client.value("select 1") == "1"
                assert time.monotonic() - started < 3
                time.sleep(0.3)
    finally:
        done.set()
        for thread in threads:
            thread.join(20)
    closes = proxy.metrics().sum("pgsluice_server_closes_total", reason="evicted")
    assert closes <= 30, "they take turns, and not with each transaction"


def test_a_connection_that_waited_for_its_turn_has_all_of_timeouts_connect(sluice):
    """Each login takes 1 s of the 1.5 s, and the server lets one in at a time."""
    proxy = sluice(workers=1, cluster={"max_connecting": 1}, timeouts={"connect": "1500ms"},
                   route={"parameters": {"post_auth_delay": "1"}})
    served = []

    def ask(user):
        with login(proxy, user=user) as client:
            served.append(client.value("select 1"))

    threads = [threading.Thread(target=ask, args=(user,)) for user in ("app", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert served == ["1", "1"]
    assert proxy.metrics().sum("pgsluice_server_connect_failures_total") == 0


def test_a_pool_whose_names_a_reload_replaces_keeps_nothing_ready(sluice, postgres):
    def route(database):
        return {"name": "default", "match": {"databases": ["app"]}, "cluster": "main", "database": database, "user": "app",
                "password": "app-secret", "pool": {"min_size": 2, "size": 5}}

    proxy = sluice(workers=1, routes=[route("app")])
    eventually(lambda: len(postgres.backends()) == 2, what="the least number of servers")
    for database in ("other", "app", "other"):
        proxy.reload(changes={"routes": [route(database)]})
        with login(proxy) as client:
            assert client.value("select current_database()") == database
        eventually(lambda: len(postgres.backends()) == 2, 8, "the least number of servers, once")
        time.sleep(0.3)
        assert len(postgres.backends()) == 2
    with login(proxy) as stays:
        proxy.reload(changes={"routes": [route("app")]})
        assert stays.value("select current_database()") == "app"
