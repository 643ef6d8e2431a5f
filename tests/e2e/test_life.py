"""--check, bad configuration, reload, drain, signals."""
import os
import signal
import subprocess
import threading
import time

import psycopg
import pytest

from support import messages as m
from support.proxy import BINARY, REPOSITORY, check, default_config, hold_server, login, merged
from support.system import eventually, run, stays
from support.wire import Closed, WireClient, error_in, summaries

# --- --check and bad configuration ---

BAD = """
listeners:
  - { address: 127.0.0.1, port: 99999 }
workers: many
limits: { client_connections: -1, logn_timeout: 5s }
timeouts: { query: 5 parsecs }
auth:
  rules: [ { method: kerberos } ]
clusters:
  main: { servers: [ { host: 127.0.0.1 } ], tls: { mode: sometimes } }
routes:
  - { name: a, cluster: nosuch, pool: { mode: transactional, session_state: refuse } }
nonsense: true
"""


def test_check_prints_what_it_understood_without_secrets(postgres, make_proxy, directory):
    done = check(directory, default_config(postgres))
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("listeners", "clusters", "routes", "transaction", "127.0.0.1"):
        assert word in done.stdout
    assert "***" in done.stdout and "app-secret" not in done.stdout + done.stderr


def test_all_problems_at_once_with_their_places(make_proxy, directory):
    done = check(directory, BAD)
    assert done.returncode == 2
    lines = [line for line in (done.stderr + done.stdout).splitlines() if "checked.yaml:" in line]
    for line_number, key in ((3, "port"), (4, "workers"), (5, "client_connections"), (5, "logn_timeout"), (6, "query"), (8, "method"), (10, "mode"),
                             (12, "cluster"), (12, "mode"), (12, "session_state"), (13, "nonsense")):
        assert any(f"checked.yaml:{line_number}:" in line and key in line for line in lines), f"nothing about {key} in line {line_number}: {lines}"


def test_what_is_wrong_with_policies_is_told_in_its_line_and_in_order(make_proxy, directory):
    done = check(directory, """
policies:
  - name: typo
    when:
      pattern: "("
      statements: [select, delet]
workers: many
""")
    assert done.returncode == 2
    places = [line.split("checked.yaml:", 1)[1] for line in done.stderr.splitlines() if "checked.yaml:" in line]
    wanted = ("5:16: policies[0].when.pattern: missing )", '6:28: policies[0].when.statements[1]: "delet" is not a kind', "7:10: workers:")
    found = [next((i for i, place in enumerate(places) if place.startswith(each)), None) for each in wanted]
    assert None not in found and found == sorted(found), places


DOUBTFUL = """
listeners: [ { address: 127.0.0.1, port: 5432 } ]
auth:
  rules:
    - { tls: require, method: scram-sha-256 }
clusters:
  main: { servers: [ { host: 127.0.0.1 } ], tls: { mode: disable } }
routes:
  - { name: a, pool: { mode: session, min_size: 1 } }
"""


def test_what_is_hardly_meant_is_a_warning(make_proxy, directory):
    done = check(directory, DOUBTFUL)
    assert done.returncode == 0
    lines = [line for line in done.stderr.splitlines() if line.startswith("warning: ")]
    for line_number, key in ((5, "rules[0].tls"), (5, "rules[0].method"), (7, "servers[0].host"), (9, "pool.min_size")):
        assert any(f"checked.yaml:{line_number}:" in line and key in line for line in lines), f"nothing about {key}: {lines}"
    assert len(lines) == 4


def test_daemon_with_a_bad_file_exits_2(make_proxy, postgres):
    proxy = make_proxy(default_config(postgres, workers="many"), start=False)
    proxy.launch()
    assert proxy.wait(10) == 2
    assert "workers" in proxy.log()


@pytest.mark.parametrize("text", ["", "[]", "a: [", "\t", "listeners: {", "- 1", "x" * 10000, "\0", "a: &a [*a]"])
def test_files_that_are_no_configuration(make_proxy, directory, text):
    done = check(directory, text)
    assert done.returncode == 2 and "checked.yaml" in done.stdout + done.stderr


def test_missing_file(make_proxy, directory):
    done = run([BINARY, "--config", directory / "nosuch.yaml"])
    assert done.returncode == 2 and "nosuch.yaml" in done.stderr


@pytest.mark.parametrize("name", ["pgsluice.yaml", "minimal.yaml"])
def test_shipped_examples_are_understood(make_proxy, directory, name):
    """Values that name files of a real machine are not there: any other problem is a defect of the example."""
    done = run([BINARY, "--config", REPOSITORY / "config" / name, "--check"], env={**os.environ, "PGSLUICE_TEST": "1"})
    problems = [line for line in done.stderr.splitlines() if name in line]
    assert done.returncode == 0 or all("cannot be read" in line or "not set" in line or "No such file" in line for line in problems), done.stderr


def test_values_from_files_and_environment(sluice, directory):
    secret = directory / "secret"
    secret.write_text("app-secret\n")
    secret.chmod(0o600)
    proxy = sluice(auth={"users": [{"name": "app", "password": f"${{file:{secret}}}"}]}, route={"user": "trusted", "password": "unused"})
    with login(proxy) as client:
        assert client.value("select 1") == "1"
    secret.write_text("changed\n")
    proxy.reload()
    with WireClient(proxy.address) as client:
        assert client.start("app", "app", "app-secret")[-1].sqlstate == "28P01"
    with WireClient(proxy.address) as client:
        assert client.start("app", "app", "changed")[3].summary() == "R0"


def test_hash_password_prints_a_verifier_that_works(sluice):
    done = run([BINARY, "hash-password"], input="app-secret\n")
    assert done.returncode == 0 and done.stdout.startswith("SCRAM-SHA-256$4096:")
    proxy = sluice(auth={"users": [{"name": "app", "password": done.stdout.strip()}]}, route={"user": "trusted", "password": "unused"})
    with login(proxy) as client:
        assert client.value("select 1") == "1"


# --- reload ---

def test_bad_reload_keeps_the_old_configuration(sluice):
    proxy = sluice()
    good = proxy.config
    with login(proxy) as client:
        proxy.reload(merged(good, {"workers": "many"}), expect="failure")
        assert client.value("select 1") == "1"
        assert proxy.awaited_events("reload_failed")
        assert proxy.metrics().sum("pgsluice_last_reload_successful") == 0
    with login(proxy) as client:
        assert client.value("select 1") == "1"
    proxy.reload(good)
    assert proxy.metrics().sum("pgsluice_last_reload_successful") == 1


def test_a_file_behind_a_circle_of_links_is_a_bad_reload_and_cuts_nobody(sluice):
    proxy = sluice()
    (proxy.directory / "loop.yaml").symlink_to("loop.yaml")
    with login(proxy) as client:
        proxy.reload(merged(proxy.config, {"include": ["loop.yaml"]}), expect="failure")
        assert any("Too many levels" in each["message"] for each in proxy.awaited_events("reload_failed"))
        assert client.value("select 1") == "1"


def test_a_reload_names_what_waits_for_a_restart(sluice):
    proxy = sluice(workers=2)
    config = merged(proxy.config, {"workers": 3, "admin": {"console": {"unix": str(proxy.directory / "console")}}})
    warnings = lambda: [each["message"] for each in proxy.events("configuration_warning")]
    for times in (1, 2):
        proxy.reload(config)
        for key in ("workers", "admin.console.unix"):
            eventually(lambda: warnings().count(f"{key} has changed: it changes at a restart only") == times, 5, f"a word about {key}")


def test_reload_changes_the_pool_size_live(sluice, postgres):
    proxy = sluice(pool={"size": 1, "query_wait_timeout": "10s"})
    config = merged(proxy.config, {})
    with login(proxy) as first, login(proxy) as second:
        hold_server(first)
        second.send(m.query("select 1"))
        assert second.silent_for(0.3)
        config["routes"][0]["pool"]["size"] = 2
        proxy.reload(config)
        assert "D:1" in summaries(second.until_ready())
        first.query("commit")
        config["routes"][0]["pool"]["size"] = 1
        proxy.reload(config)
        eventually(lambda: first.query("select 1") and len(postgres.backends()) == 1, 8, "the pool to shrink")


def test_a_reload_of_the_pool_mode_leaves_clients_the_mode_that_they_came_for(sluice):
    proxy = sluice(workers=1, pool={"mode": "session", "size": 3})
    with login(proxy) as session:
        session.query("set work_mem = '7MB'")
        pid = session.value("select pg_backend_pid()")
        proxy.reload(changes={"routes": [{"name": "default", "match": {"databases": ["*"]}, "cluster": "main", "pool": {"mode": "transaction", "size": 3}}]})
        with login(proxy) as one, login(proxy) as other:
            shared = one.value("select pg_backend_pid()")
            assert other.value("select pg_backend_pid()") == shared != pid
            assert other.value("show work_mem") == "4MB"
        assert session.value("select pg_backend_pid()") == pid
        assert session.value("show work_mem") == "7MB"
        proxy.reload(changes={"routes": [{"name": "default", "match": {"databases": ["*"]}, "cluster": "main", "pool": {"mode": "session", "size": 3}}]})
        assert session.value("show work_mem") == "7MB"
        with login(proxy) as alone:
            assert alone.value("select pg_backend_pid()") not in (pid, shared)


def test_a_rewriting_that_a_reload_takes_back_leads_nobody_into_another_database(sluice):
    proxy = sluice()
    plain = merged(proxy.config, {})
    rewritten = merged(plain, {})
    rewritten["routes"][0]["database"] = "other"
    with login(proxy, database="app") as stays:
        assert stays.value("select current_database()") == "app"
        proxy.reload(rewritten)
        proxy.reload(plain)
        for _ in range(4):  # some on each worker
            with login(proxy, database="app") as client:
                assert client.value("select current_database()") == "app"
        assert stays.value("select current_database()") == "app"


def test_reload_adds_users_and_routes(sluice):
    proxy = sluice(auth={"users": [{"name": "app", "password": "app-secret"}]})
    with WireClient(proxy.address) as client:
        assert client.start("other", "app", "other-secret")[-1].sqlstate == "28P01"
    proxy.reload(changes={"auth": {"users": [{"name": name, "password": f"{name}-secret"} for name in ("app", "other")]}})
    with login(proxy, user="other") as client:
        assert client.value("select current_user") == "other"


def test_a_changed_file_is_noticed_where_it_is_watched(sluice):
    users = [{"name": name, "password": f"{name}-secret"} for name in ("app", "other")]
    proxy = sluice(reload={"watch": True}, auth={"users": users[:1]})
    before = proxy.metrics().sum("pgsluice_reloads_total", outcome="success")
    proxy.write_config(merged(proxy.config, {"auth": {"users": users}}))
    eventually(lambda: proxy.metrics().sum("pgsluice_reloads_total", outcome="success") > before, 10, "a reload without a signal")
    with login(proxy, "other"):
        pass


def test_a_watched_file_that_is_broken_is_told_once(sluice):
    proxy = sluice(reload={"watch": True})
    failures = lambda: proxy.metrics().sum("pgsluice_reloads_total", outcome="failure")
    proxy.write_config(merged(proxy.config, {"workers": "many"}))
    eventually(failures, 10, "the file to be refused")
    time.sleep(2.5)
    assert failures() == 1


@pytest.mark.parametrize("change", ["the route goes", "a rule comes"])
def test_a_login_that_a_reload_overtakes_is_under_the_new_configuration(sluice, change):
    proxy = sluice()
    with WireClient(proxy.address) as client:
        client.send(m.startup({"user": "app", "database": "app"}))
        assert not client.silent_for(5), "it has been asked for its proof"
        if change == "the route goes":
            proxy.reload(changes={"routes": [{"name": "another", "match": {"databases": ["elsewhere"]}, "cluster": "main"}]})
            assert client.authenticate("app", "app-secret")[-1].sqlstate == "3D000"
        else:
            proxy.reload(changes={"policies": [{"name": "no", "when": {"pattern": "forbidden"}, "action": "block"}]})
            client.authenticate("app", "app-secret")
            assert client.query("select 'forbidden'")[0].sqlstate == "42501"


def test_many_reloads_under_load_fail_no_query(sluice):
    proxy = sluice(pool={"size": 3})
    errors, stop = [], threading.Event()

    def work():
        try:
            with proxy.connect() as connection:
                connection.prepare_threshold = 0
                number = 0
                while not stop.is_set():
                    number += 1
                    if connection.execute("select %s::int", (number,)).fetchone() != (number,):
                        errors.append("wrong answer")
        except Exception as error:
            errors.append(repr(error))
    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for number in range(15):
        config = merged(proxy.config, {})
        config["routes"][0]["pool"]["size"] = 2 + number % 4
        proxy.reload(config)
    stop.set()
    for thread in threads:
        thread.join(20)
    assert not errors, errors[:3]


def test_reload_with_140_databases(sluice):
    proxy = sluice()
    routes = [{"name": f"r{n}", "match": {"databases": [f"db{n}"]}, "cluster": "main", "database": "app"} for n in range(140)]
    for _ in range(3):
        proxy.reload(changes={"routes": routes})
        with login(proxy, database="db139") as client:
            assert client.value("select current_database()") == "app"


# --- drain ---

def test_sigterm_with_idle_clients_ends_at_once_with_57p01(sluice):
    proxy = sluice()
    with login(proxy) as client:
        client.query("select 1")
        proxy.signal(signal.SIGTERM)
        error = error_in(client.rest())
        assert (error.severity, error.sqlstate, error.fields["R"]) == ("FATAL", "57P01", "pgsluice")
    assert proxy.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_drain_waits_for_transactions_and_refuses_new_clients(sluice, number):
    proxy = sluice(shutdown={"timeout": "20s"})
    with login(proxy) as client:
        client.query("begin")
        client.query("insert into target values (1, 'kept')")
        proxy.signal(number)
        eventually(lambda: not connects(proxy), 5, "the listener to close")
        assert client.query("select 1")[-1].status == "T"
        client.send(m.query("commit"))
        seen = client.rest()
        assert summaries(seen[:2]) == ["C:COMMIT", "Z:I"]
        assert [x.summary() for x in seen[2:]] == ["E:FATAL:57P01"]
    assert proxy.wait() == 0


def test_a_connection_that_never_logs_in_holds_no_drain_up(sluice):
    proxy = sluice(limits={"login_timeout": "30s"}, shutdown={"timeout": "30s"})
    with WireClient(proxy.address), WireClient(proxy.address) as other:
        other.send(b"\0\0\0")
        time.sleep(0.5)  # they are accepted
        proxy.signal(signal.SIGTERM)
        assert proxy.wait(6) == 0


def connects(proxy) -> bool:
    try:
        with WireClient(proxy.address, timeout=2) as client:
            client.send(m.startup({"user": "trusted", "database": "app"}))
            return client.receive_until("ZE")[-1].tag == "Z"
    except (OSError, Closed):
        return False


def test_readyz_turns_503_and_the_delay_passes_before_listeners_close(sluice):
    proxy = sluice(shutdown={"delay": "1500ms", "timeout": "5s"})
    with login(proxy) as client:
        hold_server(client)
        proxy.signal(signal.SIGTERM)
        eventually(lambda: proxy.http("/readyz")[0] == 503, 2, "readyz to say 503", 0.05)
        stays(lambda: connects(proxy), 0.7, "connecting during the delay", 0.1)
        eventually(lambda: not connects(proxy), 4, "the listener to close")
        assert proxy.http("/healthz")[0] == 200
        client.query("commit")
    assert proxy.wait() == 0


def test_a_shutdown_timeout_of_zero_waits_for_every_transaction(sluice):
    proxy = sluice(shutdown={"timeout": 0})
    with login(proxy) as client:
        hold_server(client)
        proxy.signal(signal.SIGTERM)
        proxy.awaited_events("shutdown_started")
        assert client.silent_for(1) and client.value("select 'goes on'") == "goes on"
        client.send(m.query("commit"))
        client.rest()
    assert proxy.wait(5) == 0


def test_shutdown_timeout_ends_what_is_left(sluice):
    proxy = sluice(shutdown={"timeout": "1s"})
    with login(proxy) as client:
        hold_server(client)
        started = time.monotonic()
        proxy.signal(signal.SIGTERM)
        assert error_in(client.rest()).sqlstate == "57P01"
        assert proxy.wait(10) == 0
        assert 0.8 < time.monotonic() - started < 5


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_second_signal_stops_at_once(sluice, second):
    proxy = sluice(shutdown={"timeout": "60s"})
    with login(proxy) as client:
        hold_server(client)
        proxy.signal(signal.SIGTERM)
        time.sleep(0.5)
        assert proxy.process.poll() is None
        started = time.monotonic()
        proxy.signal(second)
        proxy.wait(5)
        assert time.monotonic() - started < 3


def test_sigquit_stops_at_once(sluice):
    proxy = sluice(shutdown={"timeout": "60s"})
    with login(proxy) as client:
        hold_server(client)
        proxy.signal(signal.SIGQUIT)
        proxy.wait(5)
        assert all(x.tag == "E" for x in client.rest())


def test_a_client_that_waits_for_a_server_is_told_of_the_shutdown(sluice):
    proxy = sluice(pool={"size": 1, "query_wait_timeout": "30s"}, shutdown={"timeout": "2s"})
    with login(proxy) as holder, login(proxy) as waiter:
        hold_server(holder)
        waiter.send(m.query("select 1"))
        time.sleep(0.2)
        proxy.signal(signal.SIGTERM)
        assert error_in(waiter.rest(6)).sqlstate == "57P01"
    assert proxy.wait(10) == 0


def test_drain_under_pgbench_finishes_every_transaction(sluice, directory, postgres):
    """Each client's last transaction is committed whole or not at all."""
    proxy = sluice(pool={"size": 4}, shutdown={"timeout": "10s"})
    script = directory / "pairs.sql"
    script.write_text("begin;\ninsert into target values (1, 'pair');\nselect pg_sleep(0.01);\ninsert into target values (2, 'pair');\ncommit;\n")
    host, port = proxy.address
    environment = {"PGHOST": host, "PGPORT": str(port), "PGUSER": "app", "PGPASSWORD": "app-secret", "PGDATABASE": "app", "PATH": "/usr/bin:/bin"}
    bench = subprocess.Popen(["pgbench", "-n", "-f", str(script), "-c", "8", "-T", "20"], env=environment,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    proxy.signal(signal.SIGTERM)
    assert proxy.wait(15) == 0
    bench.communicate(timeout=20)
    (ones,), (twos,) = (postgres.execute("select count(*) from target where a = %s", (n,), dbname="app")[0] for n in (1, 2))
    assert ones == twos > 0


def test_clients_of_a_killed_daemon_see_a_closed_connection(make_proxy, postgres):
    """SIGKILL leaves nothing behind that stops the next start, and PostgreSQL rolls back."""
    config = default_config(postgres)
    proxy = make_proxy(config)
    connection = proxy.connect(autocommit=False)
    connection.execute("insert into target values (1, 'lost')")
    proxy.signal(signal.SIGKILL)
    proxy.wait()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("select 1")
    proxy.start()
    with login(proxy) as client:
        eventually(lambda: client.value("select count(*) from target") == "0", 5)
