"""Values of settings are in the client_encoding in which they were read: they stay the same text whoever had the server meanwhile."""
import pytest

from support import messages as m
from support.proxy import login
from support.wire import summaries

E_ACUTE = {"UTF8": b"\xc3\xa9", "LATIN1": b"\xe9"}
POINTS = "select ascii(current_setting('app.x')), length(current_setting('app.x'))"


@pytest.fixture
def proxy(sluice):
    return sluice(workers=1, pool={"size": 1})


def row(client, sql):
    return [value.decode() for value in next(x.row for x in client.query(sql) if x.tag == "D")]


def ok(client, sql):
    assert summaries(client.query(sql), ignore="SN")[-2:] == ["C:SET", "Z:I"]


@pytest.fixture
def schemas(postgres):
    """Two whose names are the same bytes: in UTF8, and in LATIN1."""
    names = {"UTF8": "é", "LATIN1": "Ã©"}
    for encoding, name in names.items():
        postgres.execute(f'create schema "{name}"; create table "{name}".w as select \'{encoding}\' v; '
                         f'grant usage on schema "{name}" to app; grant select on "{name}".w to app', dbname="app")
    yield
    for name in names.values():
        postgres.execute(f'drop schema "{name}" cascade', dbname="app")


def test_paths_of_the_same_bytes_in_two_encodings_lead_each_client_to_its_own_schema(proxy, schemas):
    with login(proxy) as utf8, login(proxy, client_encoding="LATIN1") as latin1:
        for client in (utf8, latin1):
            ok(client, b"set search_path = '\xc3\xa9'")
        for _ in range(2):
            assert row(utf8, "select v from w") == ["UTF8"]
            assert row(latin1, "select v from w") == ["LATIN1"]


def test_statements_prepared_by_paths_of_the_same_bytes_are_not_shared(proxy, schemas):
    with login(proxy, client_encoding="LATIN1", options=b"-c search_path=\xc3\xa9") as raw, login(proxy, client_encoding="LATIN1") as latin1:
        ok(latin1, b"set search_path = '\xc3\xa9'")
        for client in (raw, latin1):
            client.send(m.parse("select v from w", "s"), m.SYNC)
            client.until_ready()
        for client, expected in ((raw, "UTF8"), (latin1, "LATIN1"), (raw, "UTF8")):
            client.send(m.bind("s"), m.execute(), m.SYNC)
            assert [x.row for x in client.until_ready() if x.tag == "D"] == [[expected.encode()]]


@pytest.mark.parametrize("of_owner, of_stranger", [("UTF8", "LATIN1"), ("LATIN1", "UTF8"), ("UTF8", "SQL_ASCII"), ("LATIN1", "WIN1252")])
def test_a_value_outlives_clients_of_another_encoding(proxy, of_owner, of_stranger):
    with login(proxy, client_encoding=of_owner) as owner, login(proxy, client_encoding=of_stranger) as stranger:
        ok(owner, b"set app.x = '" + E_ACUTE[of_owner] + b"'")
        for _ in range(3):
            assert row(stranger, "select 1") == ["1"]
            assert row(owner, POINTS) == ["233", "1"]


@pytest.mark.parametrize("before, behind", [("UTF8", "LATIN1"), ("LATIN1", "UTF8")])
@pytest.mark.parametrize("change", ["set client_encoding = '{}'", "do $$ begin perform set_config('client_encoding', '{}', false); end $$",
                                    "with t as materialized (select set_config('client_encoding', '{}', false)) select from t"])
def test_a_value_outlives_a_change_of_its_clients_own_encoding(proxy, before, behind, change):
    with login(proxy, client_encoding=before) as owner, login(proxy) as stranger:
        ok(owner, b"set app.x = '" + E_ACUTE[before] + b"'")
        owner.query(change.format(behind))
        for _ in range(2):
            assert row(stranger, "select 1") == ["1"]
            assert row(owner, POINTS) == ["233", "1"]
        ok(owner, "set lock_timeout = '1s'")
        assert row(stranger, "select 1") == ["1"]
        assert row(owner, POINTS) == ["233", "1"]
        assert row(owner, "show client_encoding") == [behind]


def test_reset_in_another_encoding_than_that_of_the_login_means_the_value_of_the_login(proxy):
    with login(proxy, options=b"-c search_path=\xc3\xa9") as owner, login(proxy) as stranger:
        ok(owner, "set client_encoding = 'LATIN1'")
        ok(owner, "set search_path = 'other'")
        assert row(stranger, "select 1") == ["1"]
        owner.query("reset search_path")
        for _ in range(2):
            assert row(owner, "select ascii(current_setting('search_path'))") == ["233"]
            assert row(stranger, "select 1") == ["1"]


def test_a_value_outlives_a_reset_of_its_clients_encoding(proxy):
    with login(proxy, client_encoding="LATIN1") as owner, login(proxy) as stranger:
        ok(owner, b"set app.x = '\xe9'")
        owner.query("reset client_encoding")
        for _ in range(2):
            assert row(owner, POINTS) == ["233", "1"]
            assert row(owner, "show client_encoding") == ["LATIN1"]
            assert row(stranger, "select 1") == ["1"]


def test_names_that_are_not_ascii_are_their_clients_own(proxy):
    ask = b"select current_setting('app.\xc3\xa9', true)"
    with login(proxy) as owner, login(proxy, client_encoding="LATIN1") as stranger:
        ok(owner, b"set app.\xc3\xa9 = 'of utf8'")
        ok(stranger, b"set app.\xc3\xa9 = 'of latin1'")
        for _ in range(2):
            assert row(owner, ask) == ["of utf8"]
            assert row(stranger, ask) == ["of latin1"]
        ok(owner, "set client_encoding = 'LATIN1'")
        ok(owner, "set client_encoding = 'UTF8'")
        assert row(owner, ask) == ["of utf8"]


def test_startup_values_are_the_servers_bytes_whatever_the_clients_encoding(target, schemas):
    for _ in range(2):
        with target.login(client_encoding="LATIN1", options=b"-c search_path=\xc3\xa9") as client:
            assert row(client, "select v from w") == ["UTF8"]
            assert row(client, "show client_encoding") == ["LATIN1"]
