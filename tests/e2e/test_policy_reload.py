"""Rules that are read again and again while clients are at work: nobody notices but those whom a rule concerns."""
import contextlib
import signal
import subprocess
import threading
import time

import psycopg
import pytest

from support import messages as m
from support.hanging_thread import hanging_thread
from support.postgres import BIN
from support.proxy import login
from support.system import eventually
from support.wire import error_in

RELOADS = 40
BYSTANDER = {"name": "bystander", "when": {"writes": ["nobody_writes_this"], "in_transaction": True}}
PROBE = {"name": "probe", "when": {"pattern": "probe"}}
COUNT = {"name": "count", "when": {"statements": ["select"], "users": ["app"]}, "action": "log", "sample_one_in": 1000000}
# Each differs from the one before in what it looks at, so that what is kept of texts and rules is made anew.
RULES = [[BYSTANDER], [BYSTANDER, PROBE], [COUNT, PROBE], [], [{**PROBE, "when": {"pattern": "probe", "statements": ["select"]}}, COUNT]]

SCRIPT = "begin;\ninsert into target values (:client_id, 'a');\nselect count(*) from target where a = :client_id;\ninsert into target values (:client_id, 'b');\ncommit;\n"


def is_blocked(reply) -> bool:
    if not any(message.tag == "E" for message in reply):
        return False
    error = error_in(reply)
    assert error.sqlstate == "42501", error.text
    return True


class Threads:
    """Each runs `act` again and again until the end; what one of them raises is raised at the end."""

    def __init__(self, *acts):
        self.failures, self.rounds = [], [0] * len(acts)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(i, act), daemon=True) for i, act in enumerate(acts)]

    def _run(self, number, act):
        try:
            with contextlib.closing(act()) as steps:
                while not self._stop.is_set():
                    next(steps)
                    self.rounds[number] += 1
        except BaseException as error:
            self.failures.append(error)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        if self.failures:
            raise self.failures[0]


@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
def test_no_transaction_of_pgbench_fails(sluice, postgres, protocol):
    """A thread for each client: pgbench prepares without looking at its other clients, so those of one thread could wait for each other."""
    proxy = sluice(policies=RULES[0], pool={"size": 3})
    host, port = proxy.address
    bench = subprocess.Popen([BIN / "pgbench", "-n", "-M", protocol, "-c", "6", "-j", "6", "-T", "6", "-f", "/dev/stdin",
                              f"host={host} port={port} user=app password=app-secret dbname=app sslmode=disable"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    bench.stdin.write(SCRIPT)
    bench.stdin.close()
    reloads = 0
    while bench.poll() is None and reloads < RELOADS:
        reloads += 1
        proxy.reload(changes={"policies": RULES[reloads % len(RULES)]})
    told = bench.stdout.read()
    assert bench.wait(30) == 0, told
    assert "number of failed transactions: 0 (0.000%)" in told and "ERROR" not in told, told
    assert reloads > 10
    (ones,), (twos,) = (postgres.execute("select count(*) from target where b = %s", (letter,), dbname="app")[0] for letter in "ab")
    assert ones == twos > 0


def test_a_transaction_has_one_set_of_rules_whatever_is_read_meanwhile(sluice):
    """A rule that is swapped in and out blocks all probes of a transaction or none."""
    proxy = sluice(policies=RULES[0], pool={"size": 3})
    seen = set()

    def simple():
        with login(proxy) as client:
            while True:
                client.query("begin")
                client.query("savepoint s")
                first = is_blocked(client.query("select 'probe'"))
                client.query("rollback to s")
                for _ in range(3):
                    assert client.value("select 1") == "1"
                    assert is_blocked(client.query("select 'probe again'")) == first
                    client.query("rollback to s")
                client.query("commit")
                seen.add(first)
                yield

    def prepared():
        with login(proxy) as client:
            client.send(m.parse("select 'a probe that is prepared'", "probe"), m.parse("select $1::int", "plain"), m.SYNC)
            is_there = not is_blocked(client.until_ready())
            while True:
                assert client.value("select 1") == "1"
                client.query("begin")
                client.query("savepoint s")
                if is_there:
                    client.send(m.bind("probe"), m.execute(), m.SYNC)
                    first = is_blocked(client.until_ready())
                    client.query("rollback to s")
                    client.send(m.bind("probe"), m.execute(), m.SYNC)
                    assert is_blocked(client.until_ready()) == first
                    client.query("rollback to s")
                    seen.add(first)
                client.query("commit")
                if not is_there:
                    client.send(m.parse("select 'a probe that is prepared'", "probe"), m.SYNC)
                    is_there = not is_blocked(client.until_ready())
                yield

    def driver():
        with psycopg.connect(**proxy.dsn(), autocommit=True, prepare_threshold=0) as connection:
            while True:
                with connection.transaction():
                    connection.execute("insert into target values (%s, %s)", (7, "driver"))
                    assert connection.execute("select count(*) > 0 from target where a = %s", (7,)).fetchone() == (True,)
                yield

    with Threads(simple, prepared, driver, driver) as threads:
        for number in range(RELOADS):
            proxy.reload(changes={"policies": RULES[number % len(RULES)]})
            if threads.failures:
                break
    assert min(threads.rounds) > 5 and seen == {True, False}


@pytest.mark.parametrize("worker", ["worker 0", "worker 1"])
def test_a_reload_is_said_to_have_succeeded_once_every_worker_has_its_rules(sluice, worker):
    proxy = sluice(policies=[], workers=2)
    with hanging_thread(proxy.pid, worker):
        proxy.write_config({**proxy.config, "policies": [PROBE]})
        proxy.signal(signal.SIGHUP)
        time.sleep(0.5)
        assert not proxy.events("reload_succeeded")
        assert proxy.metrics().sum("pgsluice_reloads_total", outcome="success") == 0
    eventually(lambda: proxy.metrics().sum("pgsluice_reloads_total", outcome="success") == 1, 5, "the reload")
    with contextlib.ExitStack() as clients:
        for client in [clients.enter_context(login(proxy)) for _ in range(8)]:
            assert is_blocked(client.query("select 'probe'"))


def test_a_rule_that_is_swapped_in_takes_effect_for_what_was_prepared_before(sluice):
    proxy = sluice(policies=[])
    with login(proxy) as client, psycopg.connect(**proxy.dsn(), autocommit=True, prepare_threshold=0) as connection:
        client.send(m.parse("select 'probe'", "s"), m.SYNC)
        client.until_ready()
        client.send(m.parse("select 'plain'", "t"), m.SYNC)
        client.until_ready()
        connection.execute("select 'probe' where %s", (True,))
        for number in range(10):
            rules = RULES[number % len(RULES)]
            proxy.reload(changes={"policies": rules})
            expected = any(rule["name"] == "probe" for rule in rules)
            client.send(m.bind("s"), m.execute(), m.SYNC)
            assert is_blocked(client.until_ready()) == expected
            client.send(m.bind("t"), m.execute(), m.SYNC)
            assert not is_blocked(client.until_ready())
            with pytest.raises(psycopg.errors.InsufficientPrivilege) if expected else contextlib.nullcontext():
                connection.execute("select 'probe' where %s", (True,))


@pytest.mark.parametrize("before, after", [([], [PROBE]), ([PROBE], []), ([COUNT], [BYSTANDER, PROBE])])
def test_a_transaction_in_progress_keeps_the_rules_it_began_with(sluice, before, after):
    proxy = sluice(policies=[])
    blocked_before, blocked_after = PROBE in before, PROBE in after
    with login(proxy) as client:
        client.send(m.parse("select 'probe'", "s"), m.SYNC)
        client.until_ready()
        proxy.reload(changes={"policies": before})
        client.query("begin")
        client.query("savepoint s")
        for _ in range(3):
            proxy.reload(changes={"policies": after})
            assert is_blocked(client.query("select 'probe'")) == blocked_before
            client.query("rollback to s")
            client.send(m.bind("s"), m.execute(), m.SYNC)
            assert is_blocked(client.until_ready()) == blocked_before
            client.query("rollback to s")
            client.send(m.unnamed("select 'probe'"), m.SYNC)
            assert is_blocked(client.until_ready()) == blocked_before
            client.query("rollback to s")
        client.query("commit")
        assert is_blocked(client.query("select 'probe'")) == blocked_after
        client.send(m.bind("s"), m.execute(), m.SYNC)
        assert is_blocked(client.until_ready()) == blocked_after
