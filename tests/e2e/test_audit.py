"""The audit log: who did what, in a file of its own, whatever the log's level, switches and samples make of it; and what
becomes of constants and passwords in any log."""
import json
import os
import signal
import time
from pathlib import Path

import pytest

from support import messages as m
from support.console import CONSOLE, connect
from support.endpoint import BEARER, with_http
from support.proxy import check, default_config, login
from support.system import eventually
from support.wire import WireClient, error_in

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def file(directory) -> Path:
    return directory / "audit.log"


def route(**log):
    return {"name": "default", "match": {"databases": ["*"]}, "cluster": "main", "log": log}


def records(file, event=None) -> list:
    lines = file.read_text().splitlines() if file.exists() else []
    return [each for each in map(json.loads, lines) if event in (None, each["event"])]


def awaited(file, event, count=1) -> list:
    return eventually(lambda: len(records(file, event)) >= count and records(file, event), 5, f"{count} of {event}")


# --- what is in it ---

def test_every_statement_of_the_route_with_its_outcome(sluice, file):
    proxy = sluice(audit={"file": str(file)}, routes=[route(audit=True)])
    with login(proxy, application_name="shop") as client:
        client.query(f"select 'canary' from generate_series(1, 3) /*traceparent='00-{TRACE}-b7ad6b7169203331-01'*/")
        client.query("select 1 / 0")
        client.send(m.unnamed("select 'canary', 2"), m.SYNC)
        client.until_ready()
    rows, error, extended = awaited(file, "statement", 3)
    assert rows["sql"] == "select $1 from generate_series($2, $3)" and (rows["rows"], rows["failed"], rows["sqlstate"]) == (3, False, "")
    assert (rows["user"], rows["database"], rows["application"], rows["address"]) == ("app", "app", "shop", "127.0.0.1")
    assert (rows["route"], rows["trace_id"]) == ("default", TRACE) and len(rows["fingerprint"]) == 16
    assert (error["failed"], error["sqlstate"], error["rows"]) == (True, "22012", 0)
    assert extended["sql"] == "select $1, $2" and extended["rows"] == 1
    assert "canary" not in file.read_text()
    assert not proxy.events("statement"), "they are in no other log"


def test_other_routes_have_no_statements_in_it(sluice, file):
    proxy = sluice(audit={"file": str(file)})
    with login(proxy) as client:
        client.query("select 1")
    awaited(file, "client_connected")
    assert not records(file, "statement")


def test_logins_and_their_failures_whatever_the_log_says(sluice, file):
    proxy = sluice(audit={"file": str(file)}, log={"level": "error", "connections": False})
    with login(proxy):
        pass
    with WireClient(proxy.address) as client:
        client.start("app", "app", "wrong")
    connected, = awaited(file, "client_connected")
    failed, = awaited(file, "client_login_failed")
    assert (connected["user"], connected["database"], connected["address"], connected["route"]) == ("app", "app", "127.0.0.1", "default")
    assert (failed["user"], failed["reason"]) == ("app", "authentication")
    assert not proxy.events("client_connected") and not proxy.events("client_login_failed")


def test_commands_of_the_console_that_change_something(sluice, file):
    proxy = sluice(audit={"file": str(file)}, admin=CONSOLE, log={"level": "error"})
    with connect(proxy) as console:
        console.execute("show pools")
        console.execute("pause app")
        console.execute("resume app")
        console.execute("set insight.max_queries = 7")
    pause, resume, configure = awaited(file, "console_command", 3)
    assert (pause["command"], pause["argument"], pause["address"]) == ("PAUSE", "app", "127.0.0.1") and pause["user"]
    assert (resume["command"], configure["command"]) == ("RESUME", "SET")
    assert (awaited(file, "setting_changed")[0]["key"], records(file, "setting_changed")[0]["value"]) == ("insight.max_queries", "7")
    assert awaited(file, "console_connected")


def test_requests_of_the_api_that_change_something_and_wrong_tokens(sluice, file):
    proxy = with_http(sluice, audit={"file": str(file)}, log={"level": "error"})
    assert proxy.http("/api/queries/reset", method="POST", **BEARER)[0] == 200
    assert proxy.http("/api/queries", Authorization="Bearer canary-of-a-token")[0] == 401
    assert awaited(file, "queries_reset")[0]["address"] == "127.0.0.1"
    assert awaited(file, "api_refused") and "canary" not in file.read_text()


def test_what_policies_decide(sluice, file):
    policies = [{"name": "tried", "when": {"pattern": "danger"}, "mode": "shadow"},
                {"name": "told", "when": {"pattern": "danger"}, "action": "log", "sample_one_in": 1_000_000},
                {"name": "bounded", "when": {"pattern": "danger"}, "action": "limit", "limit": {"max_rows": 100}},
                {"name": "never", "when": {"pattern": "danger"}}]
    proxy = sluice(audit={"file": str(file)}, policies=policies)
    with login(proxy) as client:
        assert error_in(client.query("select 'danger'")).sqlstate == "42501"
    told = {each["policy"]: each for each in awaited(file, "policy_verdict", 3)}
    assert {name: (each["action"], each["mode"]) for name, each in told.items()} == {
        "tried": ("block", "shadow"), "told": ("log", "enforce"), "never": ("block", "enforce")}
    assert told["never"]["sql"] == "select $1" and told["never"]["address"] == "127.0.0.1"


def test_a_statement_under_limits_is_audited_and_not_logged(sluice, file):
    policies = [{"name": "bounded", "when": {"statements": ["select"]}, "action": "limit", "limit": {"max_rows": 100}}]
    proxy = sluice(audit={"file": str(file)}, policies=policies)
    with login(proxy) as client:
        client.query("select 1")
    assert awaited(file, "policy_verdict")[0]["action"] == "limit" and not proxy.events("policy_verdict")


# --- the file ---

def test_it_is_opened_again_by_a_reload_and_turned_off_and_on(sluice, file, directory):
    proxy = sluice(audit={"file": str(file)})
    with login(proxy):
        pass
    awaited(file, "client_connected")
    file.rename(directory / "audit.1")
    proxy.reload()
    with login(proxy):
        pass
    awaited(file, "client_connected")
    proxy.reload(changes={"audit": {"file": ""}})
    with login(proxy):
        pass
    proxy.reload(changes={"audit": {"file": str(file)}})
    with login(proxy):
        pass
    awaited(file, "client_connected", 2)
    assert len(records(file, "client_connected")) == 2


def test_a_file_that_cannot_be_written_is_found_by_check(postgres, directory):
    for name, why in ((directory, "it is a folder"), (directory / "no/such/audit.log", "No such file or directory")):
        result = check(directory, default_config(postgres, audit={"file": str(name)}))
        assert result.returncode == 2 and "audit.file: cannot write" in result.stderr and why in result.stderr
    assert check(directory, default_config(postgres, audit={"file": str(directory / "new.log")})).returncode == 0
    assert not (directory / "new.log").exists(), "check makes no file"


def test_without_a_file_it_does_not_start(make_proxy, postgres, directory):
    config = default_config(postgres, audit={"file": str(directory / "no/such/audit.log")})
    with pytest.raises(AssertionError, match="audit.file: cannot write"):
        make_proxy(config)


def test_a_reload_that_cannot_open_it_is_refused(sluice, file, directory):
    proxy = sluice(audit={"file": str(file)})
    proxy.reload(changes={"audit": {"file": str(directory / "no/such/audit.log")}}, expect="failure")
    assert any("audit.file" in each["message"] for each in proxy.awaited_events("reload_failed"))
    with login(proxy):
        pass
    awaited(file, "client_connected")


# --- a log that takes no lines ---

@pytest.fixture
def pipe(directory):
    """A FIFO that nobody reads."""
    path = directory / "audit.fifo"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield path, reader
    os.close(reader)


def flood(client, count=20000, text="select 1"):
    """Many statements in few bytes: a log of 8192 lines, and a pipe of 64 KiB, are full long before the last."""
    client.send(m.parse(text, "s"))
    batch = (m.bind("s") + m.execute()) * 100
    for _ in range(count // 100):
        client.send(batch, m.SYNC)
        client.until_ready()


def test_drop_loses_lines_and_holds_up_nobody(sluice, pipe):
    proxy = sluice(audit={"file": str(pipe[0])}, routes=[route(audit=True)])
    with login(proxy) as client:
        flood(client)
    lost = proxy.metrics().sum("pgsluice_audit_lines_dropped_total")
    assert lost > 5000 and proxy.metrics().sum("pgsluice_audit_waits_total") == 0
    eventually(lambda: sum(each["count"] for each in proxy.events("audit_dropped")) == lost, 5, "all of them to be told")
    assert len(proxy.events("audit_dropped")) < 30, "at most one a second"


def test_block_waits_until_somebody_reads(sluice, pipe):
    proxy = sluice(audit={"file": str(pipe[0]), "on_overflow": "block"}, routes=[route(audit=True)])
    with login(proxy) as client:
        client.send(m.parse("select 1", "s"))
        client.send(*[m.bind("s") + m.execute()] * 10000, m.SYNC)
        eventually(lambda: proxy.metrics().sum("pgsluice_audit_waits_total") > 0, 20, "the wait")
        os.set_blocking(pipe[1], True)
        seen = b""
        while seen.count(b'"statement"') < 10000:
            seen += os.read(pipe[1], 1 << 20)
        client.until_ready()
    assert proxy.metrics().sum("pgsluice_audit_lines_dropped_total") == 0


@pytest.mark.parametrize("overflow", ["drop", "block"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_a_full_disk_neither_crashes_it_nor_keeps_it_from_ending(sluice, overflow, number):
    proxy = sluice(audit={"file": "/dev/full", "on_overflow": overflow}, routes=[route(audit=True)], shutdown={"timeout": "6s"})
    with login(proxy) as client:
        client.send(m.parse("select 1", "s"))
        client.send(*[m.bind("s") + m.execute()] * 10000, m.SYNC)
        stuck = "pgsluice_audit_waits_total" if overflow == "block" else "pgsluice_audit_lines_dropped_total"
        eventually(lambda: proxy.metrics().sum(stuck) > 0, 20, "a full queue")
        began = time.monotonic()
        proxy.signal(number)
        assert proxy.wait(30) == 0
        assert time.monotonic() - began < 20
    assert proxy.events("audit_dropped")


def test_a_shutdown_that_waits_for_clients_loses_no_lines(sluice, pipe):
    proxy = sluice(audit={"file": str(pipe[0]), "on_overflow": "block"}, routes=[route(audit=True)], admin=CONSOLE)
    with connect(proxy) as console, login(proxy) as client:
        console.execute("SHUTDOWN WAIT_FOR_CLIENTS")
        client.send(m.parse("select 1", "s"))
        client.send(*[m.bind("s") + m.execute()] * 10000, m.SYNC)
        eventually(lambda: proxy.metrics().sum("pgsluice_audit_waits_total") > 0, 20, "the wait")
        time.sleep(6)
        assert proxy.metrics().sum("pgsluice_audit_lines_dropped_total") == 0
        proxy.signal(signal.SIGQUIT)
        assert proxy.wait(30) == 0


# --- constants and passwords ---

def test_constants_stand_in_the_logs_of_a_route_that_asks_for_them(sluice, file):
    policies = [{"name": "told", "when": {"pattern": "danger"}, "action": "log"}]
    proxy = sluice(audit={"file": str(file)}, routes=[route(audit=True, sample_one_in=1, literals=True)], policies=policies)
    with login(proxy) as client:
        client.query("select 'danger', 4711 -- why")
        client.send(m.unnamed("select 'by extended'"), m.SYNC)
        client.until_ready()
        client.query("selec 'canary'")
    awaited(file, "statement", 3)
    expected = ["select 'danger', 4711 -- why", "select 'by extended'", "(not parsed)"]
    assert [each["sql"] for each in records(file, "statement")] == expected
    eventually(lambda: len(proxy.events("query")) == 3, 5)
    assert [each["sql"] for each in proxy.events("query")] == expected
    assert proxy.awaited_events("policy_verdict")[0]["sql"] == expected[0]


PASSWORDS = ["create role nobody login password 'canary'",
             "alter role nobody with encrypted password 'canary'",
             "alter user nobody password E'can\\x61ry canary'",
             "create user nobody password $x$canary$x$",
             "alter role nobody password U&'canary'",
             "create user mapping for app server s options (user 'x', password 'canary')",
             "create server s foreign data wrapper f options (host 'canary')",
             "create subscription s connection 'host=x password=canary' publication p",
             "create subscription s connection 'postgresql://u:canary@x/d' publication p",
             "alter system set primary_conninfo = 'password=canary'",
             "select * from dblink('postgresql://u:canary@x/d', 'select 1') as t(a int)",
             "select dblink_connect(E'p\\x61ssword=canary')",
             "do $$ begin execute 'alter role nobody pass' || 'word ''canary'''; end $$",
             "create function f() returns void language sql as $$ alter role nobody password 'canary' $$",
             "copy target from program 'curl -u me:canary http://x'",
             "explain select 'my password is canary'",
             "alter role nobody passwort 'canary'",
             "alter role nobody password 'canary",
             "alter role nobody password canary;",
             "select 1; alter role nobody password 'canary'"]


def test_no_password_stands_in_any_log_even_where_constants_do(sluice, file):
    policies = [{"name": "told", "when": {"pattern": "."}, "action": "log"},
                {"name": "bounded", "when": {"pattern": "."}, "action": "limit", "limit": {"rate": 1000}}]
    proxy = sluice(audit={"file": str(file)}, routes=[route(audit=True, slow_query="1ms", sample_one_in=1, literals=True)],
                   policies=policies, policy_defaults={"on_unparsable": "allow"}, insight={"max_queries": 100})
    with login(proxy) as client:
        for sql in PASSWORDS:
            client.query(sql)
            client.send(m.unnamed(sql), m.SYNC)
            client.until_ready()
        client.query("select 'shown'")
    eventually(lambda: any("shown" in each["sql"] for each in records(file, "statement")), 5, "the last one")
    eventually(lambda: "'shown'" in proxy.log(), 5, "the last one in the log")
    assert len(records(file, "statement")) >= len(PASSWORDS)
    assert "canary" not in file.read_text() and "can\\\\x61ry" not in file.read_text()
    assert "canary" not in proxy.log()


# --- samples, limits, kinds ---

def test_a_rule_that_logs_may_log_a_sample(sluice, file):
    policies = [{"name": "told", "when": {"pattern": "danger"}, "action": "log", "sample_one_in": 10}]
    proxy = sluice(audit={"file": str(file)}, policies=policies)
    with login(proxy) as client:
        for _ in range(300):
            client.query("select 'danger'")
    assert len(awaited(file, "policy_verdict", 300)) == 300, "the audit log has all of them"
    assert 5 <= len(proxy.awaited_events("policy_verdict")) <= 90
    assert proxy.metrics().sum("pgsluice_policy_verdicts_total", rule="told") == 300


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("limit, sql, sqlstate", [
    ({"max_duration": "200ms"}, "select pg_sleep(20)", "57014"),
    ({"max_rows": 2}, "select * from generate_series(1, 1000)", "54000"),
    ({"max_bytes": 100}, "select * from generate_series(1, 1000)", "54000"),
    ({"rate": 1}, "select 17", "53400"),
])
def test_a_limit_that_strikes_is_told_in_both_logs(sluice, file, mode, limit, sql, sqlstate):
    policies = [{"name": "bounded", "when": {"statements": ["select"]}, "action": "limit", "limit": limit}]
    proxy = sluice(audit={"file": str(file)}, pool={"mode": mode}, policies=policies, route={"log": {"audit": True}})
    with login(proxy, application_name="shop") as client:
        client.query(sql)
        client.send(m.unnamed(sql), m.SYNC)
        assert error_in(client.until_ready()).sqlstate == sqlstate
    kind, = limit
    # Each log is written by a thread of its own.
    def without_times(events):
        return [{**each, "time": None} for each in events]

    eventually(lambda: without_times(records(file, "policy_limit")) == without_times(proxy.events("policy_limit")) != [], 5,
               "the same in both logs")
    told = records(file, "policy_limit")
    assert {each["limit"] for each in told} == {kind}
    assert (told[0]["policy"], told[0]["user"], told[0]["database"]) == ("bounded", "app", "app")
    assert (told[0]["application"], told[0]["address"]) == ("shop", "127.0.0.1")
    assert told[0]["sql"].startswith("select ") and "$1" in told[0]["sql"]
    if sqlstate != "53400":
        assert [(each["failed"], each["sqlstate"]) for each in awaited(file, "statement", 2)] == [(True, sqlstate)] * 2


def test_a_turn_that_never_came_is_told(sluice):
    policies = [{"name": "few", "when": {"pattern": "costly"}, "action": "limit", "limit": {"concurrency": 1, "excess": "queue"}}]
    proxy = sluice(pool={"query_wait_timeout": "300ms"}, policies=policies)
    with login(proxy) as one, login(proxy) as other:
        one.send(m.query("select pg_sleep(1) /* costly */"))
        eventually(lambda: proxy.metrics().sum("pgsluice_servers", state="active") == 1, 5)
        assert error_in(other.query("select 1 /* costly */")).sqlstate == "53300"
        one.until_ready()
    told, = proxy.awaited_events("policy_limit")
    assert (told["limit"], told["sql"]) == ("concurrency", "select $1")


def test_statements_are_counted_by_kind_where_they_are_measured(sluice):
    proxy = sluice(insight={"max_queries": 10})
    with login(proxy) as client:
        for sql in ("select 1", "select 2", "insert into target values (1, 'x')", "with gone as (delete from target returning 1) select 1",
                    "begin", "commit", "set a.b = 'c'", "create temp table t (a int)", "selec"):
            client.query(sql)
    counted = {kind: proxy.metrics().sum("pgsluice_statements_total", kind=kind) for kind in
               ("select", "insert", "delete", "set", "ddl", "not_parsed", "update", "other")}
    assert counted == {"select": 2, "insert": 1, "delete": 1, "set": 1, "ddl": 1, "not_parsed": 1, "update": 0, "other": 0}


def test_nothing_is_counted_by_kind_where_nobody_measures(sluice):
    proxy = sluice()
    with login(proxy) as client:
        client.query("select 1")
    assert proxy.metrics().sum("pgsluice_statements_total") == 0
