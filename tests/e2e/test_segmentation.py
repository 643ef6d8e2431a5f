"""What is answered never depends on how the bytes were cut."""
import pytest

from support import messages as m
from support.wire import WireClient, summaries

SESSION = b"".join([
    m.query("select 1; select 'two'"),
    m.parse("select $1::int", "s"), m.bind("s", values=["7"]), m.describe_portal(), m.execute(), m.SYNC,
    m.query("begin"), m.unnamed("select 1/0"), m.unnamed("select 2"), m.SYNC, m.query("rollback"),
    m.query("copy target from stdin"), m.copy_data(b"1\tone\n2\ttw"), m.copy_data(b"o\n"), m.COPY_DONE,
    m.query("copy (select a from target order by a) to stdout"),
    m.close_statement("s"), m.SYNC, m.query("truncate target"), m.query(""),
])
READY = 10


def play(target, step):
    with target.login() as client:
        client.send_slowly(SESSION, step)
        return summaries(client.until_ready(READY, timeout=20))


@pytest.mark.parametrize("step", [1, 2, 3, 5, 7, 64])
def test_a_session_cut_into_small_pieces_is_answered_the_same(target, step):
    assert play(target, step) == play(target, len(SESSION))


def test_the_session_is_what_it_should_be(target):
    assert play(target, len(SESSION)) == [
        "T", "D:1", "C:SELECT 1", "T", "D:two", "C:SELECT 1", "Z:I",
        "1", "2", "T", "D:7", "C:SELECT 1", "Z:I",
        "C:BEGIN", "Z:T", "1", "E:ERROR:22012", "Z:E", "C:ROLLBACK", "Z:I",
        "G", "C:COPY 2", "Z:I", "H", "d", "d", "c", "C:COPY 2", "Z:I",
        "3", "Z:I", "C:TRUNCATE TABLE", "Z:I", "I", "Z:I"]


def test_startup_one_byte_at_a_time(target):
    with WireClient(target.address) as client:
        client.send_slowly(m.startup({"user": "app", "database": "app", "application_name": "slow"}))
        assert client.authenticate("app", "app-secret")[-1].tag == "Z"
        assert client.value("show application_name") == "slow"


def test_two_halves_with_a_pause_at_every_byte_of_a_message(target):
    message = m.query("select 'halves'")
    with target.login() as client:
        for cut in range(1, len(message)):
            client.send(message[:cut])
            client.send_slowly(message[cut:], len(message), 0)
            assert summaries(client.until_ready()) == ["T", "D:halves", "C:SELECT 1", "Z:I"]
