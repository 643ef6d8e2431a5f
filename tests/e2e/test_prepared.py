"""Prepared statements that follow their client from server to server."""
import random

import psycopg
import pytest

from support import messages as m
from support.proxy import hold_server, login
from support.statements import prepare, run
from support.wire import error_in, summaries


def result(client, name, *values) -> str:
    reply = run(client, name, *values)
    assert [x[0] for x in reply] == ["2", "D", "C", "Z"], reply
    return reply[1][2:]


def test_a_name_works_on_every_server(target):
    """The second client holds the server that knew the name, so the first one meets another server."""
    with target.login() as first, target.login() as second:
        assert prepare(first, "s", "select $1::int + 1") == ["1", "Z:I"]
        hold_server(second)
        assert result(first, "s", 1) == "2"
        second.query("commit")
        first.query("begin")
        assert result(first, "s", 2) == "3"
        assert prepare(second, "s", "select $1::int + 10") == ["1", "Z:I"]
        assert result(second, "s", 2) == "12"
        first.query("rollback")


def test_the_same_name_means_another_text_for_another_client(target):
    clients = [target.login() for _ in range(8)]
    for number, client in enumerate(clients):
        prepare(client, "s", f"select {number}")
    for _ in range(3):
        for number in random.sample(range(8), 8):
            assert result(clients[number], "s") == str(number)
    for client in clients:
        client.close()


def test_the_same_text_under_different_names(target):
    with target.login() as first, target.login() as second:
        for name in ("a", "b"):
            prepare(first, name, "select 'shared'")
        prepare(second, "c", "select 'shared'")
        first.send(m.close_statement("a"), m.SYNC)
        first.until_ready()
        assert result(first, "b") == "shared"
        assert result(second, "c") == "shared"
        assert run(first, "a") == ["E:ERROR:26000", "Z:I"]


def test_parameter_types_are_part_of_a_statement(target):
    with target.login() as first, target.login() as second:
        first.send(m.parse("select pg_typeof($1)", "t", types=[20]), m.SYNC)
        second.send(m.parse("select pg_typeof($1)", "t", types=[25]), m.SYNC)
        assert summaries(first.until_ready()) == summaries(second.until_ready()) == ["1", "Z:I"]
        assert (result(first, "t", 1), result(second, "t", 1)) == ("bigint", "text")


@pytest.mark.parametrize("sql", ["deallocate all", "discard all", "DEALLOCATE  PREPARE all"])
def test_deallocate_all_clears_the_names_of_its_client_only(target, sql):
    with target.login() as first, target.login() as second:
        prepare(first, "s", "select 'one'")
        prepare(second, "s", "select 'two'")
        first.query(sql)
        assert run(first, "s") == ["E:ERROR:26000", "Z:I"]
        assert result(second, "s") == "two"
        assert prepare(first, "s", "select 'again'") == ["1", "Z:I"]
        assert result(first, "s") == "again"


@pytest.mark.parametrize("name, sql", [("s", "DEALLOCATE s"), ("s", "deallocate prepare S;"), ("A b", 'deallocate "A b"')])
def test_deallocate_takes_one_name_of_its_client_only(target, name, sql):
    with target.login() as first, target.login() as second:
        prepare(first, name, "select 'one'")
        prepare(first, "other", "select 'one'")
        prepare(second, name, "select 'one'")
        assert summaries(first.query(sql)) == ["C:DEALLOCATE", "Z:I"]
        assert run(first, name) == ["E:ERROR:26000", "Z:I"]
        assert (result(first, "other"), result(second, name)) == ("one", "one")
        assert [x.sqlstate for x in first.query(sql) if x.tag == "E"] == ["26000"]
        assert prepare(first, name, "select 'again'") == ["1", "Z:I"]
        assert result(first, name) == "again"


def test_deallocate_in_a_transaction(target):
    with target.login() as client:
        prepare(client, "s", "select 'one'")
        client.query("begin")
        assert summaries(client.query("deallocate s")) == ["C:DEALLOCATE", "Z:T"]
        client.query("rollback")
        assert run(client, "s") == ["E:ERROR:26000", "Z:I"]
        prepare(client, "s", "select 'two'")
        client.query("begin; select 1/0")
        assert [x.sqlstate for x in client.query("deallocate s") if x.tag == "E"] == ["25P02"]
        client.query("rollback")
        assert result(client, "s") == "two"


def test_driver_that_deallocates_what_it_prepared(target):
    with target.connect() as connection:
        connection.prepare_threshold, connection.prepared_max = 0, 3
        for round in range(3):
            for number in range(8):
                assert connection.execute(f"select %s::int + {number}", (round,)).fetchone() == (round + number,)


def test_deallocate_all_by_extended_query(target):
    with target.login() as client:
        prepare(client, "s", "select 1")
        client.send(m.unnamed("deallocate all"), m.SYNC)
        client.until_ready()
        assert run(client, "s") == ["E:ERROR:26000", "Z:I"]
        assert prepare(client, "s", "select 2") == ["1", "Z:I"]


def test_parse_of_a_name_in_use_is_an_error_and_the_first_one_survives(target):
    with target.login() as client:
        prepare(client, "s", "select 1")
        client.send(m.parse("select 2", "s"), m.SYNC)
        reply = client.until_ready()
        assert summaries(reply) == ["E:ERROR:42P05", "Z:I"]
        assert reply[0].text == 'prepared statement "s" already exists'
        assert result(client, "s") == "1"


def test_failed_parse_is_not_remembered(target):
    with target.login() as client:
        client.query("drop table if exists made_later")
        assert prepare(client, "s", "select count(*) from made_later") == ["E:ERROR:42P01", "Z:I"]
        assert run(client, "s") == ["E:ERROR:26000", "Z:I"]
        client.query("create table made_later ()")
        assert prepare(client, "s", "select count(*) from made_later") == ["1", "Z:I"]
        assert result(client, "s") == "0"


def test_failed_parse_inside_a_pipeline_is_not_remembered(target):
    with target.login() as client:
        client.query("drop table if exists made_still_later")
        client.send(m.parse("select 1", "good"), m.parse("select count(*) from made_still_later", "bad"), m.parse("select 2", "skipped"), m.SYNC)
        assert summaries(client.until_ready()) == ["1", "E:ERROR:42P01", "Z:I"]
        assert result(client, "good") == "1"
        assert run(client, "skipped") == ["E:ERROR:26000", "Z:I"]
        client.query("create table made_still_later ()")
        assert prepare(client, "bad", "select count(*) from made_still_later") == ["1", "Z:I"]
        assert prepare(client, "skipped", "select 2") == ["1", "Z:I"]
        assert (result(client, "bad"), result(client, "skipped")) == ("0", "2")


def test_parse_in_a_failed_transaction_is_an_error_even_where_the_text_is_known(target):
    """PostgreSQL answers 25P02; a proxy that swallows known Parses must not answer success."""
    with target.login() as client:
        prepare(client, "known", "select 'known'")
        client.send(m.close_statement("known"), m.SYNC)
        client.until_ready()
        client.query("begin")
        client.query("select 1/0")
        assert prepare(client, "again", "select 'known'") == ["E:ERROR:25P02", "Z:E"]
        client.query("rollback")
        assert run(client, "again") == ["E:ERROR:26000", "Z:I"]


def test_parse_behind_an_error_in_the_same_pipeline_is_skipped(target):
    with target.login() as client:
        prepare(client, "known", "select 'known'")
        client.send(m.unnamed("select 1/0"), m.parse("select 'known'", "other"), m.bind("other"), m.execute(), m.SYNC)
        assert summaries(client.until_ready()) == ["1", "E:ERROR:22012", "Z:I"]
        assert run(client, "other") == ["E:ERROR:26000", "Z:I"]


@pytest.mark.parametrize("message, tag", [(m.describe_statement("nosuch"), "E:ERROR:26000"), (m.bind("nosuch"), "E:ERROR:26000"),
                                          (m.describe_portal("nosuch"), "E:ERROR:34000"), (m.execute("nosuch"), "E:ERROR:34000"),
                                          (m.close_statement("nosuch"), "3"), (m.close_portal("nosuch"), "3")])
def test_messages_about_unknown_names(target, message, tag):
    with target.login() as client:
        client.send(message, m.SYNC, message, m.SYNC)
        assert summaries(client.until_ready(2)) == [tag, "Z:I"] * 2
        assert client.value("select 1") == "1"


def test_error_texts_name_the_clients_own_statement(target):
    with target.login() as client:
        client.send(m.bind("nosuch one"), m.SYNC)
        assert error_in(client.until_ready()).text == 'prepared statement "nosuch one" does not exist'


def test_describe_after_close_is_an_error(target):
    with target.login() as client:
        prepare(client, "s", "select 1")
        client.send(m.describe_statement("s"), m.close_statement("s"), m.describe_statement("s"), m.SYNC)
        assert summaries(client.until_ready()) == ["t", "T", "3", "E:ERROR:26000", "Z:I"]


def test_describe_of_a_statement_on_a_server_that_does_not_have_it(target):
    with target.login() as first, target.login() as second:
        prepare(first, "s", "select $1::int as answer")
        hold_server(second)
        first.send(m.describe_statement("s"), m.SYNC)
        assert summaries(first.until_ready()) == ["t", "T", "Z:I"]
        second.query("commit")


def test_close_and_parse_again_in_one_pipeline(target):
    with target.login() as client:
        prepare(client, "s", "select 'old'")
        client.send(m.close_statement("s"), m.parse("select 'new'", "s"), m.bind("s"), m.execute(), m.SYNC)
        assert summaries(client.until_ready()) == ["3", "1", "2", "D:new", "C:SELECT 1", "Z:I"]
        assert result(client, "s") == "new"


def test_unnamed_statement_survives_a_change_of_server(target):
    with target.login() as first, target.login() as second:
        first.send(m.parse("select 'mine'"), m.SYNC)
        first.until_ready()
        hold_server(second)
        second.send(m.parse("select 'theirs'"), m.SYNC)
        second.until_ready()
        first.send(m.bind(), m.execute(), m.SYNC)
        assert summaries(first.until_ready()) == ["2", "D:mine", "C:SELECT 1", "Z:I"]
        second.send(m.bind(), m.execute(), m.SYNC)
        assert summaries(second.until_ready()) == ["2", "D:theirs", "C:SELECT 1", "Z:T"]
        second.query("commit")


def test_unnamed_statement_is_gone_after_a_simple_query(target):
    with target.login() as client:
        client.send(m.parse("select 1"), m.SYNC)
        client.until_ready()
        client.query("select 2")
        client.send(m.bind(), m.execute(), m.SYNC)
        assert summaries(client.until_ready()) == ["E:ERROR:26000", "Z:I"]


def test_unnamed_statement_is_replaced_without_an_error(target):
    with target.login() as client:
        client.send(m.parse("select 1"), m.parse("select 2"), m.bind(), m.execute(), m.SYNC)
        assert summaries(client.until_ready()) == ["1", "1", "2", "D:2", "C:SELECT 1", "Z:I"]


@pytest.mark.parametrize("size", [4000, 64_000, 1_000_000, 5_000_000])
def test_big_parse_and_bind_arrive_whole(target, size):
    text = "x" * size
    with target.login() as client, target.login() as other:
        assert prepare(client, "big", f"select length('{text}'), length($1)") == ["1", "Z:I"]
        hold_server(other)
        client.send(m.bind("big", values=[text]), m.execute(), m.SYNC)
        assert client.until_ready(timeout=30)[1].row == [str(size).encode()] * 2
        other.query("commit")


def test_big_parse_behind_settings_that_must_be_applied_first(target):
    text = "y" * 100_000
    with target.login(application_name="first", TimeZone="Asia/Tokyo") as first, target.login(application_name="second") as second:
        for client, name in ((first, "first"), (second, "second"), (first, "first")):
            client.send(m.parse(f"select current_setting('application_name'), length('{text}')"), m.bind(), m.execute(), m.SYNC)
            assert client.until_ready()[2].row == [name.encode(), b"100000"]


def test_long_statement_name(target):
    name = "n" * 20_000
    with target.login() as client:
        assert prepare(client, name, "select 1") == ["1", "Z:I"]
        assert result(client, name) == "1"


def test_two_large_parses_in_one_pipeline(target):
    with target.login() as client:
        client.send(*[m.parse(f"select {n}, '{'z' * 5000}'", f"s{n}") for n in range(2)], m.SYNC)
        assert summaries(client.until_ready()) == ["1", "1", "Z:I"]


@pytest.mark.parametrize("size", [4096, 8192, 16384, 65536])
def test_parse_that_fills_a_buffer_behind_a_flush(target, size):
    with target.login() as client:
        client.send(m.parse("select 1"), m.FLUSH)
        client.receive_until("1")
        overhead = len(m.parse("select ''", "fit"))
        client.send(m.parse("select '" + "f" * (size - overhead) + "'", "fit"))
        client.send(m.FLUSH)
        assert summaries(client.receive_until("1E")) == ["1"]
        client.send(m.SYNC)
        assert summaries(client.until_ready()) == ["Z:I"]


def test_pipeline_of_known_and_unknown_and_unprepared_statements(target):
    with target.login() as client, target.login() as other:
        for n in range(5):
            prepare(client, f"s{n}", f"select 'prepared {n}'")
        hold_server(other)
        batch = []
        for n in range(5):
            batch += [m.bind(f"s{n}"), m.execute(), m.parse(f"select 'new {n}'", f"new{n}"), m.bind(f"new{n}"), m.execute(),
                      m.parse(f"select 'unnamed {n}'"), m.bind(), m.execute()]
        client.send(*batch, m.SYNC)
        rows = [x[2:] for x in summaries(client.until_ready()) if x.startswith("D:")]
        assert rows == [f"{kind} {n}" for n in range(5) for kind in ("prepared", "new", "unnamed")]
        other.query("commit")


def test_server_is_kept_while_messages_without_sync_are_on_it(target):
    """Sync, then Parse and Flush without Sync; another client takes a server; then Bind, Execute, Sync."""
    with target.login() as first, target.login() as second:
        first.send(m.SYNC, m.parse("select 'kept'"), m.FLUSH)
        first.receive_until("1")
        second.send(m.parse("select 'stolen'"), m.SYNC)
        second.until_ready()
        assert second.value("select 1") == "1"
        first.send(m.bind(), m.execute(), m.SYNC)
        assert summaries(first.until_ready()) == ["2", "D:kept", "C:SELECT 1", "Z:I"]


def test_row_locks_taken_before_sync_hold(target):
    """Parse, Bind, Execute(update), Flush: every reply has come, yet the transaction is open."""
    with target.login() as first, target.login() as second:
        first.query("insert into target values (1, 'a')")
        first.send(m.unnamed("update target set b = 'first' where a = 1"), m.FLUSH)
        first.receive_until("C")
        assert "E:ERROR:55P03" in summaries(second.query("begin; set local lock_timeout = '200ms'; update target set b = 'second'"))
        second.query("rollback")
        first.send(m.SYNC)
        assert summaries(first.until_ready()) == ["Z:I"]
        assert second.value("select b from target") == "first"


def test_cached_plan_errors_are_postgresqls_own(target):
    with target.login() as client:
        client.query("drop table if exists changing; create table changing (a int)")
        prepare(client, "s", "select * from changing")
        assert run(client, "s") == ["2", "C:SELECT 0", "Z:I"]
        client.query("alter table changing add b text")
        client.send(m.bind("s"), m.execute(), m.SYNC)
        reply = client.until_ready()
        if target.direct:
            assert summaries(reply) == ["E:ERROR:0A000", "Z:I"]
        else:  # another server may plan it anew
            assert summaries(reply) in (["E:ERROR:0A000", "Z:I"], ["2", "C:SELECT 0", "Z:I"])


def test_random_pipelines_of_a_hundred_statements(target):
    """Ten deep, sizes around the limit of the server's statement list, parameters of 512 bytes."""
    chooser = random.Random(7)
    clients = [target.login() for _ in range(4)]
    known = [set() for _ in clients]
    for _ in range(150):
        who = chooser.randrange(len(clients))
        client, expected, batch = clients[who], [], []
        for _ in range(10):
            n = chooser.randrange(100)
            if n not in known[who]:
                batch.append(m.parse(f"select {n} + $1::int, $2::text", f"s{n}"))
                known[who].add(n)
            add, filler = chooser.randrange(1000), chr(97 + chooser.randrange(26)) * 512
            batch += [m.bind(f"s{n}", values=[add, filler]), m.execute()]
            expected.append([str(n + add).encode(), filler.encode()])
        client.send(*batch, m.SYNC)
        assert [x.row for x in client.until_ready() if x.tag == "D"] == expected
    for client in clients:
        client.close()


@pytest.mark.parametrize("limit", [1, 3])
def test_eviction_on_the_server_is_invisible(sluice, limit):
    proxy = sluice(pool={"size": 1, "max_prepared_statements": limit})
    with login(proxy) as client:
        for n in range(5):
            assert prepare(client, f"s{n}", f"select 'text {n}'") == ["1", "Z:I"]
        for n in [4, 0, 3, 1, 2, 0, 4]:
            assert result(client, f"s{n}") == f"text {n}"
        batch = [part for n in range(5) for part in (m.bind(f"s{n}"), m.execute())]
        client.send(*batch, m.SYNC)
        assert [x[2:] for x in summaries(client.until_ready()) if x[0] == "D"] == [f"text {n}" for n in range(5)]
        client.send(*batch, m.unnamed("select 1/0"), *batch, m.SYNC)
        assert summaries(client.until_ready())[-2:] == ["E:ERROR:22012", "Z:I"]
        assert [result(client, f"s{n}") for n in range(5)] == [f"text {n}" for n in range(5)]
        on_server = int(client.value("select count(*) from pg_prepared_statements"))
        assert on_server <= limit + 2, f"{on_server} statements stay on the server"


def test_a_server_parses_a_shared_text_once(sluice):
    proxy = sluice(pool={"size": 1})
    for _ in range(5):
        with proxy.connect() as connection:
            connection.prepare_threshold = 0
            assert connection.execute("select %s::int + 1000", (1,)).fetchone() == (1001,)
            count = connection.execute("select count(*) from pg_prepared_statements where statement like '%%+ 1000'", prepare=False)
            assert count.fetchone() == (1,)


def test_prepared_statements_survive_the_loss_of_their_server(sluice, postgres):
    proxy = sluice(pool={"size": 1})
    with login(proxy) as client:
        prepare(client, "s", "select 'still here'")
        pid = int(client.value("select pg_backend_pid()"))
        postgres.terminate(pid)
        assert result(client, "s") == "still here"
        assert int(client.value("select pg_backend_pid()")) != pid


def test_psycopg_prepares_automatically(target):
    with target.connect() as connection:
        connection.prepare_threshold = 2
        for n in range(20):
            assert connection.execute("select %s::int * 3", (n,)).fetchone() == (3 * n,)


def test_psycopg_statement_error_does_not_poison_its_cache(target):
    with target.connect() as connection:
        connection.prepare_threshold = 0
        for _ in range(4):
            with pytest.raises(psycopg.errors.DivisionByZero):
                connection.execute("select 1 / %s::int", (0,))
            assert connection.execute("select 6 / %s::int", (2,)).fetchone() == (3,)
