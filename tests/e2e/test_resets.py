"""A role that is taken off is told from one that is reset, and a RESET leads to what the login asked for, where the server has
a value of its own too: each step is compared with a direct connection."""
import pytest

from support.proxy import login
from support.wire import WireClient

ROLE = "select current_user || ' ' || current_setting('role')"
TENANT = "select coalesce(current_setting('app.tenant', true), '')"
ROLES = {
    "none": ["set role none"],
    "none, and another setting": ["set role none", "set work_mem = '7MB'", "reset work_mem"],
    "none, and back": ["set role none", "reset role", "set role none", "set role to default"],
    "session authorization": ["set session authorization app", "set session authorization default"],
    "discarded": ["set role none", "discard all"],
    "all but the role": ["set role none", "reset all"],
    "in a transaction": ["begin; set role none; commit", "begin; reset role; set role none; commit", "begin; reset role; commit"],
    "rolled back": ["begin; set role none; rollback", "set role pg_read_all_settings", "begin; reset role; rollback"],
    "set_config": ["select set_config('role', 'none', false)", "select set_config('role', null, false)"],
    "hidden": ["do $$ begin perform set_config('role', 'none', false); end $$"],
    "another": ["set role pg_read_all_settings", "reset role"],
}
TENANTS = {
    "reset": ["reset app.tenant"],
    "default": ["set app.tenant = 'x'", "set app.tenant to default"],
    "all": ["reset all", "set app.tenant = 'x'", "reset all"],
    "discarded": ["discard all", "set app.tenant = ''", "discard all"],
    "empty": ["set app.tenant = ''", "reset work_mem", "reset app.tenant"],
    "the server's": ["set app.tenant = 'theirs'", "reset app.other"],
    "set behind it": ["reset all; set app.tenant = 'x'", "set app.tenant = 'y'; reset app.tenant"],
    "rolled back": ["set app.tenant = 'x'", "begin; reset app.tenant; rollback", "begin; savepoint s; reset app.tenant; rollback to s; commit"],
    "set_config": ["select set_config('app.tenant', 'x', false)", "select set_config('app.tenant', null, false)"],
}


@pytest.fixture
def own(postgres):
    """Gives app a value of its own in its database."""
    def give(setting, value):
        postgres.execute(f"alter role app in database app set {setting} = '{value}'")

    yield give
    postgres.execute("alter role app in database app reset all")


def assert_as_direct(proxy, postgres, steps, show, asked, unasked=None):
    """`asked`: the startup packet with which a direct connection is what the proxied one is with `unasked`, or with the same one."""
    with WireClient(postgres.address) as direct, login(proxy, **(asked if unasked is None else unasked)) as owner, login(proxy) as stranger:
        direct.start("app", "app", "app-secret", **asked)
        before = stranger.value(show)
        for step in [show, *steps]:
            expected = [direct.query(step), direct.value(show)][1]
            owner.query(step)
            assert owner.value(show) == expected, step
            assert stranger.value(show) == before, step
            with login(proxy) as third:
                assert third.value(show) == before, step
            assert owner.value(show) == expected, step
        stranger.query("reset role")
        assert stranger.value(show) == before
        assert owner.value(show) == expected


@pytest.mark.parametrize("steps", ROLES)
@pytest.mark.parametrize("origin", ["startup", "database", "startup and database", "parameters", "connect_query"])
def test_a_role_that_is_taken_off_stays_off_until_it_is_reset(sluice, postgres, own, origin, steps):
    route = {"parameters": {"parameters": {"role": "pg_monitor"}}, "connect_query": {"connect_query": "set role pg_monitor"}}.get(origin)
    asked = {} if origin == "database" else {"options": "-c role=pg_monitor"}
    if "database" in origin:
        own("role", "pg_read_all_stats" if "startup" in origin else "pg_monitor")
    proxy = sluice(workers=1, pool={"size": 1}, route=route)
    assert_as_direct(proxy, postgres, ROLES[steps], ROLE, asked, {} if route else None)


@pytest.mark.parametrize("steps", TENANTS)
@pytest.mark.parametrize("origin", ["startup", "database", "parameters", "connect_query"])
def test_a_custom_setting_that_is_reset_is_what_the_login_asked_for(sluice, postgres, own, origin, steps):
    route = {"parameters": {"parameters": {"app.tenant": "theirs"}}, "connect_query": {"connect_query": "set app.tenant = 'theirs'"}}.get(origin)
    if origin == "database":
        own("app.tenant", "theirs")
    proxy = sluice(workers=1, pool={"size": 1}, route=route)
    assert_as_direct(proxy, postgres, TENANTS[steps], TENANT, {"options": "-c app.tenant=mine"})
