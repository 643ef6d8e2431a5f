"""Reported settings belong to the client: they follow it from server to server, in the server's spelling."""
import random

import pytest

from support import messages as m
from support.proxy import default_config, hold_server, login
from support.wire import WireClient, summaries

SETTINGS = {
    "application_name": ["one", "two", ""], "client_encoding": ["UTF8", "LATIN1", "SQL_ASCII"], "DateStyle": ["ISO, MDY", "German, DMY"],
    "TimeZone": ["UTC", "Asia/Tokyo", "America/New_York"], "IntervalStyle": ["postgres", "iso_8601"],
    "standard_conforming_strings": ["on", "off"],
}


def test_two_interleaved_clients_keep_their_own_settings(target):
    chooser = random.Random(3)
    clients = [target.login() for _ in range(3)]
    expected = [{} for _ in clients]
    for _ in range(120):
        who = chooser.randrange(len(clients))
        name = chooser.choice(list(SETTINGS))
        if chooser.random() < 0.5:
            value = chooser.choice(SETTINGS[name])
            for message in clients[who].query(f"set {name} = '{value}'" if name != "DateStyle" else f"set {name} = {value}"):
                if message.tag == "S":
                    clients[who].parameters.update([message.pair])
            expected[who][name] = value
        for key, value in expected[who].items():
            assert clients[who].value(f"show {key}") == value
            assert clients[who].parameters[key] == value
    for client in clients:
        client.close()


def test_startup_values_differ_between_clients_on_one_server(sluice):
    proxy = sluice(pool={"size": 1})
    with login(proxy, TimeZone="Asia/Tokyo", application_name="tokyo") as first, login(proxy, application_name="") as second:
        for _ in range(3):
            assert (first.value("show timezone"), first.value("show application_name")) == ("Asia/Tokyo", "tokyo")
            assert second.value("show application_name") == ""
            assert second.value("show timezone") != "Asia/Tokyo"


def test_startup_parameters_do_not_leak_to_the_next_client(sluice):
    proxy = sluice(pool={"size": 1})
    for parameters in ({"statement_timeout": "77s"}, {"options": "-c statement_timeout=78s"}):
        with login(proxy, **parameters) as first:
            assert first.value("show statement_timeout") in ("77s", "78s")
        with login(proxy) as second:
            assert second.value("show statement_timeout") == "0"


def test_an_application_name_does_not_leak_to_the_next_client(sluice):
    proxy = sluice(pool={"size": 1})
    with login(proxy) as first:
        first.query("set application_name = 'leaky'")
    with login(proxy) as second:
        assert second.value("show application_name") == ""


def test_settings_inside_a_rolled_back_transaction_are_undone(target):
    with target.login() as client, target.login() as other:
        client.query("set timezone = 'UTC'")
        client.query("begin")
        client.query("set timezone = 'Asia/Tokyo'")
        reply = client.query("rollback")
        assert ("TimeZone", "UTC") in [x.pair for x in reply if x.tag == "S"]
        hold_server(other)
        assert client.value("show timezone") == "UTC"
        other.query("commit")


def test_set_local_ends_with_its_transaction(target):
    with target.login() as client:
        client.query("begin; set local timezone = 'Asia/Tokyo'")
        assert client.value("show timezone") == "Asia/Tokyo"
        client.query("commit")
        assert client.value("show timezone") != "Asia/Tokyo"


@pytest.mark.parametrize("name, value, spelled", [("TimeZone", "asia/tokyo", "Asia/Tokyo"), ("client_encoding", "latin-1", "LATIN1"),
                                                  ("DateStyle", "sql,ymd", "SQL, YMD")])
def test_reported_values_have_the_servers_spelling(target, name, value, spelled):
    with target.login() as client, target.login() as other:
        reply = client.query(f"set {name} = '{value}'")
        assert [x.pair for x in reply if x.tag == "S"] == [(name, spelled)]
        hold_server(other)
        assert client.value(f"show {name}") in (spelled, value)
        other.query("commit")
    with target.login(**{name: value}) as client:
        assert client.parameters[name] == spelled


def test_login_with_known_pairs_needs_no_server(sluice, postgres):
    """The first login teaches the pool what the pairs are reported as; the second gets the same without a server."""
    proxy = sluice(pool={"size": 1, "query_wait_timeout": "2s"})
    with login(proxy, TimeZone="asia/tokyo") as first:
        hold_server(first)
        with login(proxy, TimeZone="asia/tokyo") as second:
            assert second.parameters == first.parameters
            assert second.parameters["TimeZone"] == "Asia/Tokyo"
        first.query("commit")


def test_login_with_a_bad_pair_fails_although_others_are_known(sluice):
    proxy = sluice()
    with login(proxy):
        pass
    with WireClient(proxy.address) as client:
        seen = client.start("app", "app", "app-secret", TimeZone="no/where")
        assert (seen[-1].severity, seen[-1].sqlstate) == ("FATAL", "22023")


def test_a_date_style_in_part_means_what_it_means_on_a_fresh_connection(sluice):
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy) as other:
        other.query("set datestyle = 'ISO, DMY'")
    for _ in range(2):
        with login(proxy, DateStyle="ISO") as client:
            assert client.value("select '02/03/2024'::date") == "2024-02-03"


@pytest.fixture
def reloadable(make_postgres, make_proxy):
    """A server of the test's own and pgsluice in front of it."""
    server = make_postgres()
    return server, make_proxy(default_config(server))


NEW = {"DateStyle": "ISO, DMY", "TimeZone": "Asia/Tokyo"}


def ask(client, sql):
    """The last value of the answer, and whatever is reported with it."""
    value = None
    for message in client.query(sql):
        if message.tag == "S":
            client.parameters.update([message.pair])
        if message.tag == "D":
            value = message.row[0].decode()
    return value


def found(client):
    return {name: ask(client, f"show {name}") for name in NEW}


def told(client):
    return {name: client.parameters[name] for name in NEW}


def test_a_reload_of_the_server_reaches_clients_that_are_there_and_those_who_come(reloadable):
    server, proxy = reloadable
    with login(proxy) as first, login(proxy) as resting:
        before = told(first)
        assert ask(resting, "select 1") == ask(first, "select 1")
        server.reload(datestyle="ISO, DMY", timezone="Asia/Tokyo")
        ask(first, "select 1")
        assert told(first) == found(first) == NEW != before
        for _ in range(3):
            with login(proxy) as newcomer:
                assert told(newcomer) == found(newcomer) == NEW
        ask(resting, "select 1")
        assert told(resting) == found(resting) == NEW
        for client in (first, resting):
            ask(client, "set datestyle = 'German'; set timezone = 'UTC'")
            hold_server(client)
        with login(proxy) as third:
            assert found(third) == NEW
        for client in (first, resting):
            ask(client, "commit")
            ask(client, "reset datestyle"), ask(client, "reset timezone")
            assert told(client) == found(client) == NEW


def test_a_reload_of_the_server_changes_nothing_that_a_client_has_asked_for(reloadable):
    server, proxy = reloadable
    with login(proxy, DateStyle="ISO, MDY") as client, login(proxy) as other:
        ask(other, "set timezone = 'UTC'")
        server.reload(datestyle="ISO, DMY", timezone="Asia/Tokyo")
        ask(client, "select 1"), ask(other, "select 1")
        assert ask(client, "show datestyle") == "ISO, MDY" == client.parameters["DateStyle"]
        assert ask(other, "show timezone") == "UTC" == other.parameters["TimeZone"]
        ask(client, "set datestyle = 'German'"), ask(client, "reset datestyle")
        assert ask(client, "show datestyle") == "ISO, MDY"
        with login(proxy, DateStyle="ISO, MDY") as newcomer:
            assert ask(newcomer, "show datestyle") == "ISO, MDY"
        with login(proxy) as newcomer:
            # The time zone is set on the one connection there is, which tells nothing of it.
            assert told(newcomer)["DateStyle"] == found(newcomer)["DateStyle"] == NEW["DateStyle"]


def test_what_a_function_sets_is_the_default_of_nobody(sluice, postgres):
    postgres.execute("create or replace function public.moves() returns text language sql as"
                     " $$ select set_config('timezone', 'Asia/Tokyo', false) $$", dbname="app")
    proxy = sluice(pool={"size": 1})
    try:
        with login(proxy) as client, login(proxy) as resting:
            before = client.parameters["TimeZone"]
            assert ask(client, "select public.moves()") == "Asia/Tokyo"
            assert client.parameters["TimeZone"] == ask(client, "show timezone") == "Asia/Tokyo"
            with login(proxy) as newcomer:
                assert newcomer.parameters["TimeZone"] == ask(newcomer, "show timezone") == before
            assert ask(resting, "show timezone") == before
            assert ask(client, "show timezone") == "Asia/Tokyo"
            ask(client, "reset timezone")
            assert ask(client, "show timezone") == before
    finally:
        postgres.execute("drop function public.moves()", dbname="app")


def test_statements_that_clients_prepare_by_our_names_stop_nobody(sluice):
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy) as tamperer:
        tamperer.query("prepare pgsluice_reset as select 1")
    with login(proxy, work_mem="2MB") as client:
        assert client.value("show work_mem") == "2MB"
    with login(proxy) as tamperer:
        tamperer.query("deallocate pgsluice_set")
    attempts = [WireClient(proxy.address) for _ in range(2)]
    last = [client.start("app", "app", "app-secret", work_mem="3MB")[-1] for client in attempts]
    assert last[-1].tag == "Z", "the server is replaced"


@pytest.mark.parametrize("tamper", [
    "deallocate pgsluice_inspect; prepare pgsluice_inspect(text[], bool) as select 's', 'work_mem', '4MB' where false",
    "do $$ begin execute 'deallocate pgsluice_inspect'; execute 'deallocate pgsluice_isolate'; "
    "execute 'prepare pgsluice_inspect(text[], bool) as select ''s'', ''work_mem'', ''4MB'' where false'; end $$",
    "deallocate pgsluice_set; prepare pgsluice_set(text, text) as select where $1 = $2",
    'deallocate U&"pgsluic\\0065_inspect"; prepare U&"pgsluic\\0065_inspect"(text[], bool) as '
    "select 's', 'work_mem', '4MB' where false",
], ids=["in words", "in a block", "what restores", "in escapes"])
def test_what_a_client_prepares_by_our_names_tells_us_nothing_about_others(sluice, tamper):
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy, work_mem="5MB") as one, login(proxy) as tamperer, login(proxy) as other:
        tamperer.query("set work_mem = '1MB'")
        assert one.value("show work_mem") == "5MB"
        tamperer.query(tamper)
        tamperer.close()
        one.query("set work_mem = '7MB'")
        assert other.value("show work_mem") == "4MB"
        assert one.value("show work_mem") == "7MB"


@pytest.mark.parametrize("name", ["pgsluice_inspect", 'U&"pgsluic\\0065_inspect"'])
def test_what_a_client_answers_in_our_place_about_itself_is_not_believed(sluice, name):
    proxy = sluice(workers=1, pool={"size": 1, "query_wait_timeout": "2s"})
    with login(proxy) as tamperer, login(proxy) as other:
        tamperer.query("set work_mem = '1MB'")
        tamperer.query(f"deallocate {name}; prepare {name}(text[], bool) as select 's', 'work_mem', '4MB' where false")
        tamperer.query("set work_mem = '77MB'")
        tamperer.query("deallocate all")
        assert other.value("show work_mem") == "4MB"
        assert tamperer.value("show work_mem") == "77MB"


@pytest.mark.parametrize("sql", ["execute pgsluice_set('work_mem', '77MB')", "explain analyze execute \"pgsluice_set\"('work_mem', '77MB')"])
def test_what_a_client_sets_by_a_statement_of_ours_is_its_own(sluice, sql):
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy, work_mem="5MB") as setter, login(proxy) as other:
        for _ in range(2):  # it is prepared where settings have been restored
            assert (setter.value("show work_mem"), other.value("show work_mem")) == ("5MB", "4MB")
        assert setter.value("show work_mem") == "5MB"
        setter.query(sql)
        assert setter.value("show work_mem") == "77MB"
        assert other.value("show work_mem") == "4MB"
        assert setter.value("show work_mem") == "77MB"


def test_a_client_whose_settings_are_restored_has_every_answer(sluice):
    """However short it is, behind that to what restores them, and however late."""
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy, work_mem="2MB") as one, login(proxy, work_mem="3MB") as other:
        for _ in range(50):
            for client, size in ((one, "2MB"), (other, "3MB")):
                client.send(m.SYNC)
                assert summaries(client.until_ready()) == ["Z:I"]
                assert client.value("show work_mem") == size
        assert one.value("select 1 from pg_sleep(0.05)") == "1"
        other.send(m.parse("show work_mem"), m.FLUSH)
        assert other.receive().tag == "1"


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_logins_behind_a_promotion_are_told_of_it(make_postgres, make_proxy, mode):
    standby = make_postgres("standby", start=False)
    (standby.data / "standby.signal").touch()
    standby.start()
    proxy = make_proxy(default_config(standby, routes=[{"name": "default", "match": {}, "cluster": "main", "pool": {"mode": mode, "size": 1}}]))
    with login(proxy) as client:
        assert client.parameters["in_hot_standby"] == "on"
        client.query("select pg_backend_pid()")
        standby.execute("select pg_promote()")
        # It is reported with the answer to a query.
        assert any(x.tag == "S" and x.pair == ("in_hot_standby", "off") for x in client.query("select pg_backend_pid()"))
    for _ in range(2):
        with login(proxy) as client:
            assert client.parameters["in_hot_standby"] == "off"
