"""/api/queries, /api/sessions and SHOW QUERIES: who may ask, what is refused, and what they say."""
import json
import re

import psycopg
import pytest

from support import messages as m
from support.console import connect, one, rows
from support.endpoint import BEARER, by_unix, keys, with_http
from support.proxy import REPOSITORY, hold_server, login
from support.system import eventually

NEW = (("GET", "/api/queries"), ("POST", "/api/queries/reset"), ("GET", "/api/sessions"))


def told(proxy, path) -> dict:
    status, text = proxy.http(path, **BEARER)
    assert status == 200, text
    return json.loads(text)


def sessions(proxy) -> list:
    return told(proxy, "/api/sessions")["sessions"]


def example(heading) -> dict:
    """What the documentation shows in a section."""
    text = (REPOSITORY / "docs/operations.md").read_text()
    return json.loads(re.search(r"^```json\n(.*?)^```", text[text.index(f"### {heading}\n"):], re.DOTALL | re.MULTILINE)[1])


# --- who may ask ---

def test_strangers_may_neither_look_nor_reset(sluice):
    proxy = with_http(sluice)
    for method, path in NEW:
        assert proxy.http(path, method=method)[0] == 401
        assert proxy.http(path, method=method, Authorization="Bearer canary-of-a-token")[0] == 401
        assert proxy.http(path, method=method, **BEARER)[0] == 200
    assert "canary" not in proxy.log()


def test_without_a_token_in_the_configuration_they_are_closed(sluice):
    proxy = sluice()
    assert {proxy.http(path, method=method, **BEARER)[0] for method, path in NEW} == {403}


def test_the_unix_socket_needs_no_token(sluice, tmp_path):
    with_http(sluice, {"unix": str(tmp_path / "http.sock")})
    eventually((tmp_path / "http.sock").exists, 5, "the socket, which opens behind the listeners")
    for path in ("/api/queries", "/api/sessions"):
        assert by_unix(tmp_path / "http.sock", path)[0] == 200


def test_a_reset_is_posted_and_told_in_the_log(sluice):
    proxy = with_http(sluice, insight={"max_queries": 100})
    assert proxy.http("/api/queries/reset", **BEARER)[0] == 405
    assert proxy.http("/api/queries", method="POST", **BEARER)[0] == 405
    assert not proxy.events("queries_reset")
    assert proxy.http("/api/queries/reset", method="POST", **BEARER) == (200, "reset\n")
    entry, = proxy.awaited_events("queries_reset")
    assert entry["address"] == "127.0.0.1" and entry["level"] == "info"


# --- queries ---

def test_off_it_keeps_nothing(sluice):
    proxy = with_http(sluice)
    with login(proxy) as client:
        client.query("select 1")
    assert told(proxy, "/api/queries") == {"max_queries": 0, "known": 0, "evicted": 0, "order": "total_time", "queries": []}
    with connect(proxy) as console:
        assert rows(console, "queries") == []


def test_a_reload_and_the_console_change_how_many_are_kept(sluice):
    proxy = with_http(sluice, insight={"max_queries": 100})
    assert told(proxy, "/api/queries")["max_queries"] == 100
    proxy.reload(changes={"insight": {"max_queries": 7}})
    eventually(lambda: told(proxy, "/api/queries")["max_queries"] == 7, 5, "the new number")
    with connect(proxy) as console:
        console.execute("set insight.max_queries = 8")
    eventually(lambda: told(proxy, "/api/queries")["max_queries"] == 8, 5, "the number of the console")


@pytest.mark.parametrize("query, sentence", [
    ("limit=0", "limit is a number"), ("limit=1001", "limit is a number"), ("limit=ten", "limit is a number"),
    ("order=canary", "order is one of total_time"), ("order=", "order is one of"), ("canary=1", "order and limit"),
])
def test_what_is_asked_wrongly_is_refused_with_a_sentence(sluice, query, sentence):
    proxy = with_http(sluice)
    status, text = proxy.http(f"/api/queries?{query}", **BEARER)
    assert status == 400 and sentence in text and "canary" not in text


def test_every_order_is_taken(sluice):
    proxy = with_http(sluice)
    for order in ("total_time", "mean_time", "calls", "rows", "bytes", "errors", "wait_time", "last_seen"):
        assert told(proxy, f"/api/queries?limit=5&order={order}")["order"] == order


def test_the_documentation_shows_what_it_looks_like(sluice):
    shown = example("Statistics of queries")
    shown["queries"] = []
    assert keys(told(with_http(sluice), "/api/queries")) == keys(shown)


def test_who_may_only_look_sees_them_in_the_console(sluice):
    proxy = with_http(sluice)
    with connect(proxy, user="other") as console:
        assert rows(console, "queries") == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            console.execute("set insight.max_queries = 8")


# --- sessions ---

def test_a_session_is_that_of_the_console(sluice):
    proxy = with_http(sluice)
    with connect(proxy) as console, login(proxy, application_name="checkout") as client:
        client.query("select 1")
        session, = eventually(lambda: [each for each in sessions(proxy) if each["state"] == "idle"], 5, "it to be idle")
        shown = one(console, "clients", database="app")
    assert (session["id"], session["user"], session["database"], session["route"]) == (shown["id"], "app", "app", "default")
    assert (session["address"], session["port"], session["application_name"]) == (shown["addr"], shown["port"], "checkout")
    assert (session["server"], session["pin"], session["transaction"]) == (None, None, None)
    assert 0 <= session["state_seconds"] <= session["connected_seconds"] < 30


def test_what_a_session_has_and_for_how_long(sluice):
    proxy = with_http(sluice)
    with login(proxy) as client, connect(proxy) as console:
        client.query("create temp table mine (a int)"), client.query("begin; select 1")
        session, = sessions(proxy)
        server = one(console, "servers", state="active")
        assert (session["state"], session["server"]["id"], session["server"]["process_id"]) == ("active", server["id"], server["remote_pid"])
        assert session["pin"]["reasons"] == ["temporary_table"]
        later, = eventually(lambda: [each for each in sessions(proxy) if each["transaction"]["age_seconds"] >= 0.3], 5, "it to last")
        assert later["pin"]["age_seconds"] >= later["transaction"]["age_seconds"] and later["state_seconds"] >= 0.2
        assert keys(told(proxy, "/api/sessions")) == keys(example("Sessions"))
        client.query("commit")
        assert sessions(proxy)[0]["transaction"] is None


def test_who_waits_has_no_server(sluice):
    proxy = with_http(sluice, pool={"size": 1})
    with login(proxy) as holder, login(proxy) as waiter:
        hold_server(holder)
        waiter.send(m.query("select 1"))
        waiting = eventually(lambda: [each for each in sessions(proxy) if each["state"] == "waiting" and each["state_seconds"] > 0.2], 5, "it to wait")
        assert waiting[0]["server"] is None and waiting[0]["transaction"] is not None
        assert [each["state"] for each in sessions(proxy)] == ["active", "waiting"], "the oldest transaction comes first"
        holder.query("commit"), waiter.until_ready()


def test_who_has_left_is_no_session_and_a_console_is_none(sluice):
    proxy = with_http(sluice)
    with login(proxy):
        eventually(lambda: len(sessions(proxy)) == 1, 5, "it to be there")
    with connect(proxy):
        eventually(lambda: sessions(proxy) == [], 5, "it to leave")
        assert told(proxy, "/api/sessions") == {"count": 0, "truncated": False, "sessions": []}


# --- what is counted ---

TRACE = "0af7651916cd43dd8448eb211c80319c"


def counted(proxy) -> dict:
    return {each["text"]: each for each in told(proxy, "/api/queries")["queries"]}


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_queries_of_one_shape_are_counted_together_by_both_protocols(sluice, mode):
    proxy = with_http(sluice, insight={"max_queries": 100}, pool={"mode": mode})
    with login(proxy) as client:
        client.query("select 1 where 2 = 3")
        client.query("SELECT 4 /* again */ where 5 = 5")
        client.send(m.parse("select 6 where 7 = 7", "s"), m.bind("s"), m.execute(), m.bind("s"), m.execute(), m.SYNC)
        client.until_ready()
    query = counted(proxy)["select $1 where $2 = $3"]
    assert (query["calls"], query["errors"], query["rows"]) == (4, 0, 3)
    assert (query["route"], query["user"]) == ("default", "app")
    assert query["min_time_seconds"] <= query["p50_time_seconds"] <= query["max_time_seconds"] <= query["total_time_seconds"]
    assert query["max_time_seconds"] > 0


def test_errors_rows_and_bytes(sluice):
    proxy = with_http(sluice, insight={"max_queries": 100})
    with login(proxy) as client:
        client.query("select 1 / 0")
        client.query("insert into target select 1, 'x' from generate_series(1, 7)")
        client.query("select repeat('x', 1000) from generate_series(1, 20)")
    queries = counted(proxy)
    assert (queries["select $1 / $2"]["calls"], queries["select $1 / $2"]["errors"]) == (1, 1)
    assert queries["insert into target select $1, $2 from generate_series($3, $4)"]["rows"] == 7
    assert queries["select repeat($1, $2) from generate_series($3, $4)"]["bytes"] > 20_000


def test_time_of_the_server_and_the_wait_for_it_are_told_apart(sluice):
    proxy = with_http(sluice, insight={"max_queries": 100}, pool={"size": 1})
    with login(proxy) as holder, login(proxy) as waiter:
        hold_server(holder)
        waiter.send(m.query("select pg_sleep(0.1)"))
        eventually(lambda: proxy.metrics().sum("pgsluice_waiters") == 1, what="the wait")
        waiter.silent_for(0.3)
        holder.query("rollback")
        waiter.until_ready()
    query = counted(proxy)["select pg_sleep($1)"]
    assert 0.1 <= query["total_time_seconds"] < 0.29
    assert query["wait_time_seconds"] >= 0.29


def test_a_trace_is_told_with_its_query(sluice):
    proxy = with_http(sluice, insight={"max_queries": 100})
    with login(proxy) as client:
        client.query(f"select 1 /*traceparent='00-{TRACE}-b7ad6b7169203331-01'*/")
    assert counted(proxy)["select $1"]["last_trace_id"] == TRACE


def test_no_constant_is_shown_and_no_password(sluice):
    proxy = with_http(sluice, insight={"max_queries": 100}, routes=[{"name": "default", "cluster": "main", "log": {"sample_one_in": 1}}])
    with login(proxy) as client:
        for sql in ("select 'canary1'", "alter role nobody password 'canary2'", "do $$ begin perform 'canary3'; end $$",
                    "set application_name = 'canary4'", "select E'canary5', $x$canary6$x$, U&'canary7', 4711 -- canary8"):
            client.query(sql)
        client.send(m.parse("select $1::text"), m.bind(values=[b"canary9"]), m.execute(), m.SYNC)
        client.until_ready()
        client.query("set application_name = ''")
    assert "alter role nobody password $1" in counted(proxy)
    assert "canary" not in proxy.http("/api/queries", **BEARER)[1] and "4711" not in proxy.http("/api/queries", **BEARER)[1]
    assert len(proxy.awaited_events("query")) >= 5
    assert [entry for entry in proxy.events("query") if "canary" in entry["sql"]] == []


def test_what_cannot_be_parsed_is_counted_as_one(sluice):
    proxy = with_http(sluice, insight={"max_queries": 100})
    with login(proxy) as client:
        client.query("selec 1")
        client.query("selec 2")
    query = counted(proxy)["(not parsed)"]
    assert (query["calls"], query["errors"], query["fingerprint"]) == (2, 2, "0" * 16)


def test_the_console_shows_the_same(sluice):
    proxy = with_http(sluice, insight={"max_queries": 100})
    with login(proxy) as client:
        client.query("select 1")
    with connect(proxy) as console:
        shown, = [row for row in rows(console, "queries") if row["text"] == "select $1"]
        assert (shown["calls"], shown["rows"], shown["user"]) == (1, 1, "app")


# --- the log ---

def logging(sluice, **log):
    return sluice(routes=[{"name": "default", "cluster": "main", "log": log}])


def test_slow_query_is_in_the_log_with_its_times(sluice):
    proxy = logging(sluice, slow_query="500ms")
    with login(proxy, application_name="shop") as client:
        client.query("select 1")
        client.query(f"select pg_sleep(0.6) /*traceparent='00-{TRACE}-b7ad6b7169203331-01'*/")
    entry, = proxy.awaited_events("slow_query")
    assert entry["sql"] == "select pg_sleep($1)" and entry["trace_id"] == TRACE and entry["application"] == "shop"
    assert entry["server_ms"] >= 600 and entry["wait_ms"] < 500 and entry["rows"] == 1 and entry["failed"] is False
    assert entry["level"] == "warning" and re.fullmatch("[0-9a-f]{16}", entry["fingerprint"])


def test_sample_takes_one_in_so_many(sluice):
    proxy = logging(sluice, sample_one_in=10)
    with login(proxy) as client:
        for _ in range(300):
            client.query("select 1")
    assert 5 <= len(proxy.awaited_events("query")) <= 90


def test_query_whose_client_has_gone_is_logged_as_failed(sluice):
    proxy = logging(sluice, slow_query="50ms")
    with login(proxy) as client:
        client.send(m.query("select pg_sleep(20)"))
        client.silent_for(0.2)
    entry, = proxy.awaited_events("slow_query")
    assert entry["failed"] is True and entry["server_ms"] < 5000
