"""COPY in and out, by simple and extended query, its failures, and its memory."""
import struct

import psycopg
import pytest

from support import messages as m
from support.figures import full_size
from support.memory import Growth
from support.proxy import login
from support.wire import error_in, summaries

COPY_IN = "copy target from stdin"
ROWS = b"1\tone\n2\ttwo\n"


def test_copy_in_by_simple_query(target):
    with target.login() as client:
        client.send(m.query(COPY_IN))
        assert summaries(client.receive_until("G")) == ["G"]
        client.send(m.copy_data(ROWS), m.COPY_DONE)
        assert summaries(client.until_ready()) == ["C:COPY 2", "Z:I"]
        assert client.value("select string_agg(b, ',' order by a) from target") == "one,two"


def test_copy_in_by_extended_query_with_sync_behind_copy_done(target):
    with target.login() as client:
        client.send(m.parse(COPY_IN), m.bind(), m.execute(), m.FLUSH)
        client.receive_until("G")
        client.send(m.copy_data(ROWS), m.COPY_DONE, m.SYNC)
        assert summaries(client.until_ready()) == ["C:COPY 2", "Z:I"]
        assert client.value("select count(*) from target") == "2"


def test_copy_in_with_everything_in_one_write(target):
    """The Sync ahead of the data is ignored while COPY reads, as libpq relies on."""
    with target.login() as client:
        client.send(m.parse(COPY_IN, "named"), m.bind("named"), m.execute(), m.SYNC, m.copy_data(ROWS), m.COPY_DONE, m.SYNC)
        assert summaries(client.until_ready()) == ["1", "2", "G", "C:COPY 2", "Z:I"]
        assert client.value("select count(*) from target") == "2"
        assert client.query("select 1")[-1].status == "I"


def test_flush_and_sync_inside_copy_in_are_ignored(target):
    with target.login() as client:
        client.send(m.query(COPY_IN))
        client.receive_until("G")
        client.send(m.copy_data(ROWS), m.FLUSH, m.SYNC, m.copy_data(b"3\tthree\n"), m.COPY_DONE)
        assert summaries(client.until_ready()) == ["C:COPY 3", "Z:I"]
        assert client.value("select 1") == "1"


def test_copy_fail_is_an_error_and_keeps_the_connection(target):
    with target.login() as client:
        client.send(m.query(COPY_IN))
        client.receive_until("G")
        client.send(m.copy_data(ROWS), m.copy_fail("changed my mind"))
        reply = client.until_ready()
        assert summaries(reply) == ["E:ERROR:57014", "Z:I"]
        assert "changed my mind" in reply[0].text
        assert client.value("select count(*) from target") == "0"


def test_bad_row_found_before_copy_done(target):
    """PostgreSQL fails at once; what the client still sends of the COPY is dropped."""
    with target.login() as client:
        client.send(m.query(COPY_IN))
        client.receive_until("G")
        client.send(m.copy_data(b"x\tbad\n" + ROWS * 20000))
        assert summaries(client.until_ready()) == ["E:ERROR:22P02", "Z:I"]
        client.send(m.copy_data(ROWS), m.copy_data(ROWS), m.COPY_DONE, m.query("select 5"))
        assert summaries(client.until_ready()) == ["T", "D:5", "C:SELECT 1", "Z:I"]


def test_bad_row_found_after_copy_done(target):
    with target.login() as client:
        client.send(m.query(COPY_IN))
        client.receive_until("G")
        client.send(m.copy_data(ROWS + b"3\tthree\tone too many\n"), m.COPY_DONE)
        assert summaries(client.until_ready()) == ["E:ERROR:22P04", "Z:I"]
        assert client.value("select 5") == "5"


@pytest.mark.parametrize("name", ["", "named"])
def test_bad_row_by_extended_query_skips_to_sync(target, name):
    with target.login() as client:
        client.send(m.parse(COPY_IN, name), m.bind(name), m.execute(), m.FLUSH)
        client.receive_until("G")
        client.send(m.copy_data(b"x\tbad\n"), m.COPY_DONE, m.SYNC, m.SYNC)
        assert summaries(client.until_ready(2)) == ["E:ERROR:22P02", "Z:I", "Z:I"]
        assert client.value("select 5") == "5"


def test_query_inside_copy_in_ends_the_connection(target):
    """PostgreSQL loses its place in the stream there: an ERROR for the COPY, then a FATAL."""
    with target.login() as client:
        client.send(m.query(COPY_IN))
        client.receive_until("G")
        client.send(m.copy_data(ROWS), m.query("select 1"))
        assert summaries(client.rest()) == ["E:ERROR:08P01", "E:FATAL:08P01"]
    with target.login() as other:
        assert other.value("select count(*) from target") == "0"


def test_copy_data_outside_copy_is_ignored(target):
    with target.login() as client:
        client.send(m.copy_data(b"stray"), m.COPY_DONE, m.copy_fail(), m.query("select 1"))
        assert summaries(client.until_ready()) == ["T", "D:1", "C:SELECT 1", "Z:I"]


@pytest.mark.parametrize("how", ["simple", "unnamed", "named"])
def test_copy_out(target, how):
    sql = "copy (select n from numbers where n <= 3 order by n) to stdout"
    name = "named" if how == "named" else ""
    sent = m.query(sql) if how == "simple" else m.parse(sql, name) + m.bind(name) + m.execute() + m.SYNC
    with target.login() as client:
        client.send(sent)
        reply = [x for x in client.until_ready() if x.tag not in "12"]
        assert summaries(reply) == ["H", "d", "d", "d", "c", "C:COPY 3", "Z:I"]
        assert b"".join(x.body for x in reply if x.tag == "d") == b"1\n2\n3\n"


def test_copy_out_that_fails_halfway(target):
    with target.login() as client:
        reply = client.query("copy (select 100 / (3 - n) from generate_series(1, 3) n) to stdout")
        assert summaries(reply) == ["H", "d", "d", "E:ERROR:22012", "Z:I"]
        assert client.value("select 1") == "1"


def test_several_copies_in_one_query_string(target):
    with target.login() as client:
        client.send(m.query(f"{COPY_IN}; select 1; {COPY_IN}; copy target to stdout"))
        client.receive_until("G")
        client.send(m.copy_data(b"1\ta\n"), m.COPY_DONE)
        assert summaries(client.receive_until("G")) == ["C:COPY 1", "T", "D:1", "C:SELECT 1", "G"]
        client.send(m.copy_data(b"2\tb\n"), m.COPY_DONE)
        assert summaries(client.until_ready()) == ["C:COPY 1", "H", "d", "d", "c", "C:COPY 2", "Z:I"]


def test_sync_inside_the_second_copy_of_one_query_string_is_ignored(target):
    with target.login() as client:
        client.send(m.query(f"{COPY_IN}; {COPY_IN}"))
        client.receive_until("G")
        client.send(m.copy_data(b"1\ta\n"), m.COPY_DONE)
        client.receive_until("G")
        client.send(m.SYNC, m.copy_data(b"2\tb\n"), m.COPY_DONE)
        assert summaries(client.until_ready()) == ["C:COPY 1", "Z:I"]
        assert client.value("select count(*) from target") == "2"


def test_copy_out_then_copy_in_inside_a_transaction(target):
    with target.connect(autocommit=False) as connection:
        cursor = connection.cursor()
        with cursor.copy("copy (select n, t from numbers) to stdout") as out:
            data = b"".join(bytes(block) for block in out)
        with cursor.copy("copy target from stdin") as copy_in:
            copy_in.write(data)
        assert cursor.execute("select count(*), sum(a) from target").fetchone() == (1000, 500500)
        connection.commit()


def test_client_that_vanishes_inside_copy_in_leaves_nothing(target):
    client = target.login()
    client.send(m.query(COPY_IN))
    client.receive_until("G")
    client.send(m.copy_data(ROWS * 1000))
    client.reset()
    with target.login() as other:
        assert other.value("select count(*) from target") == "0"


def test_client_that_vanishes_inside_the_second_copy_of_one_query_string_gives_its_server_back(sluice):
    proxy = sluice(pool={"size": 1})
    client = login(proxy)
    client.send(m.query(f"{COPY_IN}; {COPY_IN}"))
    client.receive_until("G")
    client.send(m.copy_data(b"1\ta\n"), m.COPY_DONE)
    client.receive_until("G")
    client.reset()
    with login(proxy) as other:
        other.send(m.query("select count(*) from target"))
        # Far sooner than a server is given up that does not come to an end.
        assert summaries(other.until_ready(timeout=2)) == ["T", "D:0", "C:SELECT 1", "Z:I"]


def test_client_that_vanishes_inside_copy_out_leaves_a_usable_pool(target):
    for _ in range(8):
        client = target.login()
        client.send(m.query("copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout"))
        client.receive_until("d")
        client.reset()
    with target.login() as other:
        assert other.value("select 1") == "1"


def stream_in(connection, megabytes: int) -> None:
    line = b"7\t" + b"x" * 1021 + b"\n"
    block = line * 1024
    with connection.cursor().copy("copy target from stdin") as copy_in:
        for _ in range(megabytes):
            copy_in.write(block)


@full_size("megabytes", 128, 1024)
def test_copy_of_much_data_keeps_memory_flat(sluice, postgres, figure, megabytes):
    """Both ways: pgsluice grows by less than 8 MiB however much passes through it."""
    proxy = sluice()
    with proxy.connect(autocommit=False) as connection:
        stream_in(connection, 1)
        connection.rollback()
        with Growth(proxy.pid) as growth:
            stream_in(connection, megabytes)
            assert connection.execute("select count(*) from target").fetchone() == (megabytes * 1024,)
            with connection.cursor().copy("copy target to stdout") as out:
                received = sum(len(block) for block in out)
            assert received == megabytes << 20
            connection.rollback()
    figure(f"COPY of {megabytes} MiB in and out: memory of pgsluice grows by", f"{growth.kib} KiB", "less than 8 MiB", growth.kib < 8 << 10)


@full_size("megabytes", 64, 1000)
def test_one_huge_message_streams_without_being_held(sluice, figure, megabytes):
    """A single CopyData of this size; PostgreSQL answers that its line is no integer, having read it all."""
    proxy = sluice()
    with proxy.connect() as warm:
        warm.execute("select 1")
    with Growth(proxy.pid) as growth, login(proxy) as client:
        client.socket.settimeout(120)
        client.send(m.query("copy target (b) from stdin"))
        client.receive_until("G")
        client.send(b"d", struct.pack("!i", (megabytes << 20) + 4))
        block = b"y" * (1 << 20)
        for _ in range(megabytes):
            client.send(block)
        client.send(m.copy_fail())
        assert summaries(client.until_ready(timeout=120)) == ["E:ERROR:57014", "Z:I"]
    figure(f"a CopyData of {megabytes} MiB: memory grows by", f"{growth.kib} KiB", "less than 8 MiB", growth.kib < 8 << 10)


def test_copy_both_is_refused_or_passed_like_postgresql_does(target):
    """START_REPLICATION exists in replication connections only: here it is a syntax error."""
    with target.login() as client:
        assert summaries(client.query("START_REPLICATION 0/0")) == ["E:ERROR:42601", "Z:I"]


def test_psycopg_copy_error_raises_and_recovers(target):
    with target.connect() as connection:
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            with connection.cursor().copy("copy target from stdin") as copy_in:
                for _ in range(10000):
                    copy_in.write(b"bad\trow\n")
        assert connection.execute("select 1").fetchone() == (1,)


TRIGGER = """create temp table refused (a int); create function pg_temp.refuse() returns trigger language plpgsql
as $$begin perform pg_sleep({}); raise exception 'refused'; end$$;
create trigger refuse before insert on refused for each statement execute function pg_temp.refuse()"""


def test_a_sync_left_unread_by_a_copy_that_failed_is_no_ones_answer(sluice):
    """A trigger fails the COPY before anything is read, so the Sync that was sent meanwhile is answered later."""
    proxy = sluice(workers=1, pool={"size": 1, "session_state": "ignore"})
    with login(proxy) as client, login(proxy) as second, login(proxy) as third:
        assert client.query(TRIGGER.format(0.5))[-1].tag == "Z"
        client.send(m.query("copy refused from stdin"))
        client.receive_until("G")
        client.send(m.FLUSH * 200_000 + m.SYNC)
        second.send(m.query("select 'second'"))
        third.send(m.query("select 'third'"))
        assert "refused" in error_in(client.until_ready()).text
        for name, other in (("second", second), ("third", third)):
            assert summaries(other.until_ready()) == ["T", f"D:{name}", "C:SELECT 1", "Z:I"]


@pytest.mark.parametrize("queries", [1, 2])
def test_a_query_behind_a_copy_that_failed_has_its_own_answer(target, queries):
    """The Syncs ahead of it are answered, since nothing has read them as a part of the COPY."""
    with target.login() as client:
        assert client.query(TRIGGER.format(0))[-1].tag == "Z"
        asked = [m.query(f"select {number}") for number in range(queries)]
        client.send(m.query("copy refused from stdin"), m.SYNC, m.COPY_DONE, m.SYNC, *asked)
        seen = summaries(client.until_ready(3 + queries))
        assert seen == ["G", "E:ERROR:P0001", "Z:I", "Z:I", "Z:I",
                        *(x for number in range(queries) for x in ("T", f"D:{number}", "C:SELECT 1", "Z:I"))]
        assert client.value("select 'in step'") == "in step"


def test_an_extended_copy_that_fails_gives_its_server_back(sluice):
    proxy = sluice(workers=1, pool={"size": 1, "session_state": "ignore"})
    with login(proxy) as client, login(proxy) as other:
        client.query("create temp view unwritable as select 1 as a")
        client.send(m.parse("copy unwritable from stdin") + m.bind() + m.execute() + m.SYNC)
        assert error_in(client.until_ready()).sqlstate == "42809"
        assert other.value("select 'served'") == "served"
