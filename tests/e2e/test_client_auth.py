"""How clients prove who they are: every method, and that no failure tells more than another."""
import contextlib
import os
import pwd
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from support import messages as m
from support import scram
from support.hostile_server import Delay, Startup
from support.postgres import AUTH_QUERY, PASSWORDS
from support.proxy import login
from support.system import cpu_seconds, cpu_seconds_of_threads, eventually, free_port, run, unprivileged_user
from support.wire import Closed, WireClient, summaries

ROLES = {"scram-sha-256": "app", "md5": "md5user", "password": "plainuser"}


def attempt(address, user, password, database="app", **parameters):
    """The last message of a login and how it went."""
    with WireClient(address) as client:
        seen = client.start(user, database, password, **parameters)
        return seen[-1]


def denied(message, user) -> bool:
    return (message.tag, message.severity, message.sqlstate, message.text) == (
        "E", "FATAL", "28P01", f'password authentication failed for user "{user}"')


@pytest.mark.parametrize("method", ROLES)
def test_right_password(target, method):
    assert attempt(target.address, ROLES[method], PASSWORDS[ROLES[method]]).tag == "Z"


@pytest.mark.parametrize("method", ROLES)
@pytest.mark.parametrize("password", ["wrong", "APP-SECRET", "x" * 200, "app-secret "])
def test_wrong_password(target, method, password):
    assert denied(attempt(target.address, ROLES[method], password), ROLES[method])


def test_empty_password_in_clear(target):
    message = attempt(target.address, "plainuser", "")
    assert (message.sqlstate, message.text) == ("28P01", "empty password returned by client")


@pytest.mark.parametrize("user", ["nobody here", "no password", "expired"])
def test_users_without_a_password_fail_like_a_wrong_password(target, user):
    assert denied(attempt(target.address, user, PASSWORDS.get(user, "anything")), user)


@pytest.mark.parametrize("method, request_code", [("scram-sha-256", "R10"), ("md5", "R5"), ("password", "R3")])
def test_each_method_asks_in_its_own_way(target, method, request_code):
    with WireClient(target.address) as client:
        assert summaries(client.start(ROLES[method], "app", PASSWORDS[ROLES[method]]))[0] == request_code


def test_unknown_users_run_the_exchange_to_its_end(target):
    """Same messages, same order, for a user that exists and for one that does not."""
    shapes = []
    for user in ("app", "nobody here"):
        with WireClient(target.address) as client:
            shapes.append(summaries(client.start(user, "app", "wrong")))
    assert shapes == [["R10", "R11", "E:FATAL:28P01"]] * 2


def test_unknown_user_meets_the_same_salt_each_time(target):
    """A salt that changes from try to try would tell that the user does not exist."""
    salts = set()
    for _ in range(3):
        with WireClient(target.address) as client:
            seen = client.start("nobody here", "app", "wrong")
            salts.add(scram.attributes(seen[1].body[4:].decode())["s"])
    assert len(salts) == 1


def test_wrong_and_unknown_take_the_same_time(sluice):
    proxy = sluice()
    times = {}
    for user in ("app", "nobody here") * 10:
        started = time.perf_counter()
        attempt(proxy.address, user, "wrong")
        times.setdefault(user, []).append(time.perf_counter() - started)
    known, unknown = (sorted(times[user])[5] for user in ("app", "nobody here"))
    assert abs(known - unknown) < 0.05


def test_trust_needs_no_password(target):
    assert attempt(target.address, "trusted", None).tag == "Z"


def test_reject(target):
    message = attempt(target.address, "rejected", PASSWORDS["rejected"])
    assert (message.tag, message.severity, message.sqlstate) == ("E", "FATAL", "28000")
    assert "rejected" in message.text


def test_no_matching_rule_rejects(sluice):
    proxy = sluice(auth={"rules": [{"users": ["other"], "method": "scram-sha-256"}]})
    message = attempt(proxy.address, "app", "app-secret")
    assert (message.severity, message.sqlstate) == ("FATAL", "28000")
    assert attempt(proxy.address, "other", "other-secret").tag == "Z"


def test_a_warm_pool_does_not_help_a_wrong_password(sluice):
    proxy = sluice()
    for _ in range(3):
        with login(proxy) as client:
            client.query("select 1")
        assert denied(attempt(proxy.address, "app", "wrong"), "app")


@pytest.mark.parametrize("rule, source, works", [
    ({"from": ["127.0.0.2/32"]}, "127.0.0.2", True), ({"from": ["127.0.0.2/32"]}, "127.0.0.3", False),
    ({"databases": ["app"]}, "", True), ({"databases": ["other"]}, "", False),
    ({"users": ["app", "other"]}, "", True), ({"users": ["other"]}, "", False),
    ({"users": ["*"], "databases": ["*"]}, "", True),
    ({"tls": "require"}, "", False), ({"tls": "refuse"}, "", True),
])
def test_rules_match_by_address_tls_database_and_user(sluice, rule, source, works):
    proxy = sluice(auth={"rules": [{**rule, "method": "trust"}]})
    with WireClient(proxy.address, source=source) as client:
        assert (client.start("app", "app")[-1].tag == "Z") is works


def test_the_first_matching_rule_wins(sluice):
    proxy = sluice(auth={"rules": [{"users": ["app"], "method": "reject"}, {"method": "trust"}]})
    assert attempt(proxy.address, "app", None).sqlstate == "28000"
    assert attempt(proxy.address, "other", None).tag == "Z"


# --- where passwords come from ---

def stored(postgres, role) -> str:
    return postgres.execute("select rolpassword from pg_authid where rolname = %s", (role,))[0][0]


def test_scram_against_a_verifier(sluice, postgres):
    """The verifier is PostgreSQL's own, so the server login works by SCRAM pass-through."""
    proxy = sluice(auth={"users": [{"name": "app", "password": stored(postgres, "app")}]})
    with login(proxy) as client:
        assert client.value("select current_user") == "app"
    assert denied(attempt(proxy.address, "app", "wrong"), "app")


def test_md5_against_a_stored_hash(sluice, postgres):
    proxy = sluice(auth={"rules": [{"method": "md5"}], "users": [{"name": "md5user", "password": stored(postgres, "md5user")}]})
    with login(proxy, user="md5user") as client:
        assert client.value("select current_user") == "md5user"
    assert denied(attempt(proxy.address, "md5user", "wrong"), "md5user")


@pytest.mark.parametrize("method", ["password", "scram-sha-256"])
@pytest.mark.parametrize("form", ["plain", "verifier"])
def test_methods_work_with_either_form_of_secret(sluice, method, form):
    word = PASSWORDS["app"] if form == "plain" else scram.verifier(PASSWORDS["app"])
    proxy = sluice(auth={"rules": [{"method": method}], "users": [{"name": "app", "password": word}]},
                   route={"user": "trusted", "password": "unused"})
    with login(proxy) as client:
        assert client.value("select current_user") == "trusted"
    assert denied(attempt(proxy.address, "app", "wrong"), "app")


def test_md5_rule_uses_scram_where_only_a_verifier_is_known(sluice, postgres):
    """As PostgreSQL does."""
    proxy = sluice(auth={"rules": [{"method": "md5"}], "users": [{"name": "app", "password": stored(postgres, "app")}]})
    with WireClient(proxy.address) as client:
        assert summaries(client.start("app", "app", "app-secret"))[0] == "R10"
        assert client.value("select 1") == "1"


@pytest.mark.parametrize("known, asked", [("app", ["R10", "R11"]), ("md5user", ["R5"])])
def test_md5_rule_does_not_tell_whether_a_user_exists(sluice, postgres, known, asked):
    """An unknown user is asked as the listed ones are."""
    proxy = sluice(auth={"rules": [{"method": "md5"}], "users": [{"name": known, "password": stored(postgres, known)}]})
    shapes = []
    for user in (known, "nobody here"):
        with WireClient(proxy.address) as client:
            shapes.append(summaries(client.start(user, "app", "wrong")))
    assert shapes == [[*asked, "E:FATAL:28P01"]] * 2


def test_users_file_in_pgbouncers_format(sluice, postgres, directory):
    users = directory / "userlist.txt"
    users.write_text(f'; comment\n"app" "app-secret"\n"md5user" "{stored(postgres, "md5user")}"\n"other" "{stored(postgres, "other")}"\n')
    users.chmod(0o600)
    proxy = sluice(auth={"users": None, "users_file": str(users), "rules": [{"users": ["md5user"], "method": "md5"},
                                                                           {"method": "scram-sha-256"}]})
    for user in ("app", "md5user", "other"):
        with login(proxy, user=user) as client:
            assert client.value("select current_user") == user
        assert denied(attempt(proxy.address, user, "wrong"), user)
    users.write_text('"app" "changed"\n')
    proxy.reload()
    assert denied(attempt(proxy.address, "app", "app-secret"), "app")
    assert denied(attempt(proxy.address, "other", "other-secret"), "other")


def test_cluster_users_come_before_global_ones(sluice):
    proxy = sluice(cluster={"users": [{"name": "app", "password": "cluster-word"}]}, route={"user": "trusted", "password": "x"})
    assert attempt(proxy.address, "app", "cluster-word").tag == "Z"
    assert denied(attempt(proxy.address, "app", "app-secret"), "app")
    assert attempt(proxy.address, "other", "other-secret").tag == "Z"


# --- auth.query ---

def querying(postgres, sql=AUTH_QUERY, **options) -> dict:
    return {"users": None, "query": {"cluster": "main", "database": "postgres", "user": "pgsluice_auth", "password": "pgsluice_auth-secret",
                                     "sql": sql, "cache": "300ms", "negative_cache": "300ms", **options}}


@pytest.mark.parametrize("role", ["app", "other", "forever", "tls"])
def test_auth_query_logs_in_and_passes_through(sluice, postgres, role):
    proxy = sluice(auth=querying(postgres))
    with login(proxy, user=role) as client:
        assert client.value("select current_user") == role
    assert denied(attempt(proxy.address, role, "wrong"), role)


def test_an_md5_password_that_auth_query_finds_is_good_for_the_server_too(sluice, postgres):
    """As in PgBouncer: who is found with md5 by a server logs in to it with the same."""
    rules = [{"users": ["md5user"], "method": "md5"}, {"method": "scram-sha-256"}]
    proxy = sluice(auth=querying(postgres) | {"rules": rules})
    with login(proxy, user="md5user") as client:
        assert client.value("select current_user") == "md5user"
    assert denied(attempt(proxy.address, "md5user", "wrong"), "md5user")


@pytest.mark.parametrize("role", ["nobody here", "expired", "locked", "no password", "postgres", "pgsluice_auth'--", ""])
def test_auth_query_refuses_those_without_a_valid_password(sluice, postgres, role):
    proxy = sluice(auth=querying(postgres))
    message = attempt(proxy.address, role, PASSWORDS.get(role, "anything"))
    assert message.tag == "E" and message.sqlstate in ("28P01", "28000")
    assert message.sqlstate == ("28P01" if role else "28000")


@pytest.mark.parametrize("sql", [
    "SELECT 1/0, $1::text", "SELECT nosuch($1)", "SELECT $1::text, NULL::text", "SELECT $1::text, '' WHERE false",
    "SELECT x, x FROM (VALUES ($1::text), ($1::text)) v(x)", "SELECT $1::text", "SELECT pg_sleep(30)::text, $1::text",
    "SELECT $1::text, 'SCRAM-SHA-256$4096:broken'"],
    ids=["error", "unknown function", "null", "no rows", "two rows", "one column", "slow", "broken verifier"])
def test_auth_query_that_fails_means_a_failed_login(sluice, postgres, sql):
    proxy = sluice(auth=querying(postgres, sql), limits={"login_timeout": "4s"})
    with WireClient(proxy.address) as client:
        client.timeout = 15
        client.send(m.startup({"user": "app", "database": "app"}))
        try:
            last = client.authenticate("app", "app-secret")[-1]
            assert last.tag == "E" and last.severity == "FATAL"
        except Closed:
            assert "pg_sleep" in sql, "only the login timeout closes without a word"
    assert proxy.process.poll() is None


def test_while_lookups_fail_nobody_is_told_that_a_password_is_wrong(sluice, postgres):
    """Who could not be looked up may be right; and who stands in a list must not be told from him."""
    postgres.execute("drop function if exists late_lookup(text)")
    proxy = sluice(auth={**querying(postgres, "SELECT * FROM public.late_lookup($1)"), "users": [{"name": "other", "password": "other-secret"}]})
    with WireClient(proxy.address) as client:
        seen = client.start("app", "app", "app-secret")
        assert summaries(seen) == ["R10", "R11", "E:FATAL:57P03"] and seen[-1].text == "could not look up the user"
    assert attempt(proxy.address, "nobody", "word").sqlstate == "57P03"
    assert attempt(proxy.address, "other", "wrong").sqlstate == "57P03"
    assert attempt(proxy.address, "other", "other-secret").tag == "Z"
    assert proxy.awaited_events("auth_query_failed")
    told = [event["message"] for event in proxy.awaited_events("client_login_failed") if event["reason"] == "auth_query"]
    assert set(told) == {"login failed: the user could not be looked up"}, "whether it exists, nobody knows"
    postgres.execute("""create function late_lookup(text) returns table (name text, password text) language sql security definer
        set search_path = pg_catalog, pg_temp as 'select rolname::text, rolpassword from pg_authid where rolname = $1'""")
    try:
        assert attempt(proxy.address, "app", "app-secret").tag == "Z"
        assert denied(attempt(proxy.address, "nobody", "word"), "nobody")
        assert denied(attempt(proxy.address, "other", "wrong"), "other")
    finally:
        postgres.execute("drop function late_lookup(text)")


def test_a_crowd_of_one_name_is_one_lookup(sluice, postgres):
    slow = f"with slow as materialized (select pg_sleep(0.3)) select found.* from slow, ({AUTH_QUERY}) found"
    proxy = sluice(auth=querying(postgres, slow, cache=0, negative_cache=0), workers=1)
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(WireClient(proxy.address)) for _ in range(30)]
        started = time.monotonic()
        for client in crowd:
            client.send(m.startup({"user": "app", "database": "app"}))
        for client in crowd:
            assert client.receive().tag == "R"
        assert time.monotonic() - started < 1.5, "one after the other, two at a time, they take 4.5 seconds"


def test_a_lookup_that_spans_a_reload_tells_nobody_who_comes_behind_it(sluice, postgres):
    """What it has read may be what the reload was to make forgotten: a password that has been changed since."""
    slow = f"with found as materialized ({AUTH_QUERY}), slow as materialized (select pg_sleep(2) from found) select found.* from found, slow"
    proxy = sluice(auth=querying(postgres, slow, cache="1m", negative_cache="1m"), workers=1)
    postgres.execute("alter role other password 'changed'")
    try:
        with WireClient(proxy.address) as early, ThreadPoolExecutor(1) as pool:
            early.timeout = 15
            answered = pool.submit(early.start, "other", "app", "other-secret")
            eventually(lambda: postgres.execute("select 1 from pg_stat_activity where state = 'active' and query like '%pg_sleep(2)%' and pid <> pg_backend_pid()"),
                       5, "the look-up to be under way")
            postgres.execute("alter role other password 'other-secret'")
            proxy.reload()
            assert attempt(proxy.address, "other", "other-secret").tag == "Z"
            assert denied(answered.result()[-1], "other")
        assert attempt(proxy.address, "other", "other-secret").tag == "Z"
    finally:
        postgres.execute("alter role other password 'other-secret'")


def test_expiry_is_respected_while_the_pool_is_warm(sluice, postgres):
    postgres.execute("alter role tls valid until 'infinity'")
    proxy = sluice(auth=querying(postgres))
    with login(proxy, user="tls") as client:
        client.query("select 1")
    try:
        postgres.execute("alter role tls valid until '2001-01-01'")
        time.sleep(0.5)
        assert denied(attempt(proxy.address, "tls", "tls-secret"), "tls")
    finally:
        postgres.execute("alter role tls valid until 'infinity'")


def test_a_changed_password_is_seen_when_the_cache_ends(sluice, postgres):
    proxy = sluice(auth=querying(postgres))
    try:
        with login(proxy, user="tls") as client:
            client.query("select 1")
            postgres.execute("alter role tls password 'changed'")
            time.sleep(0.5)
            assert denied(attempt(proxy.address, "tls", "tls-secret"), "tls")
            assert attempt(proxy.address, "tls", "changed").tag == "Z"
            assert client.value("select 1") == "1"
    finally:
        postgres.execute("alter role tls password 'tls-secret'")


def test_a_changed_password_is_seen_soon_after_it_was_refused(sluice, postgres):
    """Though the cache would go on for a minute."""
    proxy = sluice(workers=1, auth=querying(postgres, cache="1m"))
    try:
        assert attempt(proxy.address, "tls", "tls-secret").tag == "Z"
        postgres.execute("alter role tls password 'changed'")
        assert denied(attempt(proxy.address, "tls", "changed"), "tls")
        time.sleep(0.5)
        assert attempt(proxy.address, "tls", "changed").tag == "Z"
        assert denied(attempt(proxy.address, "tls", "tls-secret"), "tls")
    finally:
        postgres.execute("alter role tls password 'tls-secret'")


def test_a_new_user_can_log_in_after_the_negative_cache(sluice, postgres):
    """And not before: a stranger's name is not looked up each time that it is tried."""
    proxy = sluice(auth=querying(postgres, negative_cache="4s"), workers=1)
    postgres.execute("drop role if exists newcomer")
    assert denied(attempt(proxy.address, "newcomer", "word"), "newcomer")
    postgres.execute("create role newcomer login password 'word'")
    try:
        assert denied(attempt(proxy.address, "newcomer", "word"), "newcomer")
        eventually(lambda: attempt(proxy.address, "newcomer", "word").tag == "Z", 15, "the cache to forget")
    finally:
        for pid in postgres.backends(user="newcomer"):
            postgres.terminate(pid)
        postgres.execute("drop role newcomer")


def test_the_lookup_finds_its_functions_whatever_search_path_its_role_has(sluice, postgres):
    postgres.execute("""drop schema if exists trap cascade; create schema trap; grant usage on schema trap to public;
        create function trap.length(text) returns int language sql as 'select 0'""")
    postgres.execute("alter role pgsluice_auth set search_path = trap, pg_catalog")
    try:
        proxy = sluice(auth=querying(postgres, sql=f"{AUTH_QUERY} where length($1) > 0"))
        assert attempt(proxy.address, "app", "app-secret").tag == "Z"
    finally:
        postgres.execute("alter role pgsluice_auth reset search_path")
        postgres.execute("drop schema trap cascade")


def test_nothing_of_the_startup_packet_reaches_the_lookup(sluice, postgres):
    """A search_path with a trap, sent before authentication, must not be used for the lookup."""
    postgres.execute("""drop schema if exists evil cascade; create schema evil; grant usage on schema evil to public;
        create table evil.trace (t text); grant insert on evil.trace to public;
        create function evil.now() returns timestamptz language sql as $$ insert into evil.trace values ('now'); select pg_catalog.now() $$;
        create function evil.pgsluice(text) returns text language sql as $$ insert into evil.trace values ('called'); select $1 $$""")
    proxy = sluice(auth=querying(postgres))
    attempt(proxy.address, "app", "app-secret", search_path="evil", options="-c search_path=evil", TimeZone="Asia/Tokyo")
    attempt(proxy.address, "evil'; insert into evil.trace values ('x'); --", "x", search_path="evil")
    assert postgres.execute("select count(*) from evil.trace") == [(0,)]
    assert postgres.execute("select count(*) from pg_stat_activity where usename = 'pgsluice_auth' and datname = 'postgres'")[0][0] <= 2


def test_auth_query_survives_the_loss_of_its_connection(sluice, postgres):
    proxy = sluice(auth=querying(postgres))
    assert attempt(proxy.address, "app", "app-secret").tag == "Z"
    for pid in postgres.backends(user="pgsluice_auth"):
        postgres.terminate(pid)
    time.sleep(0.5)
    assert attempt(proxy.address, "app", "app-secret").tag == "Z"


def test_auth_query_tries_the_next_server_in_time(sluice, postgres, hostile):
    """A host that does not answer costs timeouts.connect, not the login; pools and look-ups know of it from each other."""
    silent = hostile(Startup(), Delay(20))
    servers = [{"host": "127.0.0.1", "port": port} for port in (silent.port, postgres.port)]
    proxy = sluice(auth=querying(postgres, cache=0, negative_cache=0), cluster={"servers": servers}, workers=1,
                   limits={"login_timeout": "8s"}, timeouts={"connect": "1s", "connect_retry": "30s"})
    started = time.monotonic()
    for user in ("app", "other"):
        with login(proxy, user=user) as client:
            assert client.value("select current_user") == user
    assert time.monotonic() - started < 4
    assert len(silent.connections) == 1


def test_a_lookup_does_not_wait_for_a_connection_that_has_died_unnoticed(sluice, postgres, fault_proxy):
    path = fault_proxy(postgres.address)
    servers = [{"host": "127.0.0.1", "port": port} for port in (path.port, postgres.port)]
    proxy = sluice(auth=querying(postgres, cache=0, negative_cache=0), cluster={"servers": servers}, workers=1,
                   limits={"login_timeout": "8s"}, timeouts={"connect": "1s"})
    assert attempt(proxy.address, "app", "app-secret").tag == "Z"
    path.running.clear()
    started = time.monotonic()
    assert attempt(proxy.address, "app", "app-secret").tag == "Z"
    assert time.monotonic() - started < 4


# --- Unix sockets ---

def unix_proxy(sluice, directory, postgres, **rule):
    listeners = [{"address": "127.0.0.1", "port": free_port()}, {"unix": str(directory), "port": 5432, "mode": "0777"}]
    return sluice(listeners=listeners, auth={"rules": [{"from": ["unix"], "method": "peer", **rule}, {"method": "scram-sha-256"}]})


def test_peer_with_a_map(sluice, directory, postgres):
    me = pwd.getpwuid(os.geteuid()).pw_name
    unix_proxy(sluice, directory, postgres, map={me: "app"})
    with psycopg.connect(host=str(directory), port=5432, user="app", dbname="app") as connection:
        assert connection.execute("select current_user").fetchone() == ("app",)
    with pytest.raises(psycopg.OperationalError, match='Peer authentication failed for user "other"'):
        psycopg.connect(host=str(directory), port=5432, user="other", dbname="app")


def test_peer_without_a_map_wants_the_same_name(sluice, directory, postgres):
    unix_proxy(sluice, directory, postgres)
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        psycopg.connect(host=str(directory), port=5432, user="app", dbname="app")


def test_peer_tells_accounts_apart(sluice, directory, postgres):
    """A second account of this machine is not mapped, so it is refused (only root can try)."""
    account = unprivileged_user()
    me = pwd.getpwuid(os.geteuid()).pw_name
    unix_proxy(sluice, directory, postgres, map={me: "app"})
    words = ["psql", "-X", "-At", "-h", str(directory), "-p", "5432", "-U", "app", "-d", "app", "-c", "select current_user"]
    assert run(words).stdout == "app\n"
    if account is not None:
        other = run(["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--", *words])
        assert other.returncode != 0 and "Peer authentication failed" in other.stderr


def test_log_never_holds_a_secret(sluice, postgres):
    proxy = sluice()
    with login(proxy) as client:
        client.query("select 1")
    attempt(proxy.address, "app", "canary-word-81723")
    for word in ("app-secret", "canary-word-81723", "other-secret"):
        assert word not in proxy.log()
        assert word not in proxy.metrics().text
        assert word.encode() not in open(f"/proc/{proxy.pid}/cmdline", "rb").read()


def test_made_up_names_take_few_connections_of_the_server(sluice, postgres):
    proxy = sluice(auth=querying(postgres, sql=f"with slow as materialized (select pg_sleep(0.2)) select found.* from slow, ({AUTH_QUERY}) found"))
    crowd = [WireClient(proxy.address) for _ in range(30)]
    for number, client in enumerate(crowd):
        client.send(m.startup({"user": f"ghost{number}", "database": "app"}))
    asking = "select count(*) from pg_stat_activity where application_name = 'pgsluice auth.query'"
    for _ in range(10):
        assert postgres.execute(asking)[0][0] <= 4, "two for each worker"
        time.sleep(0.05)
    for client in crowd:
        assert client.receive().tag == "R", "everybody is asked for a password, the last one too"
        client.close()


def test_keys_are_derived_on_threads_that_serve_no_client(sluice):
    """A verifier with many iterations makes each guess dear; the workers do not pay for it."""
    proxy = sluice(auth={"rules": [{"method": "password"}],
                         "users": [{"name": "app", "password": scram.verifier("app-secret", iterations=100_000)}]})
    before = cpu_seconds(proxy.pid), cpu_seconds_of_threads(proxy.pid, "worker")
    for guess in range(20):
        assert denied(attempt(proxy.address, "app", f"guess {guess}"), "app")
    assert cpu_seconds(proxy.pid) - before[0] > 0.3
    assert cpu_seconds_of_threads(proxy.pid, "worker") - before[1] < 0.1
