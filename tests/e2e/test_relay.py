"""Simple and extended queries, pipelines, Flush, portals, function calls, notices and notifications, byte for byte."""
import asyncio
import select
import struct

import asyncpg
import psycopg
import pytest

from support import messages as m
from support.system import run
from support.wire import error_in, summaries


def test_simple_query_with_several_statements_answers_each_in_order(target):
    with target.login() as client:
        assert summaries(client.query("select 1; select 'two' where false; select 3")) == [
            "T", "D:1", "C:SELECT 1", "T", "C:SELECT 0", "T", "D:3", "C:SELECT 1", "Z:I"]


def test_empty_query_has_its_own_answer(target):
    with target.login() as client:
        assert summaries(client.query("")) == ["I", "Z:I"]
        assert summaries(client.query(" ; -- nothing\n")) == ["I", "Z:I"]


def test_error_in_a_simple_query_ends_its_statements_and_keeps_the_connection(target):
    with target.login() as client:
        assert summaries(client.query("select 1; select 1/0; select 2")) == ["T", "D:1", "C:SELECT 1", "E:ERROR:22012", "Z:I"]
        assert client.value("select 4") == "4"


def test_error_fields_come_through_unchanged(target):
    sql = "select 1 frm numbers, nosuch"
    with target.login() as client, target.postgres.connect() as straight:
        fields = error_in(client.query(sql)).fields
        with pytest.raises(psycopg.Error) as caught:
            straight.execute(sql)
        expected = caught.value.diag
        assert (fields["M"], fields["P"], fields["F"], fields["R"]) == (
            expected.message_primary, expected.statement_position, expected.source_file, expected.source_function)


def test_transaction_status_follows_the_server(target):
    with target.login() as client:
        assert client.query("begin")[-1].status == "T"
        assert client.query("select 1/0")[-1].status == "E"
        assert summaries(client.query("select 1")) == ["E:ERROR:25P02", "Z:E"]
        assert summaries(client.query("commit")) == ["C:ROLLBACK", "Z:I"]


def test_extended_query_describes_and_returns_rows(target):
    with target.login() as client:
        client.send(m.parse("select $1::int + 1"), m.bind(values=["41"]), m.describe_portal(), m.execute(), m.SYNC)
        assert summaries(client.until_ready()) == ["1", "2", "T", "D:42", "C:SELECT 1", "Z:I"]


def test_describe_of_a_statement_names_its_parameters(target):
    with target.login() as client:
        client.send(m.parse("insert into target values ($1, $2)"), m.describe_statement(), m.SYNC)
        reply = client.until_ready()
        assert summaries(reply) == ["1", "t", "n", "Z:I"]
        assert struct.unpack("!hII", reply[1].body) == (2, 23, 25)


def test_binary_results_and_parameters_pass_untouched(target):
    payload = bytes(range(256))
    with target.login() as client:
        client.send(m.parse("select $1::bytea", types=[17]), m.bind(values=[payload], formats=[1], result_formats=[1]),
                    m.execute(), m.SYNC)
        reply = client.until_ready()
        assert reply[2].row == [payload]


def test_several_messages_of_a_pipeline_are_answered_in_order(target):
    with target.login() as client:
        client.send(*[m.unnamed("select $1::int", n) + m.SYNC for n in range(50)])
        rows = [x.row[0] for x in client.until_ready(50) if x.tag == "D"]
        assert rows == [str(n).encode() for n in range(50)]


def test_simple_queries_sent_without_waiting_are_answered_in_order(target):
    with target.login() as client:
        client.send(*[m.query(f"select {n}") for n in range(50)])
        assert [x.row[0] for x in client.until_ready(50) if x.tag == "D"] == [str(n).encode() for n in range(50)]


def test_simple_and_extended_messages_mixed_in_one_write(target):
    with target.login() as client:
        client.send(m.unnamed("select 1"), m.SYNC, m.query("select 2"), m.unnamed("select 3"), m.SYNC, m.query(""))
        assert [x for x in summaries(client.until_ready(4)) if x[0] in "DIZ"] == ["D:1", "Z:I", "D:2", "Z:I", "D:3", "Z:I", "I", "Z:I"]


def test_simple_query_behind_unsynced_extended_messages(target):
    """A Query ends the implicit transaction of messages that no Sync has ended."""
    with target.login() as client:
        client.send(m.unnamed("select 1"), m.query("select 2"), m.SYNC)
        assert summaries(client.until_ready(2), ignore="Tn") == ["1", "2", "D:1", "C:SELECT 1", "D:2", "C:SELECT 1", "Z:I", "Z:I"]


def test_query_behind_a_failed_parse_is_skipped_until_sync(target):
    with target.login() as client:
        client.send(m.parse("selec 1"), m.query("select 2"), m.SYNC)
        assert summaries(client.until_ready()) == ["E:ERROR:42601", "Z:I"]
        assert client.value("select 3") == "3"


def test_everything_behind_an_error_is_skipped_also_what_comes_later(target):
    with target.login() as client:
        client.send(m.unnamed("select 1"), m.unnamed("select 1/0"), m.unnamed("select 2"), m.FLUSH)
        seen = client.receive_until("E")
        assert seen[-1].sqlstate == "22012"
        client.send(m.parse("select 3", "late"), m.bind("late"), m.execute(), m.FLUSH)
        assert client.silent_for(0.3)
        client.send(m.SYNC)
        assert summaries(client.until_ready()) == ["Z:I"]
        client.send(m.bind("late"), m.SYNC)
        assert summaries(client.until_ready()) == ["E:ERROR:26000", "Z:I"]


def test_sync_alone_answers_ready(target):
    with target.login() as client:
        client.send(m.SYNC * 10)
        assert summaries(client.until_ready(10)) == ["Z:I"] * 10


def test_flush_returns_what_is_due_without_ready(target):
    with target.login() as client:
        client.send(m.parse("select 7"), m.describe_statement(), m.FLUSH)
        assert summaries(client.receive_until("T")) == ["1", "t", "T"]
        assert client.silent_for(0.2)
        client.send(m.bind(), m.execute(), m.FLUSH)
        assert summaries(client.receive_until("C")) == ["2", "D:7", "C:SELECT 1"]
        assert client.silent_for(0.2)
        client.send(m.SYNC)
        assert summaries(client.until_ready()) == ["Z:I"]


def test_flush_without_anything_is_silent(target):
    with target.login() as client:
        client.send(m.FLUSH)
        assert client.silent_for(0.2)
        assert client.value("select 1") == "1"


def test_portal_is_fetched_in_parts(target):
    with target.login() as client:
        client.send(m.parse("select generate_series(1, 5)"), m.bind(), m.execute(limit=2), m.execute(limit=2),
                    m.execute(limit=2), m.SYNC)
        assert summaries(client.until_ready()) == ["1", "2", "D:1", "D:2", "s", "D:3", "D:4", "s", "D:5", "C:SELECT 1", "Z:I"]


def test_named_portal_lives_until_the_transaction_ends(target):
    with target.login() as client:
        client.query("begin")
        client.send(m.parse("select generate_series(1, 4)"), m.bind(portal="cursor"), m.execute("cursor", 1), m.SYNC)
        assert summaries(client.until_ready()) == ["1", "2", "D:1", "s", "Z:T"]
        client.send(m.execute("cursor", 2), m.SYNC)
        assert summaries(client.until_ready()) == ["D:2", "D:3", "s", "Z:T"]
        client.send(m.close_portal("cursor"), m.execute("cursor"), m.SYNC)
        assert summaries(client.until_ready()) == ["3", "E:ERROR:34000", "Z:E"]
        client.query("rollback")
        client.send(m.execute("cursor"), m.SYNC)
        assert summaries(client.until_ready()) == ["E:ERROR:34000", "Z:I"]


def test_closing_a_portal_does_not_close_the_statement_of_the_same_name(target):
    with target.login() as client:
        client.send(m.parse("select 5", "same"), m.bind("same", "same"), m.close_portal("same"), m.bind("same"), m.execute(), m.SYNC)
        assert summaries(client.until_ready()) == ["1", "2", "3", "2", "D:5", "C:SELECT 1", "Z:I"]


def test_function_call_is_answered_in_order(target):
    with target.login() as client:
        oid = int(client.value("select 'int4pl'::regproc::oid::int"))
        client.send(m.query("select 1"), m.function_call(oid, struct.pack("!i", 40), struct.pack("!i", 2)), m.query("select 2"))
        reply = client.until_ready(3)
        assert summaries(reply, ignore="T") == ["D:1", "C:SELECT 1", "Z:I", "V", "Z:I", "D:2", "C:SELECT 1", "Z:I"]
        value = next(x for x in reply if x.tag == "V")
        assert struct.unpack("!ii", value.body) == (4, 42)


def test_function_call_of_an_unknown_function_is_an_error(target):
    with target.login() as client:
        client.send(m.function_call(4000000000 - (1 << 32)))
        assert summaries(client.until_ready()) == ["E:ERROR:42883", "Z:I"]
        assert client.value("select 1") == "1"


def test_notices_arrive_between_rows(target):
    with target.login() as client:
        reply = client.query("do $$ begin raise notice 'one'; raise warning 'two'; end $$")
        assert summaries(reply) == ["N:NOTICE:00000", "N:WARNING:01000", "C:DO", "Z:I"]
        assert [x.text for x in reply[:2]] == ["one", "two"]


def test_unicode_and_nul_free_binary_text_survive(target):
    text = "žluťoučký 🐘 \x01\x7f"
    with target.connect() as connection:
        assert connection.execute("select %s::text, length(%s)", (text, text)).fetchone() == (text, len(text))


@pytest.mark.parametrize("size", [1, 4095, 4096, 8191, 8192, 65535, 65536, 1 << 20, 16 << 20])
def test_values_of_many_sizes_come_back_whole(target, size):
    value = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    with target.login() as client:
        client.send(m.parse("select $1::bytea, octet_length($1::bytea)"),
                    m.bind(values=[value], formats=[1], result_formats=[1, 0]), m.execute(), m.SYNC)
        row = client.until_ready(timeout=30)[2].row
        assert row == [value, str(size).encode()]


def test_many_rows_keep_their_order(target):
    with target.login() as client:
        rows = [x.row[0] for x in client.query("select generate_series(1, 100000)", timeout=30) if x.tag == "D"]
        assert rows == [str(n).encode() for n in range(1, 100001)]


def test_both_directions_full_at_once_do_not_deadlock(target):
    """The client writes a long pipeline of big parameters whose big answers it reads only afterwards."""
    value = b"x" * 200_000
    with target.login() as client:
        client.socket.settimeout(0.5)
        batch = (m.parse("select $1::text") + m.bind(values=[value]) + m.execute() + m.SYNC) * 40
        sent, received = 0, bytearray()
        view = memoryview(batch)
        client.socket.setblocking(False)
        ready = 0
        while ready < 40:
            readable, writable, _ = select.select([client.socket], [client.socket] if sent < len(batch) else [], [], 10)
            assert readable or writable, "neither side moves"
            if writable:
                sent += client.socket.send(view[sent:sent + 65536])
            elif readable:
                chunk = client.socket.recv(1 << 20)
                assert chunk, "closed"
                received += chunk
                ready = received.count(b"Z\0\0\0\5I")
        assert received.count(value) == 40


def test_psql_runs_a_script(fresh_target):
    script = "\\set ON_ERROR_STOP on\ncreate temp table a(i int);insert into a values (1),(2);select sum(i) from a;\\d numbers\n"
    done = run(["psql", "-X", "-q", "-A", "-t", "-1", "-f", "-"], env=fresh_target.environment(), input=script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "3"


@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
def test_pgbench_runs_without_errors(target, protocol):
    assert run(["pgbench", "-i", "-q", "-s", "1"], env=target.environment()).returncode == 0
    done = run(["pgbench", "-n", "-M", protocol, "-c", "8", "-j", "8", "-T", "3"], env=target.environment())
    assert done.returncode == 0, done.stderr
    assert "number of failed transactions: 0" in done.stdout
    assert "aborted" not in done.stderr


def test_pgbench_pipelines(target, directory):
    script = directory / "pipeline.sql"
    script.write_text("\\startpipeline\nselect 1;\nselect 2;\nselect 3;\n\\endpipeline\n")
    done = run(["pgbench", "-n", "-M", "prepared", "-f", str(script), "-c", "4", "-T", "2"], env=target.environment())
    assert done.returncode == 0, done.stderr
    assert "aborted" not in done.stderr


def test_dump_and_restore_through_it(fresh_target, directory):
    target = fresh_target
    target.postgres.execute("drop database if exists restored")
    target.postgres.execute("create database restored owner app")
    for mode in ("--inserts", "--column-inserts", "--format=custom"):
        dump = directory / f"dump{mode}"
        done = run(["pg_dump", mode, "-t", "numbers", "-f", dump], env=target.environment())
        assert done.returncode == 0, done.stderr
        target.postgres.execute("drop table if exists numbers", dbname="restored")
        tool = ["pg_restore", "-d", "restored", dump] if "custom" in mode else ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", dump]
        done = run(tool, env=target.environment(dbname="restored"))
        assert done.returncode == 0, done.stderr
        assert target.postgres.execute("select count(*), sum(n) from numbers", dbname="restored") == [(1000, 500500)]
        with target.connect(dbname="restored") as connection:
            # pg_dump empties the search path of its session, which another client may meet in transaction pooling
            assert connection.execute("select count(*) from public.numbers").fetchone() == (1000,)


def test_psycopg_pipeline_mode(target):
    with target.connect() as connection, connection.pipeline():
        cursors = [connection.execute("select %s::int", (n,)) for n in range(200)]
        assert [cursor.fetchone()[0] for cursor in cursors] == list(range(200))


def test_psycopg_pipeline_error_aborts_the_rest_and_recovers(target):
    with target.connect() as connection:
        with pytest.raises(psycopg.errors.DivisionByZero), connection.pipeline() as pipeline:
            connection.execute("select 1")
            connection.execute("select 1/%s", (0,))
            connection.execute("select 2")
            pipeline.sync()
        assert connection.execute("select 3").fetchone() == (3,)


def test_asyncpg_prepares_fetches_and_uses_transactions(target):
    async def work():
        dsn = target.dsn()
        connection = await asyncpg.connect(host=dsn["host"], port=dsn["port"], user=dsn["user"], password=dsn["password"],
                                           database=dsn["dbname"], ssl=False)
        try:
            statement = await connection.prepare("select $1::int * 2")
            assert [await statement.fetchval(n) for n in range(20)] == [2 * n for n in range(20)]
            async with connection.transaction():
                await connection.executemany("insert into target values ($1, $2)", [(n, str(n)) for n in range(500)])
                rows = [row["a"] async for row in connection.cursor("select a from target order by a", prefetch=7)]
            assert rows == list(range(500))
            with pytest.raises(asyncpg.DivisionByZeroError):
                await connection.fetchval("select 1/0")
            assert await connection.fetchval("select count(*) from target") == 500
        finally:
            await connection.close()
    asyncio.run(asyncio.wait_for(work(), 30))


def test_many_threads_of_short_transactions_lose_nothing(target):
    async def client(me):
        async with await psycopg.AsyncConnection.connect(**target.dsn()) as connection:
            for seq in range(20):
                async with connection.transaction():
                    await connection.execute("insert into target values (%s, %s)", (me, str(seq)))

    async def work():
        await asyncio.gather(*[client(me) for me in range(25)])
    asyncio.run(asyncio.wait_for(work(), 60))
    assert target.postgres.execute("select count(*), count(distinct a) from target", dbname="app") == [(500, 25)]


def test_uncommitted_work_of_a_client_that_vanished_is_rolled_back(target):
    client = target.login()
    client.query("begin")
    client.query("insert into target values (1, 'lost')")
    client.reset()
    with target.login() as other:
        assert other.value("select count(*) from target") == "0"
        assert other.query("select 1")[-1].status == "I"


def test_terminate_in_a_transaction_rolls_back(target):
    with target.login() as client:
        client.query("begin")
        client.query("insert into target values (1, 'lost')")
        client.send(m.TERMINATE)
        assert client.rest() == []
    with target.login() as other:
        assert other.value("select count(*) from target") == "0"
