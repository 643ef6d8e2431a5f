"""A client's settings that a server does not take, in transaction mode: nothing of the client's runs without them."""
from contextlib import contextmanager

import pytest

from support import messages as m
from support.proxy import hold_server, login
from support.system import eventually
from support.wire import error_in

USES_TEMPORARY_TABLES = "begin; create temp table mine (a int) on commit drop; insert into mine values (1); commit"


def given_back(proxy):
    """Until its session has been looked at a server is its client's, and has what that has set."""
    eventually(lambda: proxy.metrics().sum("pgsluice_servers", state="active") == 0, 5, "the server to be given back")


@contextmanager
def tablespace(postgres, name):
    postgres.execute(f"create tablespace {name} location ''", setup="set allow_in_place_tablespaces = on")
    try:
        yield
    finally:
        postgres.execute(f"drop tablespace if exists {name}")


@pytest.fixture
def pool(sluice, postgres):
    """Two clients of two servers, and a table in which it can be seen what has run."""
    postgres.execute("create table ran (a int); grant all on ran to app", dbname="app")
    try:
        proxy = sluice(workers=1, pool={"size": 2})
        with login(proxy) as owner, login(proxy) as stranger:
            yield proxy, owner, stranger
    finally:
        postgres.execute("drop table ran", dbname="app")


def insert_elsewhere(owner, stranger):
    """The error that the owner's INSERT gets while the stranger holds the server that the owner used last."""
    stranger.query("begin; select 1")
    owner.send(m.query("insert into ran values (1)"))
    error = error_in(owner.receive_until("E"))
    stranger.query("rollback")
    return error


def test_a_value_that_is_refused_on_another_server_lets_no_statement_run(pool, postgres):
    proxy, owner, stranger = pool
    with tablespace(postgres, "passing"):
        owner.query("set default_tablespace = passing")
        given_back(proxy)
        postgres.execute("drop tablespace passing")
        error = insert_elsewhere(owner, stranger)
    assert (error.severity, error.sqlstate) == ("FATAL", "08006")
    assert 'invalid value for parameter "default_tablespace": "passing"' in error.fields["D"]
    assert stranger.value("select count(*) from ran") == "0"


def test_a_value_that_the_server_has_taken_before_lets_no_statement_run_once_it_is_refused(pool, postgres):
    proxy, owner, stranger = pool
    with tablespace(postgres, "passing"):
        hold_server(stranger)
        owner.query("set default_tablespace = passing")
        stranger.query("rollback")
        assert stranger.value("show default_tablespace") == ""
        pid = owner.value("select pg_backend_pid()")
        given_back(proxy)
        for _ in range(2):
            assert stranger.value("select pg_backend_pid()") == pid, "the server that has taken it once"
            assert owner.value("show default_tablespace") == "passing"
        assert stranger.value("show default_tablespace") == ""
        given_back(proxy)
        postgres.execute("drop tablespace passing")
        owner.send(m.query("insert into ran values (1)"))
        error = error_in(owner.receive_until("E"))
    assert error.sqlstate == "08006"
    assert stranger.value("select count(*) from ran") == "0"


def test_a_right_to_set_that_is_lost_lets_no_statement_run_without_the_setting(pool, postgres):
    proxy, owner, stranger = pool
    postgres.execute("grant set on parameter log_statement_stats to app")
    try:
        owner.query("set log_statement_stats = on")
        given_back(proxy)
    finally:
        postgres.execute("revoke set on parameter log_statement_stats from app")
    error = insert_elsewhere(owner, stranger)
    assert error.sqlstate == "08006" and "permission denied" in error.fields["D"]
    assert stranger.value("select count(*) from ran") == "0"


def test_what_a_server_cannot_take_any_more_is_set_on_another_one(pool):
    """Nobody can size the buffers of temporary tables behind the first one of a connection, whoever's it was."""
    proxy, owner, stranger = pool
    owner.query("set temp_buffers = '2MB'")
    hold_server(owner)
    stranger.query(USES_TEMPORARY_TABLES)
    owner.query("rollback")
    given_back(proxy)
    hold_server(stranger)
    assert owner.value("show temp_buffers") == "2MB"
    stranger.query("rollback")


def test_a_login_asks_another_server_for_what_one_cannot_take_any_more(sluice):
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy) as stranger:
        stranger.query(USES_TEMPORARY_TABLES)
        with login(proxy, temp_buffers="2MB") as owner:
            assert owner.value("show temp_buffers") == "2MB"
        assert stranger.value("show temp_buffers") == "8MB"
