"""Statement mode: transactions over several statements are refused, and pipelines go on behind them."""
import threading

from support import messages as m
from support.proxy import login
from support.wire import error_in, summaries


def test_statement_mode_refuses_transactions_over_several_statements(sluice):
    proxy = sluice(pool={"mode": "statement", "size": 1})
    with login(proxy) as client, login(proxy) as other:
        assert client.value("select 1") == "1"
        reply = client.query("begin")
        error = error_in(reply) if any(x.tag == "E" for x in reply) else None
        assert error is not None, f"a transaction was allowed: {summaries(reply)}"
        assert error.fields["R"] == "pgsluice"
        assert other.value("select 2") == "2"


def test_a_pipeline_in_statement_mode_goes_on_behind_a_refused_transaction(sluice):
    proxy = sluice(pool={"mode": "statement", "size": 1})
    with login(proxy) as client:
        run_it = m.bind("s") + m.execute() + m.SYNC
        client.send(m.parse("begin", "s") + run_it + run_it)
        for _ in range(2):
            assert error_in(client.until_ready()).sqlstate == "0A000"
        assert client.value("select 1") == "1"


def test_what_is_pipelined_behind_a_refused_transaction_is_answered_by_itself(sluice):
    """The client learns of each statement whether it has been done."""
    proxy = sluice(pool={"mode": "statement", "size": 1})
    with login(proxy) as client:
        client.query("truncate target")
        client.send(m.query("begin"), m.query("insert into target values (1, 'a')"), m.query("rollback"), m.SYNC)
        refused = ["C:BEGIN", "E:ERROR:0A000", "Z:I"]
        assert summaries(client.until_ready(4), "N") == [*refused, "C:INSERT 0 1", "Z:I", "C:ROLLBACK", "Z:I", "Z:I"]
        assert client.value("select count(*) from target") == "1"
        batch = m.parse("begin") + m.bind() + m.execute() + m.SYNC
        client.send(batch, m.parse("insert into target values (2, 'b')"), m.bind(), m.execute(), m.SYNC)
        assert summaries(client.until_ready(2)) == ["1", "2", *refused, "1", "2", "C:INSERT 0 1", "Z:I"]
        assert client.value("select count(*) from target") == "2"


def test_copies_and_pipelines_in_statement_mode(sluice):
    proxy = sluice(pool={"mode": "statement", "size": 1})
    rows = m.copy_data(b"1\tone\n")
    with login(proxy) as client:
        client.query("truncate target")
        client.send(m.query("copy target from stdin"), m.SYNC, rows, m.COPY_DONE, m.query("select 1"))
        assert summaries(client.until_ready(2)) == ["G", "C:COPY 1", "Z:I", "T", "D:1", "C:SELECT 1", "Z:I"]
        client.send(m.parse("copy target from stdin"), m.bind(), m.execute(), m.SYNC, rows, m.COPY_DONE, m.SYNC)
        assert summaries(client.until_ready()) == ["1", "2", "G", "C:COPY 1", "Z:I"]
        client.send(*[m.query(f"select {n}") for n in range(100)])
        assert [x.row[0] for x in client.until_ready(100) if x.tag == "D"] == [b"%d" % n for n in range(100)]


def test_a_copy_that_fails_in_a_refused_transaction_holds_up_nobody(sluice):
    """Its server is taken away while it has not yet taken all that its client sends."""
    proxy = sluice(pool={"mode": "statement", "size": 1})
    rows = m.copy_data(b"bad\n") + m.copy_data(b"1\tone\n" * 1000) * 4000
    asked = m.query("begin; copy target from stdin") + rows + m.COPY_DONE + m.query("select 42")
    with login(proxy) as client:
        for _ in range(8):
            sender = threading.Thread(target=client.send, args=(asked,))
            sender.start()
            seen = summaries(client.until_ready(2))
            assert seen == ["C:BEGIN", "G", "E:ERROR:22P02", "E:ERROR:0A000", "Z:I", "T", "D:42", "C:SELECT 1", "Z:I"]
            sender.join()
