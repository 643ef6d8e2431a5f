"""User names that no server can have, where auth.query asks for them: strangers choose them."""
import pytest

from support import messages as m
from support.hostile_server import LOGIN, READY, Expect, Send, complete, row_description
from support.postgres import AUTH_QUERY
from support.system import eventually
from support.wire import WireClient

NO_TEXT = b"\xff\xfe"


def asking(sluice, sql=AUTH_QUERY, **options):
    return sluice(workers=1, auth={"users": [{"name": "trusted", "password": "trusted-secret"}], "rules": [{"method": "scram-sha-256"}],
                                   "query": {"database": "postgres", "user": "pgsluice_auth", "password": "pgsluice_auth-secret",
                                             "sql": sql, "negative_cache": "0s"}}, **options)


def refusal(proxy, user) -> str:
    with WireClient(proxy.address) as client:
        client.send(m.startup({"user": user, "database": "app"}))
        return client.authenticate("any", "wrong")[-1].sqlstate


def lookup_backends(postgres) -> list:
    return postgres.backends(user="pgsluice_auth")


@pytest.fixture
def fresh(postgres):
    """No look-up connection of an earlier test."""
    for pid in lookup_backends(postgres):
        postgres.terminate(pid)
    eventually(lambda: not lookup_backends(postgres), 5, "the look-up connections to go")


def test_a_name_that_is_no_text_is_an_unknown_user_and_no_outage(sluice, postgres, fresh):
    proxy = asking(sluice)
    assert refusal(proxy, NO_TEXT) == "28P01", "the first, for which the connection is made"
    [backend] = lookup_backends(postgres)
    for user in (NO_TEXT, "nobody", "app", "trusted", NO_TEXT + b"x", b"caf\xc3"):
        assert refusal(proxy, user) == "28P01", user
    assert lookup_backends(postgres) == [backend]
    assert not proxy.events("auth_query_failed")


def test_a_name_cut_inside_a_character_is_an_unknown_user(sluice, fresh):
    """At 63 bytes, as PostgreSQL cuts it."""
    proxy = asking(sluice)
    assert [refusal(proxy, "é" * 40) for _ in range(2)] == ["28P01"] * 2
    assert not proxy.events("auth_query_failed")


def test_a_name_that_cannot_be_is_not_asked_for(sluice, hostile):
    nobody = [Expect("S"), Send(m.frame(b"1") + m.frame(b"2") + row_description("name", "password") + complete("SELECT 0") + READY)]
    server = hostile(*LOGIN, *nobody, *nobody, *nobody)
    proxy = asking(sluice, cluster={"servers": [{"host": "127.0.0.1", "port": server.port}]})
    for user in ("nobody", NO_TEXT, "é" * 40, "é"):
        assert refusal(proxy, user) == "28P01"
    [connection] = server.connections
    asked = [body for tag, body in connection.frames if tag in (b"B", "B")]
    assert len(asked) == 2 and b"nobody" in asked[0] and "é".encode() in asked[1]


def test_an_error_keeps_the_connection(sluice, postgres, fresh):
    proxy = asking(sluice, "SELECT * FROM public.there_is_no_such($1)")
    assert refusal(proxy, "one") == "57P03"
    [backend] = lookup_backends(postgres)
    assert [refusal(proxy, user) for user in ("two", "three")] == ["57P03"] * 2
    assert lookup_backends(postgres) == [backend]


def test_a_refused_name_does_not_end_an_outage(sluice, postgres, fresh):
    """Else whoever sends one could tell listed users from those who are looked up."""
    proxy = asking(sluice, "SELECT r.rolname::text, r.rolpassword FROM pg_authid r WHERE rolname = $1")
    assert refusal(proxy, "nobody") == "57P03", "for want of rights"
    assert refusal(proxy, NO_TEXT) == "57P03"
    assert refusal(proxy, "trusted") == "57P03"
