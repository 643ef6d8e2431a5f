"""pool.lazy_begin: BEGIN by itself takes no server, and a transaction is what it is without it."""
import pytest

from support import messages as m
from support.proxy import default_config, hold_server, login
from support.system import eventually
from support.wire import error_in, summaries


@pytest.fixture
def client(sluice):
    with login(sluice(pool={"size": 1})) as client:
        yield client


def test_clients_that_have_only_begun_keep_nobody_waiting(sluice, postgres):
    proxy = sluice(pool={"size": 1})
    clients = [login(proxy) for _ in range(5)]
    for client in clients:
        assert summaries(client.query("begin")) == ["C:BEGIN", "Z:T"]
    for value, client in enumerate(clients):
        assert client.value(f"select {value}") == str(value)
        assert summaries(client.query("commit")) == ["C:COMMIT", "Z:I"]
    assert len(postgres.backends()) == 1
    for client in clients:
        client.close()


def test_where_it_is_off_begin_takes_a_server(sluice):
    proxy = sluice(pool={"size": 1, "lazy_begin": False})
    with login(proxy) as first, login(proxy) as second:
        first.query("begin")
        second.send(m.query("select 1"))
        assert second.silent_for(0.3)
        first.query("rollback")
        assert "D:1" in summaries(second.until_ready())


@pytest.mark.parametrize("begin, level, read_only", [
    ("begin", "read committed", "off"),
    ("begin read only", "read committed", "on"),
    ("start transaction isolation level repeatable read, read only;", "repeatable read", "on"),
    ("BEGIN ISOLATION LEVEL SERIALIZABLE", "serializable", "off"),
])
@pytest.mark.parametrize("extended", [False, True])
def test_the_modes_of_a_transaction_arrive(client, begin, level, read_only, extended):
    assert summaries(client.query(begin))[-1] == "Z:T"
    for name, value in (("transaction_isolation", level), ("transaction_read_only", read_only)):
        client.send(m.unnamed(f"show {name}") + m.SYNC if extended else m.query(f"show {name}"))
        assert f"D:{value}" in summaries(client.until_ready())
    client.query("rollback")


def test_the_first_statement_is_in_the_transaction(client, postgres):
    client.query("begin")
    client.query("insert into target values (1, 'lost')")
    client.query("rollback")
    client.query("begin")
    client.send(m.unnamed("insert into target values (2, 'kept')"), m.SYNC)
    client.until_ready()
    client.query("commit")
    assert postgres.execute("select a from target", dbname="app") == [(2,)]


@pytest.mark.parametrize("first, seen", [
    ("set transaction isolation level serializable", ["C:SET", "Z:T"]),
    ("savepoint s", ["C:SAVEPOINT", "Z:T"]),
    ("begin", ["N:WARNING:25001", "C:BEGIN", "Z:T"]),
    ("", ["I", "Z:T"]),
    ("select 1/0", ["E:ERROR:22012", "Z:E"]),
    ("rollback to s", ["E:ERROR:3B001", "Z:E"]),
    ("vacuum", ["E:ERROR:25001", "Z:E"]),
    ("commit and chain", ["C:COMMIT", "Z:T"]),
])
def test_any_statement_may_be_the_first(client, first, seen):
    client.query("begin")
    assert summaries(client.query(first)) == seen
    assert summaries(client.query("rollback"))[-1] == "Z:I"


def test_nothing_of_it_is_seen_in_the_session(client):
    for looks in ("select name from pg_cursors", "select name from pg_prepared_statements"):
        client.query("begin")
        client.send(m.parse(looks, "look"), m.bind("look", portal="own"), m.execute("own"), m.SYNC)
        rows = [x for x in summaries(client.until_ready()) if x.startswith("D:") and "pgsluice_begin" in x or x == "D:"]
        assert rows == []
        client.send(m.execute(""), m.SYNC)
        assert error_in(client.until_ready()).sqlstate == "34000"
        client.query("rollback")
        client.query("deallocate look")


def test_a_begin_that_the_server_refuses_fails_the_transaction_and_nothing_runs_outside_of_it(make_postgres, make_proxy):
    standby = make_postgres("standby", start=False)
    (standby.data / "standby.signal").touch()
    standby.start()
    with login(make_proxy(default_config(standby))) as client:
        client.send(m.parse("select 1", "s"), m.SYNC)
        client.until_ready()
        for first in (m.query("select 'ran'"), m.unnamed("select 'ran'") + m.SYNC, m.query("execute s"), m.query("deallocate s")):
            client.query("begin read write")
            client.send(first)
            seen = client.until_ready()
            assert summaries(seen) == ["E:ERROR:0A000", "Z:E"]
            assert "during recovery" in error_in(seen).fields["M"]
            assert summaries(client.query("select 'ran'")) == ["E:ERROR:25P02", "Z:E"]
            assert summaries(client.query("commit")) == ["C:ROLLBACK", "Z:I"]
        assert client.value("select 'ran'") == "ran"


def test_a_statement_that_policies_block_fails_it(sluice):
    proxy = sluice(policies=[{"name": "p", "when": {"pattern": "danger"}, "action": "block"}])
    with login(proxy) as client:
        client.query("begin")
        assert summaries(client.query("select 'danger'")) == ["E:ERROR:42501", "Z:E"]
        assert summaries(client.query("select 1")) == ["E:ERROR:25P02", "Z:E"]
        assert summaries(client.query("rollback")) == ["C:ROLLBACK", "Z:I"]
        assert client.value("select 1") == "1"


def test_waiting_too_long_for_a_server_fails_it(sluice):
    proxy = sluice(pool={"size": 1, "query_wait_timeout": "300ms"})
    with login(proxy) as holder, login(proxy) as client:
        hold_server(holder)
        client.query("begin")
        assert summaries(client.query("select 1")) == ["E:ERROR:53300", "Z:E"]
        holder.query("rollback")
        assert summaries(client.query("select 1")) == ["E:ERROR:25P02", "Z:E"]
        assert summaries(client.query("commit")) == ["C:ROLLBACK", "Z:I"]


def test_a_client_that_leaves_behind_its_begin_leaves_nothing(sluice, postgres):
    proxy = sluice(pool={"size": 1})
    with login(proxy) as client:
        client.query("begin")
    eventually(lambda: proxy.metrics().sum("pgsluice_clients") == 0, 5, "no clients")
    assert postgres.backends(state="idle in transaction") == []
