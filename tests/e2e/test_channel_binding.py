"""SCRAM-SHA-256-PLUS: a login that holds for one TLS connection only, towards clients and towards servers."""
import psycopg
import pytest

from support.certificates import Authority
from support.man_in_the_middle import ManInTheMiddle
from support.proxy import login
from support.system import eventually, free_port


@pytest.fixture
def tls_listener(server_certificate):
    tls = {"mode": "require", "certificate": str(server_certificate.certificate), "private_key": str(server_certificate.key)}
    return {"listeners": [{"address": "127.0.0.1", "port": free_port(), "tls": tls}]}


@pytest.fixture
def in_the_middle(directory):
    """in_the_middle(upstream): shows a certificate that some authority has made out to the right name."""
    made = []

    def make(upstream: tuple) -> ManInTheMiddle:
        certificate = Authority(directory, "other").issue("localhost", hosts=("localhost", "127.0.0.1"))
        made.append(ManInTheMiddle(upstream, certificate))
        return made[-1]

    yield make
    for each in made:
        each.close()


def refusal_of(proxy) -> str:
    with pytest.raises(psycopg.Error):
        with proxy.connect() as connection:
            connection.execute("select 1")
    return eventually(lambda: proxy.events("server_connect_failed"), 5, "the event in the log")[0]["message"]


def test_clients_may_require_it(sluice, tls_listener):
    proxy = sluice(**tls_listener)
    with proxy.connect(sslmode="require", channel_binding="require") as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_client_behind_another_tls_cannot_log_in(sluice, tls_listener, in_the_middle):
    middle = in_the_middle(sluice(**tls_listener).address)
    with pytest.raises(psycopg.OperationalError, match="channel binding check failed"):
        psycopg.connect(host="127.0.0.1", port=middle.port, user="app", password="app-secret", dbname="app", sslmode="require")


def test_servers_are_logged_in_to_by_it(sluice):
    proxy = sluice(cluster={"tls": {"mode": "require", "channel_binding": "require"}})
    with login(proxy) as client:
        assert client.value("select ssl from pg_stat_ssl where pid = pg_backend_pid()") == "t"


@pytest.mark.parametrize("binding", ["prefer", "require"])
def test_server_behind_another_tls_is_not_logged_in_to(sluice, postgres, in_the_middle, binding):
    middle = in_the_middle(postgres.address)
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": middle.port}],
                            "tls": {"mode": "require", "channel_binding": binding}}, pool={"query_wait_timeout": "3s"})
    assert "channel binding check failed" in refusal_of(proxy)


def test_whoever_disables_it_is_read(sluice, postgres, in_the_middle):
    middle = in_the_middle(postgres.address)
    proxy = sluice(cluster={"servers": [{"host": "127.0.0.1", "port": middle.port}],
                            "tls": {"mode": "require", "channel_binding": "disable"}})
    with login(proxy) as client:
        assert client.value("select 1") == "1"


def test_server_that_asks_for_less_is_refused_where_it_is_required(sluice):
    proxy = sluice(cluster={"tls": {"mode": "require", "channel_binding": "require"}, "users": [{"name": "trusted"}]},
                   route={"user": "trusted"}, pool={"query_wait_timeout": "3s"})
    assert "does not bind the login" in refusal_of(proxy)
