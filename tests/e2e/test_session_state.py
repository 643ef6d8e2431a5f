"""What a client makes of its session, in transaction mode: it keeps it, nobody else finds it, and nothing of it outlives it."""
import time
from contextlib import ExitStack

import pytest

from support import messages as m
from support.proxy import hold_server, login
from support.system import eventually
from support.wire import error_in, summaries

PID = "select pg_backend_pid()"

# kind -> how a session comes by it, what shows it, and what that answers where it is and where it is not
SETTINGS = {
    "set": ("set work_mem = '7MB'", "show work_mem", "7MB", "4MB"),
    "set session": ("set session statement_timeout = '50s'", "show statement_timeout", "50s", "0"),
    "a value with a fraction": ("set random_page_cost = 1.25", "show random_page_cost", "1.25", "4"),
    "a list": ("set search_path = pg_catalog, public", "show search_path", "pg_catalog, public", '"$user", public'),
    "reported": ("set timezone = 'Asia/Tokyo'", "show timezone", "Asia/Tokyo", "GMT"),
    "set names": ("set names 'LATIN1'", "show client_encoding", "LATIN1", "UTF8"),
    "set_config": ("select set_config('lock_timeout', '9s', false)", "show lock_timeout", "9s", "0"),
    "role": ("set role pg_monitor", "select current_user", "pg_monitor", "app"),
    "characteristics": ("set session characteristics as transaction isolation level serializable",
                        "show default_transaction_isolation", "serializable", "read committed"),
    "custom": ("set app.tenant = 'acme'", "select coalesce(current_setting('app.tenant', true), '')", "acme", ""),
    "do": ("do $$ begin perform set_config('app.tenant', 'acme', false), set_config('work_mem', '7MB', false); end $$",
           "select current_setting('work_mem') || coalesce(current_setting('app.tenant', true), '')", "7MBacme", "4MB"),
}
PINNED = {
    "temporary_table": ("create temp table mine as select 42 as a", "select to_regclass('pg_temp.mine')::text", "mine", "drop table mine"),
    "advisory_lock": ("select pg_advisory_lock(7)", "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
                      "1", "select pg_advisory_unlock(7)"),
    "listen": ("listen news", "select string_agg(c, ',') from pg_listening_channels() c", "news", "unlisten news"),
    "cursor": ("declare c cursor with hold for select 42", "select string_agg(name, ',') from pg_cursors where is_holdable", "c", "close c"),
    "prepared": ("prepare p as select 42", "select string_agg(name, ',') from pg_prepared_statements where from_sql", "p", "deallocate p"),
}


def shown(client, sql):
    """The one value, or nothing for NULL."""
    row = client.rows(sql)[0]
    return "" if row[0] is None else row[0].decode()


@pytest.fixture
def two(sluice):
    """Two clients of one pool of two servers on one worker, and how to make the first one's next transaction run elsewhere."""
    proxy = sluice(workers=1, pool={"size": 2})
    with login(proxy) as owner, login(proxy) as stranger:
        yield proxy, owner, stranger


def elsewhere(owner, stranger, sql):
    """What the owner sees while the stranger holds the server that the owner used last."""
    hold_server(stranger)
    seen = shown(owner, sql)
    stranger.query("rollback")
    return seen


@pytest.mark.parametrize("kind", SETTINGS)
class TestSettings:
    def test_follow_their_client_to_another_server(self, two, kind):
        _, owner, stranger = two
        make, show, made, _ = SETTINGS[kind]
        owner.query(make)
        assert elsewhere(owner, stranger, show) == made
        assert shown(owner, show) == made

    def test_are_not_found_by_others(self, two, kind):
        _, owner, stranger = two
        make, show, _, unmade = SETTINGS[kind]
        owner.query(make)
        assert shown(stranger, show) == unmade
        assert elsewhere(stranger, owner, show) == unmade

    def test_do_not_outlive_their_client(self, two, kind):
        _, owner, stranger = two
        make, show, _, unmade = SETTINGS[kind]
        owner.query(make)
        owner.close()
        assert shown(stranger, show) == unmade

    def test_do_not_outlive_a_client_that_hangs_up_at_once(self, two, kind):
        _, owner, stranger = two
        make, show, _, unmade = SETTINGS[kind]
        owner.send(m.query(make))
        owner.reset()
        for _ in range(10):
            assert shown(stranger, show) == unmade
            time.sleep(0.02)

    def test_made_by_a_prepared_statement_follow_too(self, two, kind):
        _, owner, stranger = two
        make, show, made, _ = SETTINGS[kind]
        owner.send(m.parse(make, name="s"), m.SYNC)
        owner.until_ready()
        owner.query("select 1")
        owner.send(m.bind(statement="s"), m.execute(), m.SYNC)
        owner.until_ready()
        assert elsewhere(owner, stranger, show) == made

    @pytest.mark.parametrize("before, undo", [("begin", "rollback"), ("select 1", "discard all")])
    def test_are_gone_once_undone(self, two, kind, before, undo):
        _, owner, stranger = two
        make, show, _, unmade = SETTINGS[kind]
        for sql in (before, make, undo):
            owner.query(sql)
        assert elsewhere(owner, stranger, show) == unmade
        assert shown(owner, show) == unmade


@pytest.mark.parametrize("at_login, back, show, at_server", [
    ({"timezone": "Asia/Tokyo"}, "set timezone = 'GMT'", "show timezone", "GMT"),
    ({"DateStyle": "German"}, "set datestyle = 'ISO, MDY'", "show datestyle", "ISO, MDY"),
    ({"client_encoding": "LATIN1"}, "set names 'UTF8'", "show client_encoding", "UTF8"),
    ({"options": "-c work_mem=7MB"}, "set work_mem = '4MB'", "show work_mem", "4MB")])
def test_value_of_the_server_itself_may_replace_that_of_the_login(sluice, at_login, back, show, at_server):
    """On a server where nobody has to set it for the client, asking what the session has become must not take it for a RESET."""
    proxy = sluice(workers=1, pool={"size": 2})
    with login(proxy, **at_login) as owner, login(proxy) as stranger:
        asked = shown(owner, show)
        assert asked != at_server
        owner.query(back)
        assert elsewhere(owner, stranger, show) == at_server
        assert elsewhere(owner, stranger, "select set_config('lock_timeout', '9s', false)") == "9s"
        assert shown(owner, show) == elsewhere(owner, stranger, show) == at_server
        name = show.removeprefix("show ")
        owner.query(f"reset {name}")
        assert shown(owner, show) == elsewhere(owner, stranger, show) == asked


def test_savepoints_and_set_local_leave_what_postgres_leaves(two):
    _, owner, stranger = two
    for sql in ("begin", "set work_mem = '5MB'", "savepoint s", "set work_mem = '6MB'", "rollback to s", "set local lock_timeout = '3s'", "commit"):
        owner.query(sql)
    assert elsewhere(owner, stranger, "show work_mem") == "5MB"
    assert elsewhere(owner, stranger, "show lock_timeout") == "0"


def test_values_that_only_bind_knows_are_carried(two):
    _, owner, stranger = two
    owner.send(m.parse("select set_config($1, $2, false)"), m.bind(values=[b"app.tenant", b"acme"]), m.execute(), m.SYNC)
    owner.until_ready()
    assert elsewhere(owner, stranger, "select current_setting('app.tenant', true)") == "acme"


def test_a_set_config_of_the_transaction_asks_no_server(two, postgres):
    _, owner, _ = two
    owner.query("select set_config('app.tenant', 'acme', true)")
    owner.query("set local work_mem = '7MB'")
    owner.query("update target set b = b where false")
    assert owner.value("select count(*) from pg_prepared_statements where name = 'pgsluice_inspect'") == "0"


def test_reset_means_what_the_client_asked_for_at_its_login(sluice):
    proxy = sluice(workers=1, pool={"size": 2})
    with login(proxy, options="-c work_mem=9MB", timezone="Asia/Tokyo") as owner, login(proxy) as stranger:
        for undo in ("reset work_mem", "reset all", "discard all", "set work_mem to default"):
            owner.query("set work_mem = '7MB'")
            owner.query(undo)
            assert shown(owner, "show work_mem") == "9MB", undo
            assert elsewhere(owner, stranger, "show work_mem") == "9MB", undo
            assert shown(owner, "show timezone") == "Asia/Tokyo"
        assert stranger.value("show work_mem") == "4MB"


def test_a_reset_of_a_reported_setting_is_reported_as_the_login_had_it(sluice):
    proxy = sluice(workers=1)
    with login(proxy, timezone="Asia/Tokyo") as client:
        client.query("set timezone = 'CET'")
        client.send(m.query("reset timezone"))
        client.until_ready()
        client.send(m.query("show timezone"))
        assert client.until_ready()[-3].row == [b"Asia/Tokyo"]
        assert client.parameters["TimeZone"] == "Asia/Tokyo"


def test_what_connect_query_has_set_outlives_its_clients_resets(sluice):
    proxy = sluice(workers=1, pool={"size": 1}, route={"connect_query": "set work_mem = '9MB'; set role pg_monitor; set app.origin = 'proxy'"})
    show = "select current_setting('work_mem') || ' ' || current_user || ' ' || current_setting('app.origin')"
    with login(proxy) as one, login(proxy) as other:
        for undo in ("set work_mem = '7MB'", "discard all", "reset role"):
            one.query(undo)
            assert other.value(show) == "9MB pg_monitor proxy"
        assert one.value("show work_mem") == "9MB"


def test_session_authorization_and_a_role_taken_on_by_it(sluice):
    proxy = sluice(workers=1, pool={"size": 2}, auth={"rules": [{"users": ["postgres"], "method": "trust"}]})
    who = "select session_user || ' ' || current_user"
    with login(proxy, "postgres") as owner, login(proxy, "postgres") as stranger:
        owner.query("set log_statement = 'all'")
        owner.query("set session authorization app")
        owner.query("set role pg_monitor")
        assert elsewhere(owner, stranger, who) == "app pg_monitor"
        assert stranger.value(who) == "postgres postgres"
        assert stranger.value("show log_statement") == "none"
        assert owner.value("show log_statement") == "all"
        owner.query("reset session authorization")
        assert elsewhere(owner, stranger, who) == "postgres postgres"


@pytest.mark.parametrize("name", ["zero_damaged_pages", "lo_compat_privileges", "log_statement_stats"])
def test_what_only_another_role_may_take_back_holds_for_no_statement_of_others(sluice, postgres, name):
    postgres.execute(f"create role boss; grant set on parameter {name} to boss; grant boss to app")
    postgres.execute("alter role app noinherit")
    try:
        proxy = sluice(workers=1, pool={"size": 1})
        with login(proxy) as owner, login(proxy) as stranger:
            for statement in ("set role boss", f"set {name} = on", "reset role"):
                owner.query(statement)
            assert stranger.value(f"select current_setting('{name}')") == "off"
    finally:
        postgres.execute("alter role app inherit; drop owned by boss; drop role boss")


def test_a_role_that_is_lost_lets_no_statement_run_with_other_rights(sluice, postgres):
    proxy = sluice(workers=1, pool={"size": 2})
    postgres.execute("create role passing; grant passing to app")
    try:
        with login(proxy) as owner, login(proxy) as stranger:
            owner.query("create table if not exists ran (a int)")
            owner.query("set role passing")
            # Until its session has been looked at the server is its own, and keeps the role.
            eventually(lambda: proxy.metrics().sum("pgsluice_servers", state="active") == 0, 5, "the server to be given back")
            postgres.execute("revoke passing from app")
            stranger.query("begin; select 1")
            owner.send(m.query("insert into ran values (1)"))
            seen = owner.receive_until("E")
            assert error_in(seen).sqlstate == "08006"
            stranger.query("rollback")
            assert stranger.value("select count(*) from ran") == "0"
    finally:
        postgres.execute("drop table if exists ran", dbname="app")
        postgres.execute("drop role passing")


def test_a_pin_ends_by_whatever_takes_its_reason_away(two, postgres):
    proxy, owner, _ = two
    postgres.execute("create role leaving; grant leaving to app")
    for make, end in (("declare c cursor with hold for select 42", m.close_portal("c") + m.SYNC),
                      ("set role leaving; create temp table mine (); reset role", m.query("drop owned by leaving"))):
        owner.query(make)
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 1, 5, "the pin")
        owner.send(end)
        assert owner.until_ready()[-1].status == "I"
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 0, 5, "the pin to end")
    postgres.execute("drop role leaving")


@pytest.mark.parametrize("reason", PINNED)
class TestPins:
    def test_keep_the_client_on_its_server_while_they_last(self, two, reason):
        proxy, owner, stranger = two
        make, show, made, undo = PINNED[reason]
        owner.query(make)
        pid = owner.value(PID)
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason=reason) == 1, 5, "the pin to show")
        for _ in range(3):
            assert stranger.value(PID) != pid
            assert shown(owner, show) == made
            assert owner.value(PID) == pid
        owner.query(undo)
        assert shown(owner, show) in ("", "0")
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason=reason) == 0, 5, "the pin to end")
        owner.query("select 1")
        stranger.query("begin")
        assert stranger.value(PID) == pid, "free for others"
        stranger.query("rollback")

    def test_end_with_their_client_and_leave_a_clean_server(self, two, reason):
        proxy, owner, stranger = two
        make, show, _, _ = PINNED[reason]
        stranger.query("select 1")
        owner.query(make)
        owner.close()
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 0, 5, "the pin to end")
        hold_server(stranger)
        with login(proxy) as third:
            assert shown(third, show) in ("", "0")
        assert shown(stranger, show) in ("", "0")

    def test_end_by_discard_all(self, two, reason):
        proxy, owner, stranger = two
        make, show, _, _ = PINNED[reason]
        owner.query(make)
        owner.query("discard all")
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 0, 5, "the pin to end")
        assert shown(owner, show) in ("", "0")


def test_a_pool_is_never_pinned_whole(sluice):
    proxy = sluice(workers=1, pool={"size": 4, "max_pinned": "50%"})
    with login(proxy) as one, login(proxy) as two, login(proxy) as third:
        one.query("listen news"), two.query("create temp table mine (a int)")
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 2, 5, "the pins to show")
        for make, _, _, _ in PINNED.values():
            refused = error_in(third.query(make))
            assert refused.sqlstate == "53300" and "max_pinned is 50% of 4" in refused.fields["D"]
            third.send(m.parse(make), m.bind(), m.execute(), m.SYNC)
            assert error_in(third.until_ready()).sqlstate == "53300"
        assert summaries(third.query("create temp table brief (a int) on commit drop"))[-1] == "Z:I"
        assert summaries(two.query("listen more"))[0] == "C:LISTEN", "who keeps one already may leave more there"
        listeners = lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason="listen")  # noqa: E731
        eventually(lambda: listeners() == 2, 5, "the second pin to show")
        one.query("unlisten *")
        eventually(lambda: listeners() == 1, 5, "a pin to end")
        assert summaries(third.query("listen news"))[0] == "C:LISTEN"


@pytest.mark.parametrize("make", ["listen news", "create temp table mine (a int)", "select pg_advisory_lock_shared(7)"])
def test_a_pool_is_never_pinned_whole_by_many_at_once(sluice, make):
    proxy = sluice(workers=1, pool={"size": 6, "max_pinned": "50%"})
    with ExitStack() as stack:
        clients = [stack.enter_context(login(proxy)) for _ in range(6)]
        for client in clients:
            client.send(m.query(make))
        answers = [summaries(client.until_ready()) for client in clients]
        assert sum(answer[0] == "E:ERROR:53300" for answer in answers) == 3, answers
        assert clients[0].value("select 1") == "1"
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 3, 5, "the pins to show")
    eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 0, 5, "the pins to end")


@pytest.mark.parametrize("made, show", [("set_config('app.big', repeat('x', 300000), false)", "length(current_setting('app.big'))"),
                                        ("set_config('search_path', repeat('x', 60) || repeat(', y', 200000), false)",
                                         "length(current_setting('search_path'))")])
def test_a_setting_too_long_to_be_carried_keeps_its_client_on_its_server(two, made, show):
    proxy, owner, stranger = two
    size = owner.value(f"select length({made})")
    eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason="unknown") == 1, 5, "the pin to show")
    for _ in range(3):
        assert owner.value(f"select {show}") == size
        assert shown(stranger, "show search_path") == '"$user", public'
    owner.query("discard all")
    eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 0, 5, "the pin to end")


def test_settings_that_are_too_long_together_keep_their_client_on_its_server(two):
    proxy, owner, stranger = two
    for number in range(8):
        owner.query(f"select length(set_config('app.a{number}', repeat('{number}', 40000), false))")
    eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason="unknown") == 1, 5, "the pin to show")
    for _ in range(3):
        assert owner.value("select length(current_setting('app.a0') || current_setting('app.a7'))") == "80000"
        assert stranger.value("select coalesce(current_setting('app.a7', true), '')") == ""
    owner.query("reset app.a6; reset app.a7")
    eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 0, 5, "the pin to end")
    assert elsewhere(owner, stranger, "select length(current_setting('app.a0'))") == "40000"


def test_what_was_prepared_when_there_was_room_is_refused_when_it_is_bound(sluice):
    proxy = sluice(workers=1, pool={"size": 2, "max_pinned": "50%"})
    with login(proxy) as one, login(proxy) as two:
        two.send(m.parse("listen news", "l"), m.parse("select 7", "s"), m.SYNC)
        two.until_ready()
        one.query("listen news")
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 1, 5, "the pin to show")
        two.send(m.bind("l"), m.execute(), m.bind("s"), m.execute(), m.SYNC)
        assert [x.sqlstate for x in two.until_ready() if x.tag == "E"] == ["53300"]
        two.send(m.bind("s"), m.execute(), m.SYNC)
        assert [x.row for x in two.until_ready() if x.tag == "D"] == [[b"7"]]
        one.query("unlisten *")
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients") == 0, 5, "the pin to end")
        two.send(m.bind("l"), m.execute(), m.SYNC)
        assert summaries(two.until_ready()) == ["2", "C:LISTEN", "Z:I"]


def test_reject_refuses_what_would_pin_and_carries_the_rest(sluice):
    proxy = sluice(workers=1, pool={"size": 1, "session_state": "reject"})
    with login(proxy) as client, login(proxy) as other:
        for make, _, _, _ in PINNED.values():
            refused = error_in(client.query(make))
            assert refused.sqlstate == "0A000" and "session_state is reject" in refused.fields["D"]
            client.send(m.parse(make), m.bind(), m.execute(), m.SYNC)
            assert error_in(client.until_ready()).sqlstate == "0A000"
        assert proxy.metrics().sum("pgsluice_pinned_clients") == 0
        client.query("set work_mem = '7MB'")
        assert (other.value("show work_mem"), client.value("show work_mem")) == ("4MB", "7MB")
        assert summaries(client.query("create temp table brief (a int) on commit drop"))[-1] == "Z:I"
        # Within a transaction it fails as any statement that fails.
        client.query("begin")
        assert summaries(client.query("listen news")) == ["E:ERROR:0A000", "Z:E"]
        assert summaries(client.query("rollback")) == ["C:ROLLBACK", "Z:I"]


def test_notifications_reach_a_listener_in_transaction_mode(two):
    _, owner, stranger = two
    owner.query("listen news")
    stranger.query("notify news, 'hello'")
    message = owner.receive()
    assert message.tag == "A" and message.body[4:] == b"news\0hello\0"


def test_a_pinned_client_is_told_why_its_server_ends(two, postgres):
    _, owner, _ = two
    owner.query("listen news")
    postgres.execute(f"select pg_terminate_backend({owner.value(PID)})")
    assert error_in(owner.receive_until("E")).sqlstate == "57P01"


def test_a_client_that_does_not_read_keeps_no_server_that_it_has_set_something_on(sluice):
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy) as slow, login(proxy) as other:
        slow.send(m.query("set work_mem = '7MB'; select repeat('x', 1000) from generate_series(1, 3000)"))
        assert other.value("show work_mem") == "4MB"
        slow.until_ready()
        assert slow.value("show work_mem") == "7MB"


def test_settings_of_a_pinned_client_are_its_own_when_the_pin_ends(two):
    _, owner, stranger = two
    owner.query("create temp table mine (a int)")
    owner.query("set work_mem = '7MB'")
    owner.query("drop table mine")
    assert stranger.value("show work_mem") == "4MB"
    assert elsewhere(owner, stranger, "show work_mem") == "7MB"


def test_a_pipeline_behind_a_set_runs_with_it(two):
    _, owner, stranger = two
    owner.send(m.query("set work_mem = '7MB'"), m.query("show work_mem"), m.query("set work_mem = '8MB'"), m.query("show work_mem"))
    seen = [message for _ in range(4) for message in owner.until_ready()]
    assert [message.row for message in seen if message.tag == "D"] == [[b"7MB"], [b"8MB"]]
    assert elsewhere(owner, stranger, "show work_mem") == "8MB"


def test_a_server_that_cannot_be_asked_stays_with_its_client(two, postgres):
    proxy, owner, stranger = two
    pinned = lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason="unknown")
    postgres.execute("revoke select on pg_settings from public", dbname="app")
    try:
        owner.query("set work_mem = '7MB'")
        eventually(lambda: pinned() == 1, 5, "the pin to show")
        assert elsewhere(owner, stranger, "show work_mem") == "7MB"
        assert stranger.value("show work_mem") == "4MB"
    finally:
        postgres.execute("grant select on pg_settings to public", dbname="app")
    owner.query("select 1")
    eventually(lambda: pinned() == 0, 5, "the pin to end")
    assert elsewhere(owner, stranger, "show work_mem") == "7MB"


def test_ignore_does_as_pgbouncer(sluice):
    proxy = sluice(workers=1, pool={"size": 1, "session_state": "ignore"})
    with login(proxy) as owner, login(proxy) as stranger:
        owner.query("set work_mem = '7MB'")
        assert stranger.value("show work_mem") == "7MB"


# kind -> a function that makes it behind a plain SELECT, what shows it, what that answers where it is, and what ends it
HIDDEN = {
    "setting": ("perform set_config('work_mem', '7MB', false)", "show work_mem", "7MB", None),
    "lock": ("perform pg_advisory_lock(7)", PINNED["advisory_lock"][1], "1", "perform pg_advisory_unlock(7)"),
    "temporary table": ("create temp table mine as select 42 as a", PINNED["temporary_table"][1], "mine", "drop table mine"),
}


@pytest.fixture
def checked(sluice, postgres):
    """As `two`, where the server is asked after every transaction; and how to have a function do something."""
    def do(client, body, name):
        postgres.execute(f"create or replace function public.{name}() returns void language plpgsql as $$ begin {body}; end $$", dbname="app")
        assert "E" not in [x[0] for x in summaries(client.query(f"select public.{name}()"))]

    proxy = sluice(workers=1, pool={"size": 2, "check_at_release": True, "max_pinned": "100%"})
    with login(proxy) as owner, login(proxy) as stranger:
        yield do, owner, stranger


@pytest.mark.parametrize("kind", HIDDEN)
def test_what_a_function_does_is_found_where_the_server_is_asked_after_every_transaction(checked, kind):
    do, owner, stranger = checked
    make, show, made, end = HIDDEN[kind]
    do(owner, make, "hidden_make")
    assert shown(stranger, show) != made
    assert elsewhere(owner, stranger, show) == made
    if end is None:
        return
    pid = shown(owner, PID)
    assert all(shown(stranger, PID) != pid == shown(owner, PID) for _ in range(3)), "it is the owner's alone"
    do(owner, end, "hidden_end")

    def serves_both():
        first = shown(stranger, PID)
        time.sleep(0.05)  # the server is asked behind it, and whoever comes meanwhile gets another
        return first == shown(owner, PID)

    eventually(serves_both, 5, "the server to be anybody's")
    owner.close()
    assert shown(stranger, show) != made
