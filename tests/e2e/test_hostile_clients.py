"""The same hostile bytes to PostgreSQL and to pgsluice: same message types, severity, SQLSTATE and fate of the connection,
and no server connection lost. Against PostgreSQL alone, the oracle is compared with itself cut into single bytes.

Accepted differences:
 - Where PostgreSQL closes without a word because framing is lost, pgsluice may say FATAL 08P01 first: same class, more useful.
 - The cases in DIFFERENT, each with its reason.
"""
import struct
import time

import pytest

from support import messages as m
from support.corpus import STATES, Case, corpus, final_corpus, login_corpus
from support.figures import is_sanitized
from support.memory import Growth, resident_kib
from support.proxy import login
from support.system import cpu_seconds, eventually
from support.wire import Closed, WireClient, summaries

PROBE = m.SYNC + m.query("select 'probe'")
QUIET = 0.7

# name of a case -> (what pgsluice may answer instead, why)
NOBODY_LISTENS = ([], "closed"), "the client has said or shown that it leaves, so PostgreSQL's two errors would have no reader"
DIFFERENT: dict = {
    "X in copy in": NOBODY_LISTENS, **{f"d cut at {cut}": NOBODY_LISTENS for cut in (1, 4, 5, 8)},
    "p in copy in": ((["E:FATAL:08P01"], "closed"), "one FATAL, never two: the frame is refused before it reaches the server"),
}


def enter(client, state):
    data, wait = STATES[state]
    if data:
        client.send(data)
        for tag in wait:
            client.receive_until(tag)


def send_what_it_takes(client, data: bytes, step: int, half_close: bool = False):
    """The peer may close before all is sent; what it said before that can still be read."""
    try:
        client.send_slowly(data, step or len(data))
        if half_close:
            client.socket.shutdown(1)
    except (Closed, OSError):
        pass


def outcome(address, case: Case, step: int = 0) -> tuple:
    """Summaries of what came back, and whether the connection lives, waits in silence or is closed."""
    with WireClient(address) as client:
        seen = client.start("app", "app", "app-secret")
        assert seen[-1].tag == "Z"
        enter(client, case.state)
        replies = []
        send_what_it_takes(client, case.data + (b"" if case.half_close else PROBE), step, case.half_close)
        try:
            while True:
                replies.append(client.receive(QUIET))
                if replies[-1].tag == "D" and replies[-1].row == [b"probe"]:
                    client.receive_until("Z")
                    return summaries(replies), "alive"
        except TimeoutError:
            return summaries(replies), "silent"
        except Closed:
            return summaries(replies), "closed"


def same(ours: tuple, theirs: tuple) -> bool:
    if ours == theirs:
        return True
    silent_close = theirs[1] == "closed" and ours[1] == "closed"
    return silent_close and ours[0] == theirs[0] + ["E:FATAL:08P01"]


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_after_login(target, case):
    oracle = outcome(target.postgres.address, case)
    if target.direct:
        assert outcome(target.address, case, step=1) == oracle
        return
    with login(target) as watcher:
        pid = watcher.value("select pg_backend_pid()")
        found = outcome(target.address, case)
        allowed = DIFFERENT.get(case.name, (None, ""))[0]
        assert same(found, oracle) or found == allowed
        assert watcher.value("select 1") == "1"
        if not case.costs_a_server:
            assert target.postgres.execute("select 1 from pg_stat_activity where pid = %s", (pid,)), "a server connection was lost"


def login_outcome(address, first: bytes, final: bytes | None = None, step: int = 0) -> tuple:
    with WireClient(address) as client:
        client.send(m.startup({"user": "app", "database": "app"}))
        assert client.receive().summary() == "R10"
        replies = []
        try:
            if final is not None:
                opening = b"n,,n=,r=abcdefghijklmnop"
                client.send(m.frame(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(opening)) + opening))
                nonce = client.receive().body[4:].split(b",")[0][2:]
                first = m.frame(b"p", final.replace(b"%n", nonce))
            send_what_it_takes(client, first, step)
            while True:
                replies.append(client.receive(QUIET))
        except TimeoutError:
            return summaries(replies), "silent"
        except Closed:
            return summaries(replies), "closed"


@pytest.mark.parametrize("case", login_corpus(), ids=lambda case: case.name)
def test_in_place_of_the_first_sasl_message(target, case):
    oracle = login_outcome(target.postgres.address, case.data)
    found = login_outcome(target.address, case.data, step=1 if target.direct and len(case.data) < 3000 else 0)
    assert found == oracle or same(found, oracle)


@pytest.mark.parametrize("case", final_corpus(), ids=lambda case: case.name)
def test_in_place_of_the_second_sasl_message(target, case):
    oracle = login_outcome(target.postgres.address, b"", final=case.data)
    assert login_outcome(target.address, b"", final=case.data, step=1 if target.direct else 0) == oracle


@pytest.mark.parametrize("user, packet, expected", [
    ("plainuser", m.frame(b"p", b"plainuser-secret"), "08P01"), ("plainuser", m.frame(b"p", b"a\0b\0"), "08P01"), ("plainuser", m.frame(b"p"), "08P01"),
    ("plainuser", m.frame(b"p", b"\0"), "28P01"), ("plainuser", m.SYNC, "08P01"), ("md5user", m.password("md5"), "28P01"),
    ("md5user", m.password("md5" + "0" * 32), "28P01"), ("md5user", m.password(""), "28P01"), ("md5user", m.query("select 1"), "08P01")])
def test_password_messages(target, user, packet, expected):
    with target.open() as client:
        client.send(m.startup({"user": user, "database": "app"}))
        assert client.receive().tag == "R"
        client.send(packet)
        seen = client.rest()
        assert [(x.severity, x.sqlstate) for x in seen] == [("FATAL", expected)]


def test_swapping_the_user_in_the_middle_of_scram(target):
    with target.open() as client:
        client.send(m.startup({"user": "app", "database": "app"}))
        assert client.receive().summary() == "R10"
        client.send(m.startup({"user": "trusted", "database": "app"}))
        assert not any(x.tag in "KZ" or x.summary() == "R0" for x in client.rest())


def test_a_million_encryption_requests_end_at_the_second(target):
    with WireClient(target.address_without_gss) as client:
        try:
            client.send(m.GSSENC_REQUEST)
            assert client.receive_bytes(1) == b"N"
            client.send(m.GSSENC_REQUEST * 1000)
            seen = client.rest()
        except Closed:
            seen = []
        assert all(x.tag == "E" for x in seen)


@pytest.mark.parametrize("login_first", [False, True])
def test_huge_length_fields_cost_neither_memory_nor_time(sluice, login_first):
    proxy = sluice()
    with login(proxy) as warm:
        warm.query("select 1")
        memory, used = resident_kib(proxy.pid), cpu_seconds(proxy.pid)
        clients = []
        for length in (0x7FFFFFFF, 0x80000001, 0xFFFFFFFB, 0x40000000) * 12:
            client = login(proxy) if login_first else WireClient(proxy.address)
            client.send(m.raw_frame(b"Q", length, b"x" * 100) if login_first else struct.pack("!I", length) + b"\0\3\0\0")
            clients.append(client)
        time.sleep(0.5)
        assert warm.value("select 1") == "1"
        assert resident_kib(proxy.pid) - memory < 16 * 1024
        assert cpu_seconds(proxy.pid) - used < 2
        for client in clients:
            client.close()


def test_options_that_once_hung_a_proxy(target):
    for options in ("-c=", "-c =", "--=", "-c", "--", "-", "\\" * 9000, " " * 9000, "-c \\", "-c a=b\\"):
        with target.open() as client:
            client.send(m.startup({"user": "trusted", "database": "app", "options": options}))
            theirs = WireClient(target.postgres.address)
            theirs.send(m.startup({"user": "trusted", "database": "app", "options": options}))
            ours = [x.summary() for x in client.receive_until("ZE") if x.tag in "ZE"]
            assert ours == [x.summary() for x in theirs.receive_until("ZE") if x.tag in "ZE"], options
            theirs.close()


def test_a_query_hidden_in_an_unfinished_frame_never_runs(target):
    """A header that promises 200 bytes, 60 of which look like a Query, then RST."""
    client = target.login()
    hidden = m.query("insert into target values (666, 'smuggled')")
    client.send(m.raw_frame(b"P", 300, b"\0" + hidden))
    client.reset()
    client = target.login()
    client.send(m.raw_frame(b"d", 1 << 20, hidden * 10))
    client.reset()
    with target.login() as other:
        time.sleep(0.2)
        assert other.value("select count(*) from target") == "0"


@pytest.mark.parametrize("moment", range(0, 60, 3))
def test_reset_at_any_byte_of_a_session_hurts_nobody(target, moment):
    script = m.query("begin") + m.unnamed("insert into target values (1, 'x')") + m.SYNC + m.query("select pg_sleep(0.01)")
    cut = len(script) * moment // 60
    client = target.login()
    client.send(script[:cut])
    client.reset()
    with target.login() as other:
        assert other.value("select count(*) from target") == "0"
        assert other.query("select 1")[-1].status == "I"


def test_many_half_open_clients_do_not_disturb(sluice):
    proxy = sluice(limits={"login_timeout": "2s"})
    stuck = []
    for number in range(300):
        client = WireClient(proxy.address)
        client.send(m.startup({"user": "app", "database": "app"})[: number % 30])
        stuck.append(client)
    with login(proxy) as good:
        slowest = 0.0
        for _ in range(100):
            started = time.perf_counter()
            good.query("select 1")
            slowest = max(slowest, time.perf_counter() - started)
        assert slowest < 0.5
        eventually(lambda: proxy.metrics().sum("pgsluice_worker_clients") == 1, 8, "the others to be closed")
        assert good.value("select 1") == "1"
    for client in stuck:
        client.close()


def test_a_client_that_reads_nothing_is_not_heard_further(sluice):
    """Each Sync is answered by pgsluice itself: what is not read must not pile up here."""
    proxy = sluice(workers=1)
    with login(proxy) as deaf, login(proxy) as other:
        other.value("select 1")
        before = resident_kib(proxy.pid)
        deaf.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(200):
                deaf.socket.sendall(m.SYNC * 200_000)
        assert resident_kib(proxy.pid) - before < 16 * 1024
        assert other.value("select 'alive'") == "alive"


def test_replies_of_ours_behind_a_slow_one_are_bounded_and_cleared_away_quickly(sluice):
    proxy = sluice(workers=1)
    with login(proxy) as other:
        client = login(proxy)
        client.send(m.parse("select pg_sleep(60)"), m.bind(), m.execute(), m.FLUSH)
        client.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(100):
                client.socket.sendall(m.close_statement("pgsluice_") * 20_000)
        assert other.value("select 'while it sends'") == "while it sends"
        client.reset()
        started = time.monotonic()
        assert other.value("select 'after it has gone'") == "after it has gone"
        assert time.monotonic() - started < 1


def test_syncs_ahead_of_a_copy_are_counted_out_quickly(sluice):
    proxy = sluice(workers=1)
    with login(proxy) as client, login(proxy) as other:
        client.send(m.query("select pg_sleep(0.5); copy target from stdin") + m.SYNC * 200_000)
        time.sleep(0.6)
        started = time.monotonic()
        assert other.value("select 'alive'") == "alive"
        assert time.monotonic() - started < 1


def test_prepared_statements_of_one_client_are_bounded(sluice):
    proxy = sluice(workers=1)
    with login(proxy) as client:
        text = "select 1 --" + "x" * 900_000
        for number in range(40):
            client.send(m.parse(f"{text}{number}", name=f"s{number}"), m.SYNC)
            last = client.until_ready()
        assert (last[0].sqlstate, last[0].text) == ("54000", "too many prepared statements")
        client.send(m.bind(statement="s1"), m.execute(), m.SYNC)
        assert summaries(client.until_ready()) == ["2", "D:1", "C:SELECT 1", "Z:I"]


def test_short_prepared_statements_of_one_client_take_no_more_memory_than_long_ones(sluice):
    proxy = sluice(workers=1)
    with login(proxy) as client:
        before = resident_kib(proxy.pid)
        refused, number = [], 0
        while not refused and number < 200_000:
            client.send(*(m.parse(f"select {each}", name=f"s{each}") for each in range(number, number + 2000)), m.SYNC)
            refused = [message for message in client.until_ready() if message.tag == "E"]
            number += 2000
        assert refused[0].sqlstate == "54000"
        assert resident_kib(proxy.pid) - before < 140 * 1024  # sanitizers take most of it


def test_what_is_asked_ahead_of_a_slow_answer_takes_little_memory(sluice):
    proxy = sluice(workers=1)
    with login(proxy) as other:
        client = login(proxy)
        other.value("select 1")
        before = resident_kib(proxy.pid)
        client.send(m.query("select pg_sleep(60)"))
        client.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(200):
                client.socket.sendall(m.query("") * 20_000)
        assert resident_kib(proxy.pid) - before < 8 * 1024
        assert other.value("select 'alive'") == "alive"
        client.reset()


def test_what_little_is_asked_that_makes_much_is_heard_in_pieces(sluice):
    """Each Bind lends the statement that its text names, all of it; and each Describe has a long text read."""
    proxy = sluice(workers=1)
    with login(proxy) as client, login(proxy) as other:
        other.value("select 1")
        client.send(m.parse("select 1 --" + "x" * 1_000_000, name="big"), m.parse("execute big", name="runs"), m.SYNC)
        client.until_ready()
        with Growth(proxy.pid) as growth:
            client.send(m.bind(statement="runs") * 100, m.SYNC)
            assert other.value("select 'alive'") == "alive"
            assert summaries(client.until_ready()) == ["2"] * 100 + ["Z:I"]
        assert growth.kib < 32 * 1024 or is_sanitized()
        client.send(m.parse("prepare q as select 1 --" + "\"a" * 500_000, name="reads"), m.SYNC)
        client.until_ready()
        client.send(m.describe_statement("reads") * 400, m.SYNC)
        began = time.monotonic()
        assert other.value("select 'alive'") == "alive"
        assert time.monotonic() - began < 3
        client.until_ready(timeout=60)


def test_startup_packets_of_session_mode_take_no_server_away_from_others(sluice):
    """Too long for a server with what the route adds, and one that asks for a server that says nothing for long."""
    proxy = sluice(pool={"mode": "session"}, timeouts={"connect": "1s"})
    long = {"user": "trusted", "a.b": ""}
    long["a.b"] = "x" * (9_990 - len(m.startup(long)))
    with WireClient(proxy.address) as client:
        client.send(m.startup(long))
        assert client.receive().tag == "R"
        refusal = client.receive()
        assert (refusal.sqlstate, refusal.text) == ("08P01", "invalid length of startup packet")
    with WireClient(proxy.address) as silent:
        silent.send(m.startup({"user": "trusted", "database": "app", "options": "-W 1000"}))
        assert silent.receive().sqlstate == "57P03"
        with login(proxy) as client:
            assert client.value("select 1") == "1"
