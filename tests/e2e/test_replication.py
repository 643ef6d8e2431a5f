"""Replication connections, physical and logical: PostgreSQL's own tools, a standby and a subscription run through pgsluice."""
import signal
import subprocess
import time

import pytest

from support import messages as m
from support.postgres import BIN, PASSWORDS, Postgres, copy_of, template
from support.proxy import default_config, login
from support.system import as_unprivileged, check_run, end, eventually, give_to_unprivileged
from support.wire import WireClient, error_in


@pytest.fixture(scope="module")
def publisher(run_directory, worker_directory):
    """A server of this module's own, with room for many walsenders."""
    made = copy_of(template(run_directory), worker_directory / "publisher", worker_directory)
    made.settings |= {"max_wal_senders": "8", "max_replication_slots": "8"}
    made.start()
    made.execute("alter role app replication")
    made.execute("create table stock (item int primary key, left_over int)", dbname="app", setup="set role app")
    yield made
    made.stop()


@pytest.fixture
def proxy(make_proxy, publisher):
    """Timeouts that would end any statement but a stream."""
    return make_proxy(default_config(publisher, timeouts={"query": "1s", "client_idle": "1s"}))


def conninfo(proxy, **more) -> str:
    host, port = proxy.address
    words = {"host": host, "port": port, "user": "app", "password": PASSWORDS["app"], **more}
    return " ".join(f"{name}={value}" for name, value in words.items())


@pytest.fixture
def streaming():
    """A tool that runs until it is told to stop."""
    running = []

    def start(*command, output=subprocess.DEVNULL) -> subprocess.Popen:
        running.append(subprocess.Popen(as_unprivileged([str(word) for word in command]), stdout=output, stderr=subprocess.PIPE))
        return running[-1]

    yield start
    for process in running:
        end(process)


def owned_directory(directory, name):
    made = directory / name
    made.mkdir()
    give_to_unprivileged(made)
    return made


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_pg_basebackup_makes_a_server_that_starts(make_proxy, publisher, directory, mode):
    config = default_config(publisher)
    config["routes"][0]["pool"]["mode"] = mode
    proxy = make_proxy(config)
    publisher.execute("insert into stock values (1, 10) on conflict do nothing", dbname="app")
    data = owned_directory(directory, "copy")
    check_run(as_unprivileged([BIN / "pg_basebackup", "-D", data, "-d", conninfo(proxy), "--checkpoint=fast", "--no-sync", "-X", "stream"]))
    data.chmod(0o700)
    copy = Postgres(data, directory)
    copy.start()
    try:
        assert copy.execute("select left_over from stock where item = 1", dbname="app") == [(10,)]
    finally:
        copy.stop()
    eventually(lambda: not publisher.backends(user="app"), 5, "its servers to be closed")


def test_standby_streams_through_it(proxy, publisher, directory):
    data = owned_directory(directory, "standby")
    check_run(as_unprivileged([BIN / "pg_basebackup", "-D", data, "-d", conninfo(proxy), "--checkpoint=fast", "--no-sync", "-R"]))
    data.chmod(0o700)
    standby = Postgres(data, directory)
    standby.settings = dict(publisher.settings)
    standby.start()
    try:
        publisher.execute("insert into stock values (2, 20)", dbname="app")
        eventually(lambda: standby.execute("select 1 from stock where item = 2", dbname="app"), 10, "the row to arrive")
        time.sleep(1.5)  # past every timeout of the proxy
        publisher.execute("insert into stock values (3, 30)", dbname="app")
        eventually(lambda: standby.execute("select 1 from stock where item = 3", dbname="app"), 10, "the row to arrive")
        assert publisher.execute("select state, client_addr from pg_stat_replication")[0][0] == "streaming"
    finally:
        standby.stop()


def test_pg_receivewal_keeps_the_log(proxy, publisher, directory, streaming):
    folder = owned_directory(directory, "wal")
    streaming(BIN / "pg_receivewal", "-D", folder, "-d", conninfo(proxy), "--no-loop")
    eventually(lambda: publisher.execute("select 1 from pg_stat_replication where application_name = 'pg_receivewal'"), 10, "it to stream")
    publisher.execute("insert into stock values (7, 70)", dbname="app")
    segment, = publisher.execute("select pg_walfile_name(pg_current_wal_lsn())")[0]
    publisher.execute("select pg_switch_wal()")
    eventually(lambda: (folder / segment).exists(), 10, "the finished segment")
    assert (folder / segment).read_bytes() == (publisher.data / "pg_wal" / segment).read_bytes()


def test_pg_recvlogical_reads_changes(proxy, publisher, directory, streaming):
    output = owned_directory(directory, "changes") / "log"
    common = [BIN / "pg_recvlogical", "-d", conninfo(proxy, dbname="app"), "--slot", "changes"]
    check_run(as_unprivileged([*common, "--create-slot", "-P", "test_decoding"]))
    try:
        reader = streaming(*common, "--start", "-f", output, "-F", "1", "-s", "1")
        publisher.execute("insert into stock values (4, 40)", dbname="app")
        eventually(lambda: output.exists() and "left_over[integer]:40" in output.read_text(), 10, "the change")
        # Both ends close the stream, and the server says how it ended.
        reader.send_signal(signal.SIGINT)
        assert reader.wait(10) == 0, reader.stderr.read()
    finally:
        eventually(lambda: not publisher.execute("select 1 from pg_replication_slots where active"), 10, "the slot to be free")
        check_run(as_unprivileged([*common, "--drop-slot"]))


def test_subscription_follows_a_publication(proxy, publisher, make_postgres):
    publisher.execute("create publication stock for table stock", dbname="app")
    subscriber = make_postgres("subscriber")
    subscriber.execute("create table stock (item int primary key, left_over int)", dbname="app")
    publisher.execute("insert into stock values (5, 50)", dbname="app")
    subscriber.execute(f"create subscription stock connection '{conninfo(proxy, dbname='app')}' publication stock", dbname="app")
    try:
        copied = "select left_over from stock where item = %s"
        eventually(lambda: subscriber.execute(copied, (5,), dbname="app") == [(50,)], 20, "the first copy")
        publisher.execute("insert into stock values (6, 60)", dbname="app")
        eventually(lambda: subscriber.execute(copied, (6,), dbname="app") == [(60,)], 20, "the change")
    finally:
        subscriber.execute("drop subscription stock", dbname="app")
        publisher.execute("drop publication stock", dbname="app")


def walsender(proxy, kind="database") -> WireClient:
    client = WireClient(proxy.address)
    assert client.start("app", "app", PASSWORDS["app"], replication=kind)[-1].tag == "Z"
    return client


def test_commands_and_errors_are_the_servers(proxy, publisher):
    for kind in ("database", "true"):
        with walsender(proxy, kind) as client:
            seen = client.query("IDENTIFY_SYSTEM")
            assert [x.tag for x in seen] == ["T", "D", "C", "Z"]
            assert seen[1].row[3] == (b"app" if kind == "database" else None)
            error, = [x for x in client.query("START_REPLICATION SLOT nowhere LOGICAL 0/0") if x.tag == "E"]
            assert error.sqlstate in ("42704", "0A000", "55000")
            refused = [x for x in client.query("select 1") if x.tag == "E"]
            assert bool(refused) == (kind == "true")
            assert [x.tag for x in client.query("IDENTIFY_SYSTEM")] == ["T", "D", "C", "Z"]


def test_a_role_without_the_right_is_refused_by_the_server(make_proxy, publisher):
    with WireClient(make_proxy(default_config(publisher)).address) as client:
        last = client.start("other", "app", PASSWORDS["other"], replication="true")[-1]
        assert (last.severity, last.sqlstate) == ("FATAL", "42501")


def test_a_route_may_reject_it(make_proxy, publisher):
    proxy = make_proxy(default_config(publisher, routes=[{"name": "applications", "cluster": "main", "replication": "reject"}]))
    for kind in ("database", "true", "on"):
        with WireClient(proxy.address) as client:
            last = client.start("app", "app", PASSWORDS["app"], replication=kind)[-1]
            assert (last.severity, last.sqlstate, last.text) == ("FATAL", "28000", "replication connections are not allowed here")
    with WireClient(proxy.address) as client:
        assert client.start("app", "app", PASSWORDS["app"], replication="false")[-1].tag == "Z"
        assert client.value("select backend_type from pg_stat_activity where pid = pg_backend_pid()") == "client backend"
    assert not publisher.execute("select 1 from pg_stat_activity where backend_type = 'walsender'")


def block(name, **when) -> dict:
    return {"name": name, "when": when, "action": "block"}


def test_rules_on_facts_let_its_own_commands_pass_and_judge_its_sql(make_proxy, publisher):
    counted = {"name": "small", "when": {"tables": ["stock"]}, "action": "limit", "limit": {"max_rows": 1}}
    policies = [block("asleep", functions=["pg_sleep"]), block("ddl", statements=["ddl"]), block("shut", pattern="SLOT closed"), counted]
    proxy = make_proxy(default_config(publisher, policies=policies))
    for kind in ("database", "true"):
        with walsender(proxy, kind) as client:
            for command in ("IDENTIFY_SYSTEM", "CREATE_REPLICATION_SLOT judged PHYSICAL", "READ_REPLICATION_SLOT judged",
                            "DROP_REPLICATION_SLOT judged", "SHOW work_mem"):
                assert [seen.tag for seen in client.query(command)][-2:] == ["C", "Z"], command
            assert error_in(client.query("TIMELINE_HISTORY 1")).sqlstate == "58P01"  # the first one has none
            assert error_in(client.query("CREATE_REPLICATION_SLOT closed PHYSICAL")).text == 'blocked by policy "shut"'
    with walsender(proxy) as client:
        assert client.value("select 1") == "1"
        assert error_in(client.query("select pg_sleep(0)")).text == 'blocked by policy "asleep"'
        assert error_in(client.query("drop table stock")).text == 'blocked by policy "ddl"'
        assert "cannot be parsed" in error_in(client.query("/**/ IDENTIFY_SYSTEM")).text
    with login(proxy) as client:
        assert "cannot be parsed" in error_in(client.query("IDENTIFY_SYSTEM")).text


def test_an_idle_walsender_is_ended_by_the_idle_timeout(proxy):
    for kind in ("database", "true"):
        with walsender(proxy, kind) as client:
            assert client.rest(6)[-1].sqlstate == "57P05"


@pytest.mark.parametrize("kind, shown", [("database", b"7MB"), ("true", b"4MB")])
def test_connect_query_is_run_where_the_walsender_runs_sql(make_proxy, publisher, kind, shown):
    routes = [{"name": "all", "cluster": "main", "connect_query": "set work_mem = '7MB'"}]
    with walsender(make_proxy(default_config(publisher, routes=routes)), kind) as client:
        seen = client.query("SHOW work_mem")
        assert [x.row for x in seen if x.tag == "D"] == [[shown]]


def test_ordinary_clients_never_get_a_walsender(proxy, publisher):
    with walsender(proxy) as client:
        assert client.value("select 1") == "1"
        sender, = publisher.execute("select pid from pg_stat_activity where backend_type = 'walsender'")[0]
    with WireClient(proxy.address) as other:
        assert other.start("app", "app", PASSWORDS["app"])[-1].tag == "Z"
        assert other.value("select backend_type from pg_stat_activity where pid = pg_backend_pid()") == "client backend"
    eventually(lambda: not publisher.execute("select 1 from pg_stat_activity where pid = %s", (sender,)), 5, "the walsender to be gone")
    assert proxy.metrics().sum("pgsluice_server_closes_total", reason="replication") == 1


def test_a_client_that_vanishes_leaves_no_walsender(proxy, publisher):
    client = walsender(proxy)
    client.query("CREATE_REPLICATION_SLOT vanishing TEMPORARY LOGICAL test_decoding")
    client.send(m.query("START_REPLICATION SLOT vanishing LOGICAL 0/0"))
    client.receive_until("W")
    client.reset()
    eventually(lambda: not publisher.execute("select 1 from pg_stat_activity where backend_type = 'walsender'"), 10, "the walsender to be gone")
    assert publisher.execute("select 1 from pg_replication_slots where slot_name = 'vanishing'") == []


def test_drain_does_not_wait_for_a_stream(proxy, publisher):
    client = walsender(proxy)
    client.query("CREATE_REPLICATION_SLOT draining TEMPORARY LOGICAL test_decoding")
    client.send(m.query("START_REPLICATION SLOT draining LOGICAL 0/0"))
    client.receive_until("W")
    proxy.process.terminate()
    assert proxy.wait(3) == 0
    client.close()
