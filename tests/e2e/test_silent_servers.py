"""Servers that take a connection and then hang: each costs its time once per timeouts.connect_retry, however far it had come."""
import time

import pytest

from support import messages as m
from support.hostile_server import ANSWER, AUTH_OK, KEY_DATA, LOGIN, READY, REPORTED, Call, Close, Delay, Expect, Send, Startup
from support.postgres import AUTH_QUERY
from support.proxy import login

# Before PostgreSQL 14 servers did not report their role.
OLD_PARAMETERS = b"".join(m.frame(b"S", m.cstr(name) + m.cstr(value)) for name, value in REPORTED.items()
                          if name not in ("in_hot_standby", "default_transaction_read_only"))
OLD_LOGIN = [Startup(), Send(AUTH_OK + OLD_PARAMETERS + KEY_DATA + READY)]
SSL_REQUEST = Call(lambda connection: connection.read(8))

AHEAD_OF_STARTUP = {"SSLRequest": [SSL_REQUEST], "TLS handshake": [SSL_REQUEST, Send(b"S")]}
BEHIND_STARTUP = {"login": [Startup()], "role": [*OLD_LOGIN, Expect("Q")], "connect_query": [*LOGIN, Expect("Q")],
                  "what connect_query has set": [*LOGIN, Expect("Q"), Send(ANSWER)]}
STEPS = {**AHEAD_OF_STARTUP, **BEHIND_STARTUP}


def in_front_of(sluice, silent, postgres, authority, step, **options):
    """The silent server is the first of two."""
    servers = [{"host": "127.0.0.1", "port": port} for port in (silent.port, postgres.port)]
    tls = {"mode": "verify-full", "ca": str(authority.certificate)} if step in AHEAD_OF_STARTUP else {"mode": "disable"}
    route = {"target_session_attrs": "read-write"} if step == "role" else {"connect_query": "select 1"} if "connect_query" in step else {}
    return sluice(workers=1, cluster={"servers": servers, "tls": tls}, route=route, timeouts={"connect": "1s", "connect_retry": "30s"}, **options)


def failures(proxy, **labels) -> float:
    return proxy.metrics().sum("pgsluice_server_connect_failures_total", **labels)


def log_in_as_two(proxy, **parameters):
    for user in ("app", "other"):
        with login(proxy, user=user, **parameters) as client:
            assert client.value("select current_user") == user


@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_hangs_costs_its_time_once(sluice, postgres, hostile, authority, step):
    silent = hostile(*STEPS[step], Delay(30))
    proxy = in_front_of(sluice, silent, postgres, authority, step)
    log_in_as_two(proxy)
    assert len(silent.connections) == 1
    assert failures(proxy, reason="timeout") == failures(proxy) == 1


@pytest.mark.parametrize("step", STEPS)
def test_a_server_that_hangs_up_is_asked_once(sluice, postgres, hostile, authority, step):
    leaving = hostile(*STEPS[step], Close())
    proxy = in_front_of(sluice, leaving, postgres, authority, step)
    log_in_as_two(proxy)
    assert len(leaving.connections) == 1
    assert failures(proxy, reason="network") == failures(proxy) == 1


@pytest.mark.parametrize("step", STEPS)
def test_what_a_client_may_have_asked_for_is_not_held_against_the_server(sluice, postgres, hostile, authority, step):
    """In session mode the startup packet is the client's, and what is silent behind it may be so by its settings."""
    silent = hostile(*STEPS[step], Delay(30))
    proxy = in_front_of(sluice, silent, postgres, authority, step, pool={"mode": "session"})
    log_in_as_two(proxy, application_name="of the client")
    assert len(silent.connections) == (1 if step in AHEAD_OF_STARTUP else 2)


def test_a_lookup_that_met_a_server_silent_under_tls_spares_the_pools(sluice, postgres, hostile, authority):
    silent = hostile(SSL_REQUEST, Delay(30))
    query = {"cluster": "main", "database": "postgres", "user": "pgsluice_auth", "password": "pgsluice_auth-secret", "cache": 0, "negative_cache": 0,
             "sql": AUTH_QUERY}
    proxy = in_front_of(sluice, silent, postgres, authority, "SSLRequest", auth={"users": None, "query": query}, limits={"login_timeout": "8s"})
    started = time.monotonic()
    log_in_as_two(proxy)
    assert time.monotonic() - started < 4
    assert len(silent.connections) == 1
