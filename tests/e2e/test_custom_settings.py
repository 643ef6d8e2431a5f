"""pool.custom_settings: PostgreSQL keeps the names of settings such as app.tenant for as long as a connection lives."""
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


# --- whose names only what the client runs tells ---

VALUE = "select coalesce(current_setting('app.tenant', true), '')"
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
