"""The tools of this suite do what the tests trust them to do: shown on PostgreSQL and libpq, without pgsluice."""
import time

import psycopg
import pytest

from support import messages as m
from support.hostile_server import ANSWER, LOGIN, Expect, Send, scram
from support.metrics import Metrics
from support.proxy import merged
from support.system import free_port
from support.wire import Closed, WireClient, summaries


@pytest.fixture
def through(target, fault_proxy):
    """A path to PostgreSQL and a client logged in over it."""
    path = fault_proxy(target.postgres.address)
    client = WireClient(("127.0.0.1", path.port), timeout=3)
    assert client.start("app", "app", "app-secret")[-1].tag == "Z"
    yield path, client
    client.close()


def test_fault_proxy_passes_everything(through):
    path, client = through
    path.chunk = 3
    assert client.value(f"select length('{'x' * 50000}')") == "50000"
    assert path.accepted == 1


def test_fault_proxy_cuts_at_the_exact_byte(through):
    path, client = through
    path.cut_at = path.paths[0].from_server + 20
    client.send(m.query("select 1"))
    assert len(client.receive_bytes(20)) == 20
    with pytest.raises(Closed):
        client.receive_bytes(1)


def test_fault_proxy_resets(through, target):
    path, client = through
    client.send(m.query("select pg_sleep(20)"))
    path.reset_all()
    started = time.monotonic()
    with pytest.raises(Closed):
        client.receive()
    assert time.monotonic() - started < 2


def test_fault_proxy_stalls_and_resumes(through):
    path, client = through
    path.stall()
    client.send(m.query("select 1"))
    assert client.silent_for(0.3)
    path.resume()
    assert summaries(client.until_ready()) == ["T", "D:1", "C:SELECT 1", "Z:I"]


def test_fault_proxy_swallows_what_is_open_and_passes_what_is_new(through, target):
    path, client = through
    path.swallow_existing()
    client.send(m.query("select 1"))
    assert client.silent_for(0.4)
    with WireClient(("127.0.0.1", path.port)) as other:
        assert other.start("app", "app", "app-secret")[-1].tag == "Z"


def libpq(server):
    return psycopg.connect(host="127.0.0.1", port=server.port, user="app", password="app-secret", dbname="x", sslmode="disable", connect_timeout=5)


def test_scripted_server_satisfies_libpq(target, hostile):
    server = hostile(*LOGIN, Expect("Q"), Send(ANSWER))
    with WireClient(("127.0.0.1", server.port)) as client:
        client.start("app", "x")
        assert client.rows("select 1") == [[b"good"]]
    libpq(hostile(*scram("app-secret"))).close()


@pytest.mark.parametrize("change", [{"change_final": lambda message: b"v=" + b"A" * 43 + b"="}, {"change_first": lambda message: message + b"x"}])
def test_libpq_refuses_what_the_scripted_server_falsifies(target, hostile, change):
    with pytest.raises(psycopg.OperationalError):
        libpq(hostile(*scram("app-secret", **change)))
    with pytest.raises(psycopg.OperationalError):
        libpq(hostile(*scram("another password")))


def test_metrics_reader():
    metrics = Metrics('# HELP a_total things\n# TYPE a_total counter\na_total{x="1",y="q\\"z"} 3\na_total{x="2"} 4.5\nb 1\n')
    assert (metrics.sum("a_total"), metrics.sum("a_total", x="1"), metrics.sum("b"), metrics.sum("c")) == (7.5, 3, 1, 0)
    assert metrics.types == {"a_total": "counter"} and metrics.label_names("a_total") == {"x", "y"}


def test_merging_configurations():
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None, "e": 3}, "d": [2]}) == {"a": {"c": 2, "e": 3}, "d": [2]}


def test_a_free_port_is_given_once():
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)
