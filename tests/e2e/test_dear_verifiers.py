"""Verifiers of many iterations: the role that has one chose how many, and whoever checks its password in clear computes them."""
import base64
import contextlib
import signal
import time

import pytest

from support import messages as m
from support import scram
from support.postgres import AUTH_QUERY
from support.proxy import BINARY, assert_ends_at_once, login
from support.system import eventually, run
from support.wire import WireClient

LIMIT = 100_000


def unproven(iterations: int) -> str:
    """A verifier that no password is known for; nothing needs to be computed for it."""
    key = base64.b64encode(b"x" * 32).decode()
    return f"SCRAM-SHA-256${iterations}:{base64.b64encode(b'salt' * 4).decode()}${key}:{key}"


def attempt(proxy, user, password):
    with WireClient(proxy.address) as client:
        began = time.monotonic()
        last = client.start(user, "app", password)[-1]
        return last, time.monotonic() - began


def with_user(sluice, verifier, method="password", **changes):
    return sluice(auth={"rules": [{"method": method}],
                        "users": [{"name": "dear", "password": verifier}, {"name": "app", "password": scram.verifier("app-secret")}]},
                  route={"user": "app", "password": "app-secret"}, **changes)


def asking(sluice, method="scram-sha-256", **options):
    query = {"database": "postgres", "user": "pgsluice_auth", "password": "pgsluice_auth-secret", "sql": AUTH_QUERY, **options}
    return sluice(auth={"rules": [{"method": method}], "users": [], "query": query})


def test_more_iterations_than_the_limit_are_not_computed(sluice):
    proxy = with_user(sluice, unproven(10_000_000))
    last, seconds = attempt(proxy, "dear", "any")
    assert (last.sqlstate, last.text) == ("28P01", 'password authentication failed for user "dear"') and seconds < 0.5
    [event] = proxy.awaited_events("client_login_failed")
    assert (event["user"], event["level"]) == ("dear", "warning")
    assert "10000000 iterations" in event["message"] and "scram-sha-256" in event["message"]


def test_where_the_client_computes_there_is_no_limit(sluice):
    proxy = with_user(sluice, scram.verifier("dear-secret", iterations=LIMIT + 1), method="scram-sha-256")
    assert attempt(proxy, "dear", "dear-secret")[0].tag == "Z"


def test_as_many_as_the_limit_are_computed(sluice):
    proxy = with_user(sluice, scram.verifier("dear-secret", iterations=LIMIT))
    assert attempt(proxy, "dear", "dear-secret")[0].tag == "Z"


def test_a_role_that_chooses_its_count_keeps_nobody_waiting(sluice, postgres):
    # Not by ALTER ROLE, since the server then computes all of them to see whether the password is empty.
    postgres.execute("drop role if exists tenant; create role tenant login; set allow_system_table_mods = on; "
                     f"update pg_authid set rolpassword = '{unproven(2**31 - 1)}' where rolname = 'tenant'")
    proxy = asking(sluice, "password")
    for guess in range(4):
        with WireClient(proxy.address) as client:
            client.send(m.startup({"user": "tenant", "database": "app"}))
            client.receive_until("R")
            client.send(m.password(f"guess {guess}"))
    last, seconds = attempt(proxy, "app", "app-secret")
    assert last.tag == "Z" and seconds < 2
    postgres.execute("drop role tenant")


def offered_iterations(proxy, user) -> int:
    with WireClient(proxy.address) as client:
        [challenge] = [message for message in client.start(user, "app", "wrong") if message.summary() == "R11"]
        return int(challenge.body.decode().rpartition(",i=")[2])


def test_unknown_users_have_the_count_of_most(sluice):
    users = [{"name": name, "password": unproven(count)} for name, count in (("a", 10_000), ("b", 10_000), ("odd", 4096))]
    proxy = sluice(auth={"rules": [{"method": "scram-sha-256"}], "users": [*users, {"name": "plain", "password": "plain-secret"}]})
    assert {offered_iterations(proxy, user) for user in ("nobody", "nobody", "plain", "a")} == {10_000}


def test_unknown_users_have_the_count_of_most_who_were_looked_up(sluice, postgres):
    counts = {"most1": 8192, "most2": 8192, "odd": 5000}
    for name, count in counts.items():
        postgres.execute(f"drop role if exists {name}; create role {name} login password '{unproven(count)}'")
    proxy = asking(sluice)
    assert offered_iterations(proxy, "nobody") == 4096, "nobody has been found yet"
    for name, count in counts.items():
        assert offered_iterations(proxy, name) == count
    assert [offered_iterations(proxy, "nobody") for _ in range(4)] == [8192] * 4
    for name in counts:
        postgres.execute(f"drop role {name}")


@contextlib.contextmanager
def roles(postgres, counts: dict):
    """Roles whose verifiers have these many iterations. Not by ALTER ROLE, since the server then computes all of them."""
    change = ";".join(f"update pg_authid set rolpassword = '{unproven(count)}' where rolname = '{name}'" for name, count in counts.items())
    names = ", ".join(counts)
    postgres.execute(f"drop role if exists {names}")
    for name in counts:
        postgres.execute(f"create role {name} login")
    postgres.execute(f"set allow_system_table_mods = on; {change}")
    try:
        yield
    finally:
        postgres.execute(f"drop role {names}")


@pytest.mark.parametrize("dear", [50_000, 300_000], ids=["computed", "beyond what is computed"])
def test_a_role_that_is_looked_up_many_times_counts_once(sluice, postgres, dear):
    proxy = asking(sluice, cache="0s")
    with roles(postgres, {"most1": 4096, "most2": 4096, "tenant": dear}):
        for name in ("most1", "most2", *["tenant"] * 8):
            offered_iterations(proxy, name)
        assert [offered_iterations(proxy, f"made{number}") for number in range(3)] == [4096] * 3


def test_nobody_makes_strangers_dearer_than_what_is_computed(sluice, postgres):
    proxy = asking(sluice)
    with roles(postgres, {"tenant": 300_000}):
        assert offered_iterations(proxy, "tenant") == 300_000
        assert offered_iterations(proxy, "nobody") == 4096


def test_a_role_that_changes_its_count_takes_its_vote_along(sluice, postgres):
    proxy = asking(sluice, cache="0s")
    with roles(postgres, {"most1": 8192, "odd": 5000}):
        for name in ("most1", "odd"):
            offered_iterations(proxy, name)
        assert offered_iterations(proxy, "nobody") == 5000, "the smaller of two"
        postgres.execute(f"set allow_system_table_mods = on; update pg_authid set rolpassword = '{unproven(8192)}' where rolname = 'odd'")
        assert offered_iterations(proxy, "odd") == 8192
        assert offered_iterations(proxy, "nobody") == 8192


@contextlib.contextmanager
def crowd_of_guesses(proxy, count):
    """Each wants keys of its own, as dear as they may be."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(WireClient(proxy.address)) for _ in range(count)]
        for number, client in enumerate(clients):
            client.send(m.startup({"user": "dear", "database": "app"}))
            client.receive_until("R")
            client.send(m.password(f"guess {number}"))
        yield clients


def test_the_login_timeout_holds_while_keys_are_waited_for(sluice):
    proxy = with_user(sluice, unproven(LIMIT), limits={"login_timeout": "1s"})
    began = time.monotonic()
    with crowd_of_guesses(proxy, 300):
        reasons = eventually(lambda: len(seen := [event["reason"] for event in proxy.events("client_login_failed")]) == 300 and seen, 8,
                             "all logins to end")
        assert "timeout" in reasons and time.monotonic() - began < 5
        with login(proxy) as client:
            assert client.value("select 1") == "1", "what was not begun was dropped"


@pytest.mark.parametrize("signals", [[signal.SIGQUIT], [signal.SIGTERM, signal.SIGTERM]], ids=["QUIT", "second TERM"])
def test_the_end_does_not_wait_for_keys(sluice, signals):
    proxy = with_user(sluice, unproven(LIMIT))
    with crowd_of_guesses(proxy, 300):
        assert_ends_at_once(proxy, signals)


def test_hash_password_warns_of_more_iterations_than_are_computed():
    few, many = (run([BINARY, "hash-password", "--iterations", str(count)], input="secret\n") for count in (LIMIT, LIMIT + 1))
    assert few.returncode == 0 and not few.stderr
    assert many.returncode == 0 and many.stdout.startswith(f"SCRAM-SHA-256${LIMIT + 1}:") and "no more than 100000" in many.stderr
