"""Nothing that a client made of its session is found by the next one, however it left; its owner finds all of it again.

What must be found is not written here: a direct connection to PostgreSQL that does the same is asked."""
import contextlib
import random

import pytest

from support import messages as m
from support.proxy import hold_server, login
from support.session_kinds import KINDS, LEFT_BY_DISCARD_ALL, MODES, REPORTED, WORLD, runs
from support.session_picture import answer, differences, picture, without_names_of_the_protocol
from support.session_stage import WAYS, Stage, can_leave
from support.system import eventually
from support.wire import summaries

PID = "select pg_backend_pid()"


@pytest.fixture(scope="module")
def _stage(shared_postgres, worker_directory):
    for statement in ("create role leaver login password 'leaver-secret'", "create role worn", "grant worn to leaver",
                      "create database leaks owner leaver"):
        shared_postgres.execute(statement)
    for statement in WORLD:
        shared_postgres.execute(statement, dbname="leaks")
    folder = worker_directory / "leaks"
    folder.mkdir()
    made = Stage(shared_postgres, folder)
    made.proxy.start()
    yield made
    made.proxy.stop()
    for statement in ("select pg_replication_origin_drop('leaks')", "drop database leaks with (force)",
                      "drop role leaver", "drop role worn"):
        shared_postgres.execute(statement)


@pytest.fixture
def stage(request, _stage):
    """Servers outlive a test, but not one that failed: what it left there would fail the others."""
    failed = request.session.testsfailed
    yield _stage
    assert _stage.proxy.process.poll() is None, f"pgsluice ended during this test:\n{_stage.proxy.log()[-5000:]}"
    if request.session.testsfailed > failed:
        _stage.postgres.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = 'leaks'")
        _stage.postgres.execute("truncate target", dbname="leaks")


def named(cells):
    return [pytest.param(*cell, id="-".join(x if isinstance(x, str) else x.name for x in cell)) for cell in cells]


def assert_fresh(client, stage, kind):
    look, expected = stage.fresh(kind)
    assert kind.look(client) == look
    assert differences(picture(client), expected) == {}


@pytest.mark.parametrize("kind, mode, way", named(
    (kind, mode, way) for kind in KINDS for mode in kind.modes for way in WAYS if can_leave(kind, way)))
def test_the_next_client_finds_a_fresh_session(stage, kind, mode, way):
    stage.owned(kind)
    with stage.owner(f"{mode}-1", kind) as owner:
        pid = owner.value(PID)
        kind.make(owner, wait=way.waits)
        if way.waits and kind.askable:
            assert kind.look(owner) == stage.owned(kind)[0]
        way.leave(owner)
    with stage.login(f"{mode}-1", kind.user) as heir:
        assert kind.look(heir) == stage.fresh(kind)[0]
        eventually(lambda: stage.clients() == 1, 5, "the owner to be noticed as gone")
        assert_fresh(heir, stage, kind)
        if way.keeps_server and not (mode == "session" and kind.startup) and not (kind.copies and way.sends):
            assert heir.value(PID) == pid, "another server proves nothing about what is left on this one"


@pytest.mark.parametrize("kind", LEFT_BY_DISCARD_ALL, ids=lambda kind: kind.name)
def test_what_discard_all_leaves_is_what_compatibility_md_lists(stage, kind):
    with stage.owner("session-1", kind) as owner:
        pid = owner.value(PID)
        kind.make(owner)
        owned = kind.look(owner)
        assert owned != stage.fresh(kind)[0]
    with stage.login("session-1", kind.user) as heir:
        found = kind.look(heir)
        stage.postgres.terminate(pid)
        assert found == owned


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.left_by_ignore], ids=lambda kind: kind.name)
def test_what_is_left_on_a_server_is_seen_by_these_tests(stage, kind):
    """The pool that leaves everything where it is: each kind must show there, or its tests above prove nothing."""
    with stage.owner("ignore-1", kind) as owner:
        pid = owner.value(PID)
        kind.make(owner)
    with stage.login("ignore-1", kind.user) as heir:
        found = kind.look(heir)
        heir.query("discard all")
        assert found != stage.fresh(kind)[0]
        stage.postgres.terminate(pid)


def pid_of(client):
    """By a named statement, since a Query would end the unnamed one."""
    client.send(m.parse(PID, "pid"), m.bind("pid"), m.execute(), m.close_statement("pid"), m.SYNC)
    return [x.row for x in client.until_ready() if x.tag == "D"]


def use_and_leave(stage, mode, kind):
    """Somebody else finds a fresh session, and leaves a used one."""
    with stage.login(f"{mode}-2", kind.user) as stranger:
        assert_fresh(stranger, stage, kind)
        stranger.query("set work_mem = '8MB'; set search_path = pg_catalog; set timezone = 'CET'")
        stranger.query("set app.region = 'west'")
        stranger.query("select 1")


@contextlib.contextmanager
def a_server_taken(stage, mode, kind):
    """From everybody else; in session mode from nobody, as the owner keeps its own."""
    with stage.login(f"{mode}-2", kind.user) as holder:
        if mode != "session":
            holder.send(m.query("select pg_sleep(20)"))
            holder.silent_for(0.02)
        yield


@pytest.mark.parametrize("kind, mode", named((kind, mode) for kind in KINDS for mode in kind.modes if kind.askable))
def test_an_owner_finds_all_of_it_after_others_were_there(stage, kind, mode):
    look, expected = stage.owned(kind)
    with stage.owner(f"{mode}-2", kind) as owner, contextlib.ExitStack() as first:
        kind.make(owner)
        use_and_leave(stage, mode, kind)
        first.enter_context(a_server_taken(stage, mode, kind))
        assert kind.look(owner) == look
        before = pid_of(owner) if kind.at_rest else None
        if mode == "session":
            first.close()
        with a_server_taken(stage, mode, kind):
            first.close()
            assert kind.look(owner) == look
            if kind.at_rest:
                assert (pid_of(owner) != before) == (kind.carried and mode != "session"), "moved only if it can be"
                found = picture(owner)
                if mode != "session":
                    found, expected = without_names_of_the_protocol(found), without_names_of_the_protocol(expected)
                assert differences(found, expected) == {}


# --- statements: what is known on both sides must stay the same ---

ENDS = {
    "close": m.close_statement("s") + m.SYNC,
    "deallocate all": m.query("deallocate all"),
    "discard all": m.query("discard all"),
    "deallocate all in a batch": m.unnamed("deallocate all") + m.SYNC,
    "discard all in a transaction": m.query("begin") + m.query("discard all") + m.query("rollback"),
    "discard plans": m.query("discard plans"),
    "deallocate all rolled back": m.query("begin") + m.query("deallocate all") + m.query("rollback"),
}


def life_of_a_statement(client, end):
    """All answers: to preparing, to the end, to using it right behind that, and to the name's next use."""
    seen = []
    use = m.bind("s") + m.execute() + m.SYNC
    another = m.parse("select 'second'", "t") + m.bind("t") + m.execute() + m.SYNC
    for data in (m.parse("select 'first'", "s") + m.SYNC, use, end, use, another, use):
        client.send(data)
        seen.append(summaries(client.until_ready(data.count(b"Q\0\0\0") + data.count(m.SYNC)), ignore="S"))
    return seen


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("mode", MODES[:2])
def test_a_statement_is_known_for_as_long_as_on_a_direct_connection(stage, mode, end):
    with stage.login("direct") as direct, stage.login(f"{mode}-1") as client:
        assert life_of_a_statement(client, ENDS[end]) == life_of_a_statement(direct, ENDS[end])


@pytest.mark.parametrize("end", ["deallocate all", "discard all", "restart", "a session's end"])
def test_what_ends_on_the_server_ends_no_other_clients_statement(stage, end):
    with stage.login("transaction-1") as owner, stage.login("transaction-1") as other:
        for client in (owner, other):
            client.send(m.parse("select 42", "s"), m.SYNC)
            client.until_ready()
        expected = runs("s")(owner)
        if end == "restart":
            stage.postgres.terminate(int(other.value(PID)))
        elif end == "a session's end":
            other.query("create temp table t as select 'temporary' as a")
            other.close()
        else:
            other.query(end)
            assert "E:ERROR:26000" in runs("s")(other)
        assert runs("s")(owner) == expected == ["2", "D:42", "C:SELECT 1", "Z:I"]


@pytest.mark.parametrize("way", [way for way in WAYS if way.waits], ids=lambda way: way.name)
def test_the_next_client_prepares_anew_what_the_last_one_changed_the_schema_of(stage, way):
    sql = "select * from changing"
    try:
        with stage.login("transaction-1") as owner:
            owner.query("create table own.changing as select 1 as a")
            owner.send(m.parse(sql, "s"), m.bind("s"), m.execute(), m.SYNC)
            owner.until_ready()
            owner.query("alter table own.changing add b text default 'new'")
            way.leave(owner)
        with stage.login("transaction-1") as heir:
            heir.send(m.parse(sql, "s"), m.bind("s"), m.execute(), m.SYNC)
            assert summaries(heir.until_ready()) == ["1", "2", "D:1,new", "C:SELECT 1", "Z:I"]
    finally:
        stage.postgres.execute("drop table if exists own.changing", dbname="leaks")


@pytest.mark.parametrize("way", [way for way in WAYS if way.waits], ids=lambda way: way.name)
@pytest.mark.parametrize("mode", MODES)
def test_a_notification_reaches_its_listener_and_not_the_next_client(stage, mode, way):
    with stage.login(f"{mode}-1") as owner:
        owner.query("listen news")
        stage.postgres.execute("notify news, 'first'", dbname="leaks")
        assert owner.receive().body[4:] == b"news\0first\0"
        way.leave(owner)
    with stage.login(f"{mode}-1") as heir:
        answer(heir, "select 1")
        stage.postgres.execute("notify news, 'second'", dbname="leaks")
        for _ in range(3):
            assert [x.tag for x in heir.query("select 1")] == ["T", "D", "C", "Z"]


@pytest.mark.parametrize("mode", MODES)
def test_reported_parameters_are_those_of_the_session_at_every_ready(stage, mode):
    chooser = random.Random(10)
    values = {**{name: [value, "default"] for name, value in REPORTED.items()}, "timezone": ["UTC", "CET", "default"]}
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(stage.login(f"{mode}-2", startup=startup)) for startup in ({}, REPORTED)]
        for _ in range(60):
            client, name = chooser.choice(clients), chooser.choice(list(values))
            value = chooser.choice(values[name])
            written = value if value == "default" or "," in value else repr(value)
            client.query("reset all" if chooser.random() < 0.1 else f"set {name} to {written}")
            for each in clients:
                for shown in each.parameters:
                    assert answer(each, f"show {shown}") == [[each.parameters[shown]]], shown


# --- what is left for an heir in other ways ---

DEFERRABLE = "-c default_transaction_isolation=serializable -c default_transaction_read_only=on -c default_transaction_deferrable=on"


@pytest.mark.parametrize("heir", [{"application_name": "heir"}, {"application_name": "heir", "options": DEFERRABLE}], ids=["plain", "deferrable"])
@pytest.mark.parametrize("options", [None, DEFERRABLE], ids=["set", "login"])
def test_what_anothers_transactions_begin_with_holds_up_no_heir(sluice, postgres, options, heir):
    """A serializable transaction that writes keeps deferrable ones waiting for their snapshot."""
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy, **({"options": options} if options else {})) as owner, login(proxy, **heir) as other:
        if options is None:
            owner.query("set session characteristics as transaction isolation level serializable, read only, deferrable")
        assert owner.value("show default_transaction_deferrable") == "on"
        with postgres.connect(dbname="app") as writer:
            writer.autocommit = False
            writer.execute("set transaction isolation level serializable")
            writer.execute("create temp table written as select 1")
            other.query("begin isolation level read committed")
            assert other.value("select 7") == "7"
            other.query("commit")
            writer.rollback()


def test_what_its_own_transactions_begin_with_holds_up_no_client(sluice, postgres):
    """Not even while the server is asked about the session."""
    proxy = sluice(workers=1, pool={"size": 1, "query_wait_timeout": "4s"})
    with postgres.connect(dbname="app") as writer, login(proxy) as owner:
        writer.autocommit = False
        writer.execute("set transaction isolation level serializable")
        writer.execute("create temp table written as select 1")
        owner.query("set session characteristics as transaction isolation level serializable, read only, deferrable")
        owner.query("begin isolation level read committed")
        assert owner.value("select 7") == "7"
        owner.query("commit")
        with login(proxy) as other:
            assert other.value("show default_transaction_deferrable") == "off"
        writer.rollback()
        assert owner.value("show default_transaction_deferrable") == "on"


def test_what_pins_a_client_keeps_no_server_once_state_is_ignored(sluice):
    proxy = sluice(workers=1, pool={"size": 2, "max_pinned": "100%", "query_wait_timeout": "5s"})
    with login(proxy) as idle, login(proxy) as busy, login(proxy) as other:
        for client in (idle, busy):
            client.query("create temp table mine as select 42 as a")
        busy.query("begin")
        busy.query("select 1")
        route = proxy.config["routes"][0]
        proxy.reload(changes={"routes": [{**route, "pool": {**route["pool"], "session_state": "ignore"}}]})
        assert busy.value("select a from mine") == "42"
        busy.query("commit")
        tables = lambda client: client.value("select count(*) from pg_class where relname = 'mine'")
        eventually(lambda: tables(other) == "0", 5, "the servers of before to end with their tables")
        for _ in range(2):
            for client in (other, idle, busy):
                assert tables(client) == "0"
            hold_server(other)
        assert proxy.metrics().sum("pgsluice_pinned_clients") == 0


def test_what_was_left_while_state_was_ignored_is_not_found_once_it_is_preserved(sluice):
    proxy = sluice(workers=1, pool={"size": 1, "session_state": "ignore"})
    with login(proxy) as owner, login(proxy) as stranger:
        owner.query("set work_mem = '7MB'; set app.tenant = 'acme'; create temp table mine as select 42 as a")
        owner.query("begin")
        owner.query("select 1")
        route = proxy.config["routes"][0]
        proxy.reload(changes={"routes": [{**route, "pool": {**route["pool"], "session_state": "preserve"}}]})
        owner.query("commit")
        assert stranger.value("show work_mem") == "4MB"
        assert stranger.value("select coalesce(current_setting('app.tenant', true), '')") == ""
        assert stranger.value("select count(*) from pg_class where relname = 'mine'") == "0"
