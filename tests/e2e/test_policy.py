"""Rules over statement text: a blocked statement fails as PostgreSQL would fail it."""
import psycopg
import pytest

from support import messages as m
from support.proxy import login
from support.wire import error_in, summaries

BLOCK = {"name": "no-danger", "when": {"pattern": "(?i)danger"}, "action": "block", "message": "danger is not allowed here"}


@pytest.fixture
def guarded(sluice):
    def make(*rules, **more):
        return sluice(policies=list(rules) or [BLOCK], **more)
    return make


def blocked(reply) -> bool:
    error = error_in(reply)
    return (error.severity, error.sqlstate, error.text, error.fields["R"]) == ("ERROR", "42501", "danger is not allowed here", "pgsluice")


def test_simple_query_in_idle(guarded):
    with login(guarded()) as client:
        reply = client.query("select 'danger'")
        assert blocked(reply) and summaries(reply) == ["E:ERROR:42501", "Z:I"]
        assert client.value("select 'fine'") == "fine"


def test_whole_query_string_is_refused(guarded):
    with login(guarded()) as client:
        assert summaries(client.query("insert into target values (1, 'x'); select 'danger'")) == ["E:ERROR:42501", "Z:I"]
        assert client.value("select count(*) from target") == "0"


def test_inside_a_transaction_the_transaction_fails_on_both_sides(guarded):
    with login(guarded(pool={"size": 1})) as client:
        client.query("begin")
        client.query("insert into target values (1, 'x')")
        reply = client.query("select 'danger'")
        assert blocked(reply) and reply[-1].status == "E"
        assert summaries(client.query("select 1")) == ["E:ERROR:25P02", "Z:E"]
        assert summaries(client.query("commit")) == ["C:ROLLBACK", "Z:I"]
        assert client.value("select count(*) from target") == "0"


def test_in_a_transaction_that_failed_already(guarded):
    with login(guarded()) as client:
        client.query("begin")
        client.query("select 1/0")
        assert client.query("select 'danger'")[-1].status == "E"
        assert summaries(client.query("rollback")) == ["C:ROLLBACK", "Z:I"]


def test_savepoints_still_work_after_a_block(guarded):
    with login(guarded()) as client:
        for sql in ("begin", "insert into target values (1, 'kept')", "savepoint s"):
            client.query(sql)
        assert client.query("select 'danger'")[-1].status == "E"
        assert summaries(client.query("rollback to s")) == ["C:ROLLBACK", "Z:T"]
        assert summaries(client.query("commit")) == ["C:COMMIT", "Z:I"]
        assert client.value("select b from target") == "kept"


def test_parse_in_a_pipeline_skips_to_sync(guarded):
    with login(guarded()) as client:
        client.send(m.unnamed("select 1"), m.unnamed("select 'danger'"), m.unnamed("insert into target values (1, 'x')"), m.SYNC,
                    m.unnamed("select 2"), m.SYNC)
        reply = client.until_ready(2)
        assert summaries(reply) == ["1", "2", "T", "D:1", "C:SELECT 1", "E:ERROR:42501", "Z:I", "1", "2", "T", "D:2", "C:SELECT 1", "Z:I"]
        assert blocked(reply)
        assert client.value("select count(*) from target") == "0"


def test_work_before_a_block_in_the_same_pipeline_is_undone(guarded):
    """Up to the Sync it is one transaction, as with any error."""
    with login(guarded()) as client:
        client.send(m.unnamed("insert into target values (1, 'x')"), m.unnamed("select 'danger'"), m.SYNC)
        assert summaries(client.until_ready(), ignore="12n") == ["C:INSERT 0 1", "E:ERROR:42501", "Z:I"]
        assert client.value("select count(*) from target") == "0"


def test_named_parse_that_was_blocked_does_not_exist(guarded):
    with login(guarded()) as client:
        client.send(m.parse("select 'danger'", "s"), m.SYNC)
        assert blocked(client.until_ready())
        client.send(m.bind("s"), m.SYNC)
        assert summaries(client.until_ready()) == ["E:ERROR:26000", "Z:I"]
        client.send(m.parse("select 'fine'", "s"), m.bind("s"), m.execute(), m.SYNC)
        assert summaries(client.until_ready()) == ["1", "2", "D:fine", "C:SELECT 1", "Z:I"]


def test_extended_query_inside_a_transaction(guarded):
    with login(guarded()) as client:
        client.query("begin")
        client.send(m.unnamed("select 'danger'"), m.SYNC)
        reply = client.until_ready()
        assert blocked(reply) and reply[-1].status == "E"
        client.query("rollback")
        assert client.value("select 1") == "1"


def test_simple_queries_sent_ahead_are_answered_in_order(guarded):
    with login(guarded()) as client:
        client.send(m.query("select pg_sleep(0.2)"), m.query("select 'danger'"), m.query("select 3"))
        assert summaries(client.until_ready(3)) == ["T", "D:", "C:SELECT 1", "Z:I", "E:ERROR:42501", "Z:I", "T", "D:3", "C:SELECT 1", "Z:I"]


def test_block_with_flush_is_told_before_sync(guarded):
    with login(guarded()) as client:
        client.send(m.parse("select 'danger'"), m.FLUSH)
        assert blocked(client.receive_until("E"))
        client.send(m.bind(), m.execute(), m.FLUSH)
        assert client.silent_for(0.2)
        client.send(m.SYNC)
        assert summaries(client.until_ready()) == ["Z:I"]


def test_driver_sees_an_ordinary_error(guarded):
    with guarded().connect() as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="danger is not allowed here"):
            connection.execute("select %s, 'danger'", (1,))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            with connection.transaction():
                connection.execute("select 'danger'")
        assert connection.execute("select 1").fetchone() == (1,)


def test_sqlstate_message_and_hint_of_the_rule(guarded):
    with login(guarded({**BLOCK, "sqlstate": "0A000", "message": "no", "hint": "ask the owners"})) as client:
        fields = error_in(client.query("select 'danger'")).fields
        assert (fields["C"], fields["M"], fields["H"]) == ("0A000", "no", "ask the owners")


def test_default_message_names_the_rule(guarded):
    with login(guarded({"name": "no-danger", "when": {"pattern": "danger"}, "action": "block"})) as client:
        assert "no-danger" in error_in(client.query("select 'danger'")).text


@pytest.mark.parametrize("when, user, database, application, hit", [
    ({"users": ["app"]}, "app", "app", "", True), ({"users": ["other"]}, "app", "app", "", False),
    ({"databases": ["app"]}, "app", "app", "", True), ({"databases": ["other"]}, "app", "app", "", False),
    ({"databases": ["other"]}, "app", "other", "", True),
    ({"applications": ["batch"]}, "app", "app", "batch", True), ({"applications": ["batch"]}, "app", "app", "web", False),
    ({"routes": ["default"]}, "app", "app", "", True), ({"routes": ["*"]}, "app", "app", "", True),
    ({"from": ["127.0.0.0/8"]}, "app", "app", "", True), ({"from": ["10.0.0.0/8"]}, "app", "app", "", False)])
def test_conditions(guarded, when, user, database, application, hit):
    proxy = guarded({**BLOCK, "when": {"pattern": "danger", **when}})
    with login(proxy, user, database, application_name=application) as client:
        tags = [x.tag for x in client.query("select 'danger'")]
        assert ("E" in tags) is hit


def test_first_match_wins_and_allow_ends_the_search(guarded):
    proxy = guarded({"name": "exception", "when": {"pattern": "danger.*allowed"}, "action": "allow"}, BLOCK)
    with login(proxy) as client:
        assert client.value("select 'danger allowed'") == "danger allowed"
        assert blocked(client.query("select 'danger'"))


def test_log_action_lets_pass_and_writes_an_event(guarded):
    proxy = guarded({**BLOCK, "action": "log"})
    with login(proxy) as client:
        assert client.value("select 'danger'") == "danger"
    event, = proxy.awaited_events("policy_verdict")
    assert (event["policy"], event["action"], event["user"], event["database"]) == ("no-danger", "log", "app", "app")
    assert proxy.metrics().sum("pgsluice_policy_verdicts_total", rule="no-danger", action="log") == 1


def test_shadow_counts_and_changes_nothing(guarded):
    proxy = guarded({**BLOCK, "mode": "shadow"})
    with login(proxy) as client:
        assert client.value("select 'danger'") == "danger"
        client.send(m.unnamed("select 'danger'"), m.SYNC)
        assert "D:danger" in summaries(client.until_ready())
    assert proxy.metrics().sum("pgsluice_policy_verdicts_total", rule="no-danger", mode="shadow") == 2


def test_verdicts_are_counted(guarded):
    proxy = guarded()
    with login(proxy) as client:
        for _ in range(3):
            client.query("select 'danger'")
        client.query("select 'fine'")
    assert proxy.metrics().sum("pgsluice_policy_verdicts_total", rule="no-danger", action="block", mode="enforce") == 3


def test_reload_changes_rules_for_connected_clients(guarded):
    proxy = guarded()
    with login(proxy) as client:
        assert blocked(client.query("select 'danger'"))
        proxy.reload(changes={"policies": []})
        assert client.value("select 'danger'") == "danger"
        proxy.reload(changes={"policies": [BLOCK]})
        assert blocked(client.query("select 'danger'"))


def test_a_blocked_statement_never_reaches_the_server(guarded, postgres):
    postgres.reload(log_statement="all")
    try:
        with login(guarded()) as client:
            client.query("select 'danger canary 1'")
            client.query("begin")
            client.query("select 'danger canary 2'")
            client.query("rollback")
            client.send(m.unnamed("select 'danger canary 3'"), m.SYNC)
            client.until_ready()
        assert "danger canary" not in postgres.log()
    finally:
        postgres.execute("alter system reset log_statement")
        postgres.reload()


def test_patterns_that_would_explode_elsewhere_run_in_linear_time(guarded):
    with login(guarded({**BLOCK, "when": {"pattern": "(a+)+b"}})) as client:
        assert client.value(f"select length('{'a' * 500_000}')") == "500000"


def test_server_is_not_lost_to_a_block(guarded, postgres):
    with login(guarded(pool={"size": 1})) as client:
        pid = client.value("select pg_backend_pid()")
        client.query("select 'danger'")
        client.query("begin"), client.query("select 'danger'"), client.query("rollback")
        client.send(m.unnamed("select 'danger'"), m.SYNC)
        client.until_ready()
        assert client.value("select pg_backend_pid()") == pid


def test_a_statement_that_the_server_skipped_lets_no_other_pass(sluice):
    rule = {"name": "no danger", "when": {"pattern": "danger"}, "action": "block"}
    with login(sluice(policies=[rule])) as client:
        sync_with_a_body = m.frame(b"S", b"x")
        client.send(m.parse("select 1"), m.bind("nope"), m.query("select 2"), sync_with_a_body, m.query("select 'danger'"))
        assert [x.sqlstate for x in client.until_ready(2) if x.tag == "E"] [-1] == "42501"
