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
