"""Servers that lie, stop and break frames: their connection is closed, their client gets one FATAL, nobody else notices."""
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from support import messages as m
from support.figures import is_sanitized
from support.hostile_server import (ANSWER, AUTH_OK, GREETING, KEY_DATA, LOGIN, PARAMETERS, READY, Call, Close, Delay, Expect, Reset, Send, Startup,
                                    complete, data_row, error, row_description)
from support.proxy import hold_server, login
from support.memory import resident_kib
from support.system import cpu_seconds, eventually
from support.wire import WireClient, summaries

T, D, C = row_description("x"), data_row(b"good"), complete()
QUERY = [*LOGIN, Expect("Q")]
WAIT = [Delay(8)]


def two_clusters(sluice, server, **options):
    """Database `bad` leads to the hostile server, every other one to PostgreSQL."""
    pool = {"size": 3, "query_wait_timeout": "4s", **options.pop("pool", {})}
    return sluice(clusters={"bad": {"servers": [{"host": "127.0.0.1", "port": server.port}], "tls": {"mode": "disable"}}},
                  routes=[{"name": "bad", "match": {"databases": ["bad"]}, "cluster": "bad", "pool": pool},
                          {"name": "default", "match": {}, "cluster": "main"}],
                  timeouts={"connect": "1s", "connect_retry": "100ms", **options.pop("timeouts", {})}, **options)


def conversation(proxy, sent=None, timeout=10.0) -> list:
    """Everything that a client of the hostile server sees after its login (or instead of it)."""
    with WireClient(proxy.address, timeout=timeout) as client:
        seen = client.start("trusted", "bad")
        if seen[-1].tag == "Z":
            client.send(sent or m.query("select 1"))
            seen = client.rest(timeout)
        return seen


def one_fatal(seen, alone=False):
    errors = [x for x in seen if x.tag == "E"]
    assert [x.severity for x in errors] == ["FATAL"], summaries(seen)
    assert seen[-1] is errors[0], "something came behind the FATAL"
    assert not alone or len(seen) == 1


BROKEN_ANSWERS = {
    "length 0": T + m.raw_frame(b"D", 0), "length 3": T + m.raw_frame(b"D", 3), "length -1": T + m.raw_frame(b"D", -1),
    "length of 2 GiB and closed": T + m.raw_frame(b"D", 2**31 - 1, b"x" * 1000), "unknown tag": T + m.frame(b"?", b"x"),
    "zero tag": m.frame(b"\0", b"x"), "text instead of frames": b"HTTP/1.1 400 Bad Request\r\n\r\n", "old style error": b"EFATAL: go away\n\0",
    "authentication in mid query": AUTH_OK + ANSWER,
    "key data in mid query": KEY_DATA, "negotiation in mid query": m.frame(b"v", struct.pack("!ii", 196608, 0)),
    "ready with an unknown status": T + D + C + m.frame(b"Z", b"X"),
    "ready without a status": T + D + C + m.frame(b"Z"),
    "ready with two bytes": T + D + C + m.frame(b"Z", b"II"), "parameter without zero": m.frame(b"S", b"TimeZone"),
    "parameter without value": m.frame(b"S", b"TimeZone\0"), "empty parameter": m.frame(b"S"), "parse complete to a query": m.frame(b"1"),
    "bind complete to a query": m.frame(b"2"), "close complete to a query": m.frame(b"3"), "portal suspended to a query": m.frame(b"s"),
    "parse complete with a body": m.frame(b"1", b"x"), "function result to a query": m.frame(b"V", struct.pack("!i", -1)),
    "frontend message": m.query("select 1"), "empty error": m.frame(b"E"), "error without an end": m.frame(b"E", b"SERROR"),
    "notification without zero": m.frame(b"A", struct.pack("!i", 1) + b"channel"), "short notification": m.frame(b"A", b"x"),
}


@pytest.mark.parametrize("name", BROKEN_ANSWERS)
def test_broken_answer(sluice, hostile, name):
    server = hostile(*QUERY, Send(BROKEN_ANSWERS[name]), *([Close()] if "closed" in name or name == "text instead of frames" else WAIT))
    proxy = two_clusters(sluice, server)
    with login(proxy) as other:
        hold_server(other)
        seen = conversation(proxy)
        assert other.query("select 1")[-1].status == "T"
        assert other.query("commit")[-1].status == "I"
    one_fatal(seen)
    assert seen[-1].fields["R"] == "pgsluice" and seen[-1].sqlstate == "08006"
    eventually(lambda: proxy.metrics().sum("pgsluice_servers", route="bad", state="active") == 0, 5, "the server to be let go")


BODIES_THAT_ARE_THE_CLIENTS = {
    "many columns, short body": row_description("x", count=65535),
    "row with more columns": T + data_row(b"a", count=9), "value length -2": T + data_row(b"a", lengths=(-2,)),
    "value longer than its row": T + data_row(b"a", lengths=(1000,)), "empty row": T + m.frame(b"D"),
}


@pytest.mark.parametrize("name", BODIES_THAT_ARE_THE_CLIENTS)
def test_broken_bodies_never_shift_the_framing(sluice, hostile, name):
    """pgsluice may refuse such a body or hand it on as it came; the frames around it stay whole either way."""
    server = hostile(*QUERY, Send(BODIES_THAT_ARE_THE_CLIENTS[name] + C + READY), Expect("Q"), Send(ANSWER))
    with WireClient(two_clusters(sluice, server).address) as client:
        client.start("trusted", "bad")
        client.send(m.query("select 1"))
        seen = client.receive_until("ZE")
        if seen[-1].tag == "E":
            one_fatal(seen + client.rest())
        else:
            assert [x.tag for x in seen][-2:] == ["C", "Z"]
            assert client.rows("select 2") == [[b"good"]]


@pytest.mark.parametrize("data", [b"", b"T", T[:10], T, T + D[:3], T + D, T + D + C, T + D + C + READY[:5]], ids=lambda data: f"{len(data)} bytes")
@pytest.mark.parametrize("how", [Close, Reset], ids=["closes", "resets"])
def test_server_that_leaves_in_mid_answer(sluice, hostile, data, how):
    seen = conversation(two_clusters(sluice, hostile(*QUERY, Send(data), Delay(0.1), how())))
    one_fatal(seen)
    assert seen[-1].sqlstate == "08006" and seen[-1].fields["R"] == "pgsluice"
    assert [x.tag for x in seen[:-1]] in ([], ["T"], ["T", "D"], ["T", "D", "C"])


def test_servers_own_fatal_is_not_doubled(sluice, hostile):
    for text in (error("FATAL", "57P01", "terminating"), error("FATAL", "XX000", "internal"), error("PANIC", "XX001", "disk")):
        seen = conversation(two_clusters(sluice, hostile(*QUERY, Send(text), Close())))
        assert len([x for x in seen if x.tag == "E"]) == 1
        assert seen[0].fields.get("R") != "pgsluice"


@pytest.mark.parametrize("body", [b"Monly a message\0\0", b"SERROR\0CXX000\0Mno V\0\0", b"\0", b"SERROR\0C\0M\0\0", b"SERROR\0Cabc\0Mx\0\0",
                                  b"SERROR\0CXX000\0M" + b"x" * 100_000 + b"\0\0"])
def test_odd_errors_pass_through(sluice, hostile, body):
    server = hostile(*QUERY, Send(m.frame(b"E", body) + READY), Expect("Q"), Send(ANSWER))
    with WireClient(two_clusters(sluice, server).address) as client:
        client.start("trusted", "bad")
        reply = client.query("select 1")
        assert [x.tag for x in reply] == ["E", "Z"] and reply[0].body == body
        assert client.rows("select 2") == [[b"good"]]


BROKEN_LOGINS = {
    "closes at once": [Close()], "resets at once": [Reset()], "closes after startup": [Startup(), Close()], "silent": [Startup(), *WAIT],
    "ready without authentication": [Startup(), Send(READY), *WAIT], "rows without authentication": [Startup(), Send(ANSWER), *WAIT],
    "authenticated twice": [Startup(), Send(AUTH_OK + GREETING), Expect("Q"), Send(ANSWER)],
    "authenticated before startup": [Send(AUTH_OK + PARAMETERS + KEY_DATA + READY), Startup(), Close()],
    "never ready": [Startup(), Send(AUTH_OK + PARAMETERS + KEY_DATA), *WAIT], "http": [Startup(), Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Close()],
    "huge frame": [Startup(), Send(m.raw_frame(b"R", 2**31 - 1)), *WAIT], "short frame": [Startup(), Send(m.raw_frame(b"R", 2)), *WAIT],
    "short key data": [Startup(), Send(AUTH_OK + PARAMETERS + m.frame(b"K", b"x") + READY), *WAIT],
    "negotiates twice": [Startup(), Send(m.frame(b"v", struct.pack("!ii", 196608, 0)) * 2 + GREETING), *WAIT],
    "ready in a transaction": [Startup(), Send(AUTH_OK + PARAMETERS + KEY_DATA + m.frame(b"Z", b"T")), *WAIT],
    "parameter without zero": [Startup(), Send(AUTH_OK + m.frame(b"S", b"TimeZone") + KEY_DATA + READY), *WAIT],
    "empty error": [Startup(), Send(m.frame(b"E")), Close()], "error without an end": [Startup(), Send(m.frame(b"E", b"SFATAL")), Close()],
    "old style error": [Startup(), Send(b"EFATAL: go away\n\0"), Close()],
    "endless parameters": [Startup(), Send(AUTH_OK), Call(lambda c: [c.socket.sendall(PARAMETERS * 100) for _ in range(200)]), *WAIT],
    "too many parameters": [Startup(), Send(AUTH_OK + b"".join(m.frame(b"S", b"made.up%d\0x\0" % n) for n in range(20_000))), *WAIT],
    "more parameters than PostgreSQL has": [Startup(), Send(AUTH_OK + b"".join(m.frame(b"S", b"p%d\0x\0" % n) for n in range(101)) + KEY_DATA + READY), *WAIT],
    "long parameters": [Startup(), Send(AUTH_OK + b"".join(m.frame(b"S", b"p%d\0%s\0" % (n, b"x" * 30_000)) for n in range(3)) + KEY_DATA + READY), *WAIT],
    "md5 with a short salt": [Startup(), Send(m.frame(b"R", struct.pack("!i", 5) + b"ab")), *WAIT],
}


@pytest.mark.parametrize("name", BROKEN_LOGINS)
def test_broken_login(sluice, hostile, name):
    server = hostile(*BROKEN_LOGINS[name])
    proxy = two_clusters(sluice, server)
    used, memory = cpu_seconds(proxy.pid), resident_kib(proxy.pid)
    with login(proxy) as other:
        started = time.monotonic()
        seen = conversation(proxy)
        assert time.monotonic() - started < 8
        assert other.value("select 1") == "1"
    one_fatal(seen)
    assert cpu_seconds(proxy.pid) - used < 3 and resident_kib(proxy.pid) - memory < 32 * 1024
    assert len(server.connections) < 60, "connects were not held back"


def test_error_at_login_reaches_the_client(sluice, hostile):
    server = hostile(Startup(), Send(error("FATAL", "57P03", "the database system is starting up")), Close())
    seen = conversation(two_clusters(sluice, server))
    one_fatal(seen)
    assert seen[-1].sqlstate == "57P03"


@pytest.mark.parametrize("when", ["in an answer", "while idle"])
def test_settings_that_a_server_makes_up_cost_no_more_than_their_bytes(sluice, hostile, when):
    """Only what it named at its login follows clients from server to server."""
    flood = b"".join(m.frame(b"S", b"made.up%d\0x\0" % n) for n in range(40_000))
    script = [Send(flood + ANSWER)] if when == "in an answer" else [Send(ANSWER), Delay(0.1), Send(flood)]
    server = hostile(*QUERY, *script, Expect("Q"), Send(ANSWER))
    proxy = two_clusters(sluice, server, pool={"size": 1})
    used, memory = cpu_seconds(proxy.pid), resident_kib(proxy.pid)
    with WireClient(proxy.address) as client, WireClient(proxy.address) as other:
        client.start("trusted", "bad")
        reply = client.query("select 1")
        assert sum(x.tag == "S" for x in reply) == (40_000 if when == "in an answer" else 0)
        time.sleep(0.5)
        other.start("trusted", "bad")
        assert summaries(other.query("select 2")) == ["T", "D:good", "C:SELECT 1", "Z:I"]
    assert cpu_seconds(proxy.pid) - used < 2 and resident_kib(proxy.pid) - memory < 32 * 1024


def test_settings_that_change_without_end_keep_nobody_waiting(sluice, hostile):
    """Each is a set of settings, as long as a login may report, to be copied."""
    named = b"".join(m.frame(b"S", b"p%d\0%s\0" % (n, b"x" * 600)) for n in range(80))
    flood = b"".join(m.frame(b"S", b"p0\0%d\0" % n) for n in range(20_000))
    server = hostile(Startup(), Send(AUTH_OK + PARAMETERS + named + KEY_DATA + READY), Expect("Q"), Send(flood + ANSWER), *WAIT)
    proxy = two_clusters(sluice, server, workers=1)
    memory = resident_kib(proxy.pid)
    with WireClient(proxy.address, timeout=60) as client, login(proxy) as other:
        client.start("trusted", "bad")
        client.send(m.query("select 1"))
        with ThreadPoolExecutor() as threads:
            answer = threads.submit(client.until_ready)
            slowest = 0.0
            while not answer.done():
                began = time.monotonic()
                assert other.value("select 1") == "1"
                slowest = max(slowest, time.monotonic() - began)
        assert sum(x.tag == "S" for x in answer.result()) == 20_000
    assert slowest < 1
    assert resident_kib(proxy.pid) - memory < 32 * 1024 or is_sanitized()


@pytest.mark.parametrize("value", [70_000, 140_000, 300_000])
def test_settings_that_grow_without_end_lose_their_server(sluice, hostile, value):
    """What may be carried from server to server is held in memory for each client."""
    grown = b"".join(m.frame(b"S", m.cstr(name) + m.cstr("x" * value)) for name in ("TimeZone", "DateStyle"))
    server = hostile(*QUERY, Send(grown + ANSWER), *WAIT)
    seen = conversation(two_clusters(sluice, server))
    one_fatal(seen)
    assert seen[-1].sqlstate == "08006" and not any(x.tag == "Z" for x in seen)


def test_rows_without_end_for_a_statement_of_ours(sluice, hostile):
    """A connect_query is answered with more rows than memory should hold."""
    rows = T + D * 1000
    server = hostile(*LOGIN, Expect("Q"), Call(lambda c: [c.socket.sendall(rows) for _ in range(5000)]), *WAIT)
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": server.port}]}, route={"connect_query": "select 1"},
                   pool={"query_wait_timeout": "4s"}, timeouts={"connect": "3s", "connect_retry": "500ms"})
    memory = resident_kib(proxy.pid)
    one_fatal(conversation(proxy))
    assert any("the answer has too many rows" in event["message"] for event in proxy.awaited_events("server_connect_failed"))
    assert resident_kib(proxy.pid) - memory < 32 * 1024


def test_what_comes_behind_the_answer_to_a_statement_of_ours_is_no_answer(sluice, hostile):
    """Rows behind what a connect_query gets would be taken for the settings that it has made."""
    server = hostile(*LOGIN, Expect("Q"), Send(ANSWER + ANSWER), *WAIT)
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": server.port}]}, route={"connect_query": "select 1"},
                   pool={"query_wait_timeout": "3s"}, timeouts={"connect": "2s", "connect_retry": "500ms"})
    one_fatal(conversation(proxy))
    assert any("connect_query: the server sent more than its answer" in event["message"] for event in proxy.awaited_events("server_connect_failed"))


# --- servers that misbehave between queries ---

def test_unsolicited_bytes_in_an_idle_server_are_never_anyones_answer(sluice, hostile):
    """A result nobody asked for: the connection is closed, the next client gets a fresh one."""
    server = hostile(*QUERY, Send(ANSWER), Delay(0.2), Send(row_description("x") + data_row(b"stolen") + complete() + READY), *WAIT,
                     later=[*QUERY, Send(ANSWER)])
    with WireClient(two_clusters(sluice, server, pool={"size": 1}).address) as client:
        client.start("trusted", "bad")
        assert client.rows("select 1") == [[b"good"]]
        time.sleep(0.6)
        assert client.rows("select 2") == [[b"good"]]
    assert len(server.connections) == 2


@pytest.mark.parametrize("extra", [READY, ANSWER, complete(), D, m.frame(b"G", b"\0\0\0")], ids=["ready", "answer", "complete", "row", "copy"])
def test_extra_messages_in_one_write_are_never_anyones_answer(sluice, hostile, extra):
    server = hostile(*QUERY, Send(ANSWER + extra), later=[*QUERY, Send(ANSWER)])
    proxy = two_clusters(sluice, server, pool={"size": 1})
    with WireClient(proxy.address) as client:
        client.start("trusted", "bad")
        client.send(m.query("select 1"))
        first = client.receive_until("ZE")
        if first[-1].tag == "E":
            one_fatal(first + client.rest())
            return
        assert summaries(first) == ["T", "D:good", "C:SELECT 1", "Z:I"]
        client.send(m.query("select 2"))
        second = client.receive_until("ZE")
        assert second[-1].tag == "E" or summaries(second) == ["T", "D:good", "C:SELECT 1", "Z:I"]
    eventually(lambda: server.closed_by_peer >= 1, 5, "the server that said too much to be closed")


def test_extra_messages_behind_the_settings_of_a_login_are_never_anyones_answer(sluice, hostile):
    """The client that waits for the server gets another one; the one that logs in gets one FATAL."""
    has_set = m.frame(b"1") + m.frame(b"2") + D + C + READY
    server = hostile(*LOGIN, Expect("S"), Delay(0.5), Send(has_set + ANSWER.replace(b"good", b"evil")), *WAIT, later=[*LOGIN, Expect("Q"), Send(ANSWER)])
    proxy = two_clusters(sluice, server, pool={"size": 1})
    with WireClient(proxy.address) as waits, WireClient(proxy.address) as logs_in:
        waits.start("trusted", "bad")
        logs_in.send(m.startup({"user": "trusted", "database": "bad", "application_name": "x"}))
        time.sleep(0.2)
        assert waits.rows("select 1") == [[b"good"]]
        one_fatal(logs_in.rest())
    assert len(server.connections) == 2


def test_asynchronous_messages_in_an_idle_server_are_harmless(sluice, hostile):
    notice = m.frame(b"N", b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0")
    server = hostile(*QUERY, Send(ANSWER), Delay(0.1), Send(notice + m.frame(b"S", b"integer_datetimes\0on\0")),
                     Expect("Q"), Send(ANSWER), Expect("Q"), Send(ANSWER))
    with WireClient(two_clusters(sluice, server, pool={"size": 1}).address) as client:
        client.start("trusted", "bad")
        assert client.rows("select 1") == [[b"good"]]
        time.sleep(0.4)
        client.send(m.query("select 2"))
        seen = client.receive_until("ZE")
        assert seen[-1].tag == "Z", summaries(seen)


def test_fatal_in_an_idle_server_is_not_told_to_the_next_client(sluice, hostile):
    server = hostile(*QUERY, Send(ANSWER), Delay(0.2), Send(error("FATAL", "57P01", "terminating")), Close(), later=[*QUERY, Send(ANSWER)])
    with WireClient(two_clusters(sluice, server, pool={"size": 1}).address) as client:
        client.start("trusted", "bad")
        client.query("select 1")
        time.sleep(0.6)
        assert client.rows("select 2") == [[b"good"]]


def test_one_byte_at_a_time_is_fine(sluice, hostile):
    def slowly(connection):
        for byte in ANSWER:
            connection.socket.sendall(bytes([byte]))
    server = hostile(Startup(), Call(lambda c: [c.socket.sendall(bytes([b])) for b in GREETING]), Expect("Q"), Call(slowly))
    with WireClient(two_clusters(sluice, server).address) as client:
        client.start("trusted", "bad")
        assert client.rows("select 1") == [[b"good"]]


def test_notices_between_every_two_messages_are_fine(sluice, hostile):
    notice = m.frame(b"N", b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0")
    greeting = notice + AUTH_OK + notice + PARAMETERS + notice + KEY_DATA + notice + READY
    server = hostile(Startup(), Send(greeting), Expect("Q"), Send(notice + T + notice + D + notice + C + notice + READY))
    with WireClient(two_clusters(sluice, server).address) as client:
        seen = client.start("trusted", "bad")
        assert seen[-1].tag == "Z"
        reply = client.query("select 1")
        assert [x.tag for x in reply if x.tag != "N"] == ["T", "D", "C", "Z"]
        assert sum(x.tag == "N" for x in reply) == 4


@pytest.mark.parametrize("silent_at", ["query", "half a frame"])
def test_server_that_stops_answering_is_ended_by_the_query_timeout(sluice, hostile, silent_at):
    server = hostile(*QUERY, *([Send(T + D[:4])] if silent_at != "query" else []), Delay(20))
    proxy = two_clusters(sluice, server, timeouts={"query": "500ms", "cancel": "500ms"})
    started = time.monotonic()
    seen = conversation(proxy)
    one_fatal(seen)
    assert time.monotonic() - started < 6
    with login(proxy) as other:
        assert other.value("select 1") == "1"


def test_server_that_does_not_tell_what_has_been_set_is_given_up(sluice, hostile):
    """Nothing of the client's runs: it waits for its server, as whoever has none does."""
    server = hostile(*QUERY, Send(complete("SET") + READY), Delay(20), later=[*LOGIN, Expect("Q"), Send(ANSWER)])
    proxy = two_clusters(sluice, server, pool={"size": 1, "query_wait_timeout": "2s"})
    with WireClient(proxy.address) as client, WireClient(proxy.address) as other:
        client.start("trusted", "bad")
        client.query("set work_mem = '7MB'")
        started = time.monotonic()
        client.send(m.query("select 1"))
        one_fatal(client.rest())
        assert 1.5 < time.monotonic() - started < 10
        other.start("trusted", "bad")
        assert other.rows("select 1") == [[b"good"]]


def test_cancel_connection_that_never_closes_is_given_up(sluice, hostile):
    """The server answers its query, but its side of the cancel hangs: the server is not lent before that has ended."""
    server = hostile(*LOGIN, Expect("Q"), Delay(0.6), Send(ANSWER), Expect("Q"), Send(ANSWER), later=[Call(lambda c: c.read(16)), Delay(10)])
    proxy = two_clusters(sluice, server, pool={"size": 1}, timeouts={"cancel": "700ms"})
    with WireClient(proxy.address) as client:
        client.start("trusted", "bad")
        client.send(m.query("select 1"))
        time.sleep(0.2)
        with WireClient(proxy.address) as cancel:
            cancel.send(m.cancel_request(client.pid, client.secret))
            client.until_ready()
            cancel.rest(6)
        client.send(m.query("select 2"))
        assert client.receive_until("ZE", timeout=6)[-1].tag in "ZE"


def test_cancels_of_one_query_take_one_connection_to_the_server_at_a_time(sluice, hostile):
    """The server is slow to take a cancel: those that come meanwhile are one more together, not a connection each."""
    taken = []
    cancel = [Call(lambda c: c.read(16)), Delay(0.5), Call(lambda c: taken.append(time.monotonic())), Close()]
    server = hostile(*LOGIN, Expect("Q"), Delay(3), Send(ANSWER), later=cancel)
    proxy = two_clusters(sluice, server)
    with WireClient(proxy.address) as client, ExitStack() as stack:
        client.start("trusted", "bad")
        client.send(m.query("select 1"))
        time.sleep(0.2)
        cancels = [stack.enter_context(WireClient(proxy.address)) for _ in range(30)]
        for cancel in cancels:
            cancel.send(m.cancel_request(client.pid, client.secret))
        for cancel in cancels:
            cancel.rest(5)
        assert len(server.connections) - 1 == len(taken) == 2
        assert taken[1] - taken[0] > 0.4
        assert client.until_ready()[-1].tag == "Z"


def test_cancel_of_the_next_query_is_sent_although_one_of_the_last_is_still_on_its_way(sluice, hostile):
    in_transaction = m.frame(b"Z", b"T")
    server = hostile(*LOGIN, Expect("Q"), Delay(0.4), Send(ANSWER[:-len(in_transaction)] + in_transaction), Expect("Q"), Delay(2), Send(ANSWER),
                     later=[Call(lambda c: c.read(16)), Delay(1), Close()])
    proxy = two_clusters(sluice, server)
    with WireClient(proxy.address) as client, WireClient(proxy.address) as first, WireClient(proxy.address) as second:
        client.start("trusted", "bad")
        for cancel in (first, second):
            client.send(m.query("select 1"))
            time.sleep(0.2)
            cancel.send(m.cancel_request(client.pid, client.secret))
            if cancel is first:
                assert client.until_ready()[-1].status == "T"
        second.rest(5)
        assert len(server.connections) == 3
        assert client.until_ready()[-1].status == "I"


def test_cancel_that_waited_for_one_before_it_is_dropped_when_nothing_runs_any_more(sluice, hostile):
    server = hostile(*LOGIN, Expect("Q"), Delay(0.6), Send(ANSWER), Expect("Q"), Send(ANSWER), later=[Call(lambda c: c.read(16)), Delay(1), Close()])
    proxy = two_clusters(sluice, server, pool={"size": 1})
    with WireClient(proxy.address) as client, WireClient(proxy.address) as first, WireClient(proxy.address) as second:
        client.start("trusted", "bad")
        client.send(m.query("select 1"))
        time.sleep(0.2)
        for cancel in (first, second):
            cancel.send(m.cancel_request(client.pid, client.secret))
        client.until_ready()
        second.rest(5)
        assert len(server.connections) == 2
        assert client.query("select 2")[-1].tag == "Z"


def test_cut_at_every_offset_of_an_answer(sluice, postgres, fault_proxy):
    """The path ends at byte N of the server's stream: whole frames only, then one FATAL, and that server is not used again."""
    path = fault_proxy(postgres.address)
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": path.port}]}, timeouts={"connect": "1s", "connect_retry": "10ms"}, pool={"size": 1})
    sql = "select n, t from numbers where n <= 2 order by n"
    with login(proxy) as client:
        whole = summaries(client.query(sql))
        before = path.paths[-1].from_server
        client.query(sql)
        size = path.paths[-1].from_server - before
    for offset in range(1, size, 3):
        with login(proxy) as client:
            client.query("select 1")
            path.cut_at = path.paths[-1].from_server + offset
            path.cut_with_reset = offset % 2 == 0
            client.send(m.query(sql))
            seen = client.rest()
            path.cut_at = None
            one_fatal(seen)
            got = summaries(seen[:-1])
            assert got == whole[:len(got)]
        with login(proxy) as other:
            assert other.value("select 'next'") == "next"
