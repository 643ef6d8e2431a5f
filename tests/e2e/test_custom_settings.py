"""pool.custom_settings: PostgreSQL keeps the names of settings such as app.tenant for as long as a connection lives."""
import struct
import threading
import time

import pytest

from support import messages as m
from support.proxy import login

NAMED = "select coalesce(current_setting('app.tenant', true), 'never named')"
WAYS_TO_NAME = {
    "set": ("set app.tenant = 'acme'", "acme"), "set local": ("begin; set local app.tenant = 'acme'; commit", ""),
    "set_config": ("select set_config('app.tenant', 'acme', false)", "acme"),
    "set_config, local": ("select set_config('app.tenant', 'acme', true)", ""),
    "rolled back": ("begin; set app.tenant = 'acme'; rollback", ""), "reset": ("set app.tenant = 'acme'; reset app.tenant", ""),
}


@pytest.fixture(params=["affinity", "close"])
def parted(sluice, request):
    proxy = sluice(workers=1, pool={"size": 1, "custom_settings": request.param})
    with login(proxy) as owner, login(proxy) as stranger:
        yield owner, stranger


@pytest.mark.parametrize("way", WAYS_TO_NAME)
def test_names_of_custom_settings_are_their_clients_alone(parted, way):
    owner, stranger = parted
    make, left = WAYS_TO_NAME[way]
    for _ in range(3):
        owner.query(make)
        assert owner.value(NAMED) == left
        assert stranger.value(NAMED) == "never named"
    assert owner.value(NAMED) == left


def test_names_of_custom_settings_that_only_bind_knows(parted):
    owner, stranger = parted
    owner.send(m.parse("select set_config($1, $2, true)", name="s"), m.bind(statement="s", values=[b"app.tenant", b"acme"]), m.execute(), m.SYNC)
    owner.until_ready()
    assert stranger.value(NAMED) == "never named"
    assert owner.value(NAMED) == ""


def test_names_of_custom_settings_do_not_outlive_a_client_that_hangs_up(parted):
    owner, stranger = parted
    owner.send(m.query("set app.tenant = 'acme'"))
    owner.reset()
    for _ in range(10):
        assert stranger.value(NAMED) == "never named"
        time.sleep(0.02)


def test_set_local_asks_the_server_once_and_keeps_the_server(sluice, postgres):
    """What applications do for each transaction must stay cheap."""
    proxy = sluice(workers=1, pool={"size": 1, "custom_settings": "affinity"})
    with login(proxy) as client:
        pids = set()
        for number in range(20):
            client.query(f"begin; set local app.tenant = '{number}'")
            pids.add(client.value("select pg_backend_pid()"))
            client.query("commit")
            assert client.value(NAMED) == ""
        assert len(pids) == 1
    assert proxy.metrics().sum("pgsluice_server_closes_total", reason="custom_settings") == 0


def test_clients_with_and_without_custom_settings_all_get_their_turn(sluice):
    proxy = sluice(workers=2, pool={"size": 2, "custom_settings": "affinity"})
    failures = []

    def run(number):
        with login(proxy) as client:
            for turn in range(25):
                if number % 2:
                    client.query(f"set app.tenant = '{number}'")
                expected = str(number) if number % 2 else "never named"
                if (seen := client.value(NAMED)) != expected:
                    failures.append((number, turn, seen))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads) and not failures, failures[:3]


# --- however their names are written ---

VALUE = "select coalesce(current_setting('app.tenant', true), '')"
MANY = "select " + ", ".join(f"set_config('app.a{number}', 'x', false)" for number in range(300))
FEW = MANY[:MANY.index(", set_config('app.a70'")]
TOLD = [
    """set "app"."tenant" = 'acme'""", """set app."tenant"='acme'""", "set app . tenant = 'acme'", "set app/**/./**/tenant='acme'",
    "set app.\ntenant='acme'", """set "App"."Tenant"='acme'""", """set U&"app".U&"ten\\0061nt"='acme'""",
    "select set_config(E'app.ten\\x61nt', 'acme', false)", "select set_config(U&'app.ten\\0061nt', 'acme', false)",
    f"/* {' '.join(f'a.b{number}' for number in range(70))} */ set app.tenant = 'acme'",
    FEW + ", set_config('app.tenant', 'acme', false)",
]
PUT_TOGETHER = [
    "select set_config('app.' || 'tenant', 'acme', false)", "select set_config(lower('APP.TENANT'), 'acme', false)",
    "select set_config(n, 'acme', false) from (values ('app.tenant')) as names(n)",
    MANY + ", set_config('app.tenant', 'acme', false)",
    f"select set_config('app.' || 'tenant', 'acme', false) /* {'x' * 5000} */",
]
POOLS = [{}, {"check_at_release": True}, {"custom_settings": "affinity"}, {"custom_settings": "close"}, {"mode": "statement"},
         {"session_state": "reject"}]


@pytest.fixture
def sharing(sluice, request):
    """Two clients of one server."""
    proxy = sluice(workers=1, pool={"size": 1, "query_wait_timeout": "2s", **getattr(request, "param", {})})
    with login(proxy) as owner, login(proxy) as stranger:
        yield owner, stranger


@pytest.mark.parametrize("sharing", POOLS, indirect=True, ids=str)
@pytest.mark.parametrize("sql", TOLD, ids=range(len(TOLD)))
def test_custom_settings_are_carried_however_their_names_are_written(sharing, sql):
    owner, stranger = sharing
    assert "E" not in [x.tag for x in owner.query(sql)]
    assert stranger.value(VALUE) == ""
    assert owner.value(VALUE) == "acme"
    assert stranger.value(VALUE) == ""


@pytest.mark.parametrize("sharing", POOLS, indirect=True, ids=str)
@pytest.mark.parametrize("sql", PUT_TOGETHER, ids=range(len(PUT_TOGETHER)))
def test_custom_settings_whose_names_are_put_together_are_not_found_by_others(sharing, sql):
    owner, stranger = sharing
    assert "E" not in [x.tag for x in owner.query(sql)]
    assert stranger.value(VALUE) == ""


@pytest.mark.parametrize("sharing", [{"custom_settings": "affinity"}, {"custom_settings": "close"}], indirect=True, ids=str)
@pytest.mark.parametrize("local", ["true", "false"])
def test_names_of_custom_settings_that_are_put_together_are_their_clients_alone(sharing, local):
    owner, stranger = sharing
    owner.query(f"select set_config('app.' || 'tenant', 'acme', {local})")
    assert stranger.value(NAMED) == "never named"


@pytest.mark.parametrize("sql, values", [("select set_config('app.' || $1, $2, false)", [b"tenant", b"acme"]),
                                         ("select set_config($1, $2, false)", [b"App.Tenant", b"acme"]),
                                         ("select set_config($1, $2, false), $3::text", [b"app.tenant", b"acme", b"x" * 400_000])],
                         ids=["in part", "whole", "in front of a long one"])
def test_custom_settings_that_parameters_name_are_not_found_by_others(sharing, sql, values):
    owner, stranger = sharing
    owner.send(m.parse(sql, "s"), m.bind("s", values=values), m.execute(), m.SYNC)
    assert "E" not in [x.tag for x in owner.until_ready()]
    assert stranger.value(VALUE) == ""


@pytest.mark.parametrize("name", ["a" * 64, "a" * 100, "ténant", "a" * 62 + "éé"])
@pytest.mark.parametrize("make", ["set app.{} = 'acme'", "select set_config('app.{}', 'acme', false)"])
def test_custom_settings_with_names_that_postgres_cuts_are_not_found_by_others(sharing, name, make):
    owner, stranger = sharing
    assert "E" not in [x.tag for x in owner.query(make.format(name))]
    for part in (name, name[:63], "a" * 62):
        assert stranger.value(f"select coalesce(current_setting('app.{part}', true), '')") == ""
    if name == "ténant":
        assert owner.value("select current_setting('app.ténant')") == "acme"


def test_custom_settings_that_a_function_call_makes_are_not_found_by_others(sharing):
    owner, stranger = sharing
    oid = int(owner.value("select 'set_config'::regproc::oid"))
    values = b"".join(struct.pack("!i", len(x)) + x for x in (b"app.tenant", b"acme", b"\0"))
    owner.send(m.frame(b"F", struct.pack("!ihhhhh", oid, 3, 0, 0, 1, 3) + values + struct.pack("!h", 0)))
    assert "E" not in [x.tag for x in owner.until_ready()]
    assert stranger.value(VALUE) == ""
    assert owner.value(VALUE) == "acme"


@pytest.mark.parametrize("cut", [5, 9, 4096])
def test_a_long_function_call_that_comes_in_parts_keeps_its_setting(sluice, cut):
    proxy = sluice(workers=1, pool={"size": 2})
    with login(proxy) as owner:
        oid = int(owner.value("select 'set_config'::regproc::oid"))
        values = b"".join(struct.pack("!i", len(x)) + x for x in (b"app.tenant", b"a" * 9000, b"\0"))
        call = m.frame(b"F", struct.pack("!ihhhhh", oid, 3, 0, 0, 1, 3) + values + struct.pack("!h", 0))
        owner.send(call[:cut])
        time.sleep(0.2)
        owner.send(call[cut:])
        assert "E" not in [x.tag for x in owner.until_ready()]
        assert owner.value("select length(current_setting('app.tenant'))") == "9000"


# --- whose names only what the client runs tells ---

PREPARED = {
    "execute": ["prepare p as select set_config('app.tenant', 'acme', false)", "execute p", "deallocate p"],
    "its parameter": ["prepare p(text) as select set_config($1, 'acme', false)", "execute p('app.tenant')", "deallocate p"],
    "one transaction": ["begin", "prepare p(text) as select set_config($1, 'acme', false)", "execute p('app.tenant')", "deallocate p", "commit"],
    "one text": ["prepare p as select set_config('app.tenant', 'acme', false); execute p; deallocate p"],
    "explain": ["prepare p as select set_config('app.tenant', 'acme', false)", "explain analyze execute p", "deallocate p"],
    "another pin": ["listen news", "prepare p as select set_config('app.tenant', 'acme', false)", "execute p", "deallocate p", "unlisten *"],
}


@pytest.mark.parametrize("custom", ["share", "affinity", "close"])
@pytest.mark.parametrize("way", PREPARED)
def test_what_execute_sets_is_its_clients_alone(sluice, way, custom):
    proxy = sluice(workers=1, pool={"size": 1, "custom_settings": custom, "query_wait_timeout": "2s"})
    with login(proxy) as owner, login(proxy) as stranger:
        for sql in PREPARED[way]:
            assert owner.query(sql)[-1].tag == "Z"
        assert stranger.value(VALUE) == ""
        assert owner.value(VALUE) == "acme"
        assert stranger.value(VALUE) == ""


def test_what_a_protocol_statement_executes_in_sql_is_its_clients_alone(sluice):
    proxy = sluice(workers=1, pool={"size": 1, "query_wait_timeout": "2s"})
    with login(proxy) as owner, login(proxy) as stranger:
        owner.send(m.parse("execute p", "s"), m.SYNC)
        owner.until_ready()
        owner.query("prepare p as select set_config('app.tenant', 'acme', false)")
        owner.send(m.bind("s"), m.execute(), m.SYNC)
        owner.until_ready()
        owner.query("deallocate p")
        assert stranger.value(VALUE) == ""


# --- that others may not take back ---

LOAD_PLPGSQL = "do $$ begin end $$"
REFUSED = "set plpgsql.variable_conflict = 'use_column'"


@pytest.mark.parametrize("steps", [
    [LOAD_PLPGSQL, REFUSED], [REFUSED, LOAD_PLPGSQL], ["set plpgsql.unheard_of = '1'", LOAD_PLPGSQL],
    ["begin", LOAD_PLPGSQL, REFUSED, "rollback"],
], ids=["refused", "anybody's before the library", "unknown to the library", "refused in a transaction"])
def test_a_setting_that_only_a_superuser_may_reset_ends_nobody_else(sluice, steps):
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy) as owner, login(proxy) as stranger:
        for _ in range(3):
            for step in steps:
                owner.query(step)
            assert stranger.value("select 2") == "2"
            with login(proxy, application_name="another") as newcomer:
                assert newcomer.value("select 3") == "3"
        assert owner.value("select 1") == "1"


def test_what_a_role_has_set_that_may_stays_from_those_who_may_not_reset_it(sluice, postgres):
    postgres.execute("create role setter superuser; grant setter to app")
    try:
        proxy = sluice(workers=1, pool={"size": 1})
        with login(proxy) as owner, login(proxy) as stranger:
            owner.query("set role setter; set session_replication_role = replica; reset role")
            assert stranger.value("show session_replication_role") == "origin"
            assert stranger.value("select current_user") == "app"
    finally:
        postgres.execute("drop role setter")
