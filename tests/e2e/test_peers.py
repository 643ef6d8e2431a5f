"""Several pgsluices behind one address: a cancel request that comes to another one than its client reaches it all the same."""
import pytest

from support import messages as m
from support.proxy import default_config, login
from support.system import eventually, free_port
from support.wire import WireClient, error_in, summaries

SLEEP = "select pg_sleep(20)"


@pytest.fixture
def peers(make_proxy, postgres):
    """Makes pgsluices with one list of members; `ids`: what each believes to be, if not its place in the list."""
    def make(count=2, ids=None, tls=None, listener=None, **changes):
        ports = [free_port() for _ in range(count)]
        members = [{"id": i + 1, "host": "localhost" if tls else "127.0.0.1", "port": port} for i, port in enumerate(ports)]
        return [make_proxy(default_config(postgres, listeners=[{"address": "127.0.0.1", "port": port, **(listener or {})}],
                                          peers={"id": (ids or range(1, count + 1))[i], "members": members, "tls": tls or {"mode": "disable"}},
                                          **changes))
                for i, port in enumerate(ports)]

    return make


def outcomes(proxy, outcome):
    return proxy.metrics().sum("pgsluice_cancel_requests_total", outcome=outcome)


def run(client, postgres):
    client.send(m.query(SLEEP))
    eventually(lambda: postgres.execute("select 1 from pg_stat_activity where query = %s and state = 'active'", (SLEEP,)), what="the query to run")


def cancel_at(proxy, client, secret=None):
    """Sends the cancel and waits for the end of its connection, as libpq does."""
    with WireClient(proxy.address) as cancel:
        cancel.send(m.cancel_request(client.pid, secret or client.secret))
        assert cancel.rest() == []


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_cancel_that_comes_to_another_one_reaches_its_query(peers, postgres, mode):
    first, second = peers(routes=[{"name": "default", "cluster": "main", "pool": {"mode": mode, "size": 5}}])
    for at_home, elsewhere in ((first, second), (second, first)):
        with login(at_home) as client:
            for _ in range(3):
                run(client, postgres)
                cancel_at(elsewhere, client)
                assert error_in(client.until_ready()).sqlstate == "57014"
            assert client.value("select 'usable'") == "usable"
        assert outcomes(elsewhere, "peer") == outcomes(at_home, "forwarded") == 3
        assert outcomes(at_home, "unknown_key") == 0


def test_end_of_the_cancels_connection_is_the_end_of_the_cancel(peers):
    """What its sender does next is not met by it."""
    first, second = peers()
    with login(first) as client:
        for i in range(30):
            client.send(m.query("select pg_sleep(0.02)"))
            cancel_at(second, client)
            client.until_ready()
            assert client.value(f"select {i}") == str(i)


def test_key_is_still_heard_where_it_was_given_out(peers, postgres):
    first, _ = peers()
    with login(first) as client:
        run(client, postgres)
        cancel_at(first, client)
        assert error_in(client.until_ready()).sqlstate == "57014"


def test_wrong_key_of_another_one_does_nothing_there(peers):
    first, second = peers()
    with login(first) as client:
        client.send(m.query("select pg_sleep(0.5)"))
        for at in range(1, 4):
            wrong = bytearray(client.secret)
            wrong[at] ^= 1
            cancel_at(second, client, bytes(wrong))
        assert "E" not in [x[0] for x in summaries(client.until_ready())]
    assert outcomes(first, "unknown_key") == 3


def test_key_of_nobody_goes_no_further(peers):
    first, second = peers(3)[:2]
    for marked in (0, 31 << 2, 2 << 2):
        with WireClient(second.address) as cancel:
            cancel.send(m.cancel_request(4711, bytes([marked, 1, 2, 3])))
            assert cancel.rest() == []
    assert outcomes(second, "unknown_key") == 3
    assert outcomes(second, "peer") == outcomes(first, "unknown_key") == 0


def test_those_that_are_mistaken_about_who_they_are_send_no_request_round_and_round(peers):
    first, second = peers(ids=[2, 1])
    with WireClient(first.address) as cancel:
        cancel.send(m.cancel_request(4711, bytes([1 << 2, 1, 2, 3])))
        assert cancel.rest() == []
    sent_on = outcomes(first, "peer") + outcomes(second, "peer")
    assert sent_on == 1
    assert outcomes(first, "unknown_key") + outcomes(second, "unknown_key") == 1


def test_peer_that_is_gone_is_told_of_in_log_and_metrics(peers):
    first, second = peers(timeouts={"cancel": "1s"})
    with login(second) as client:
        pid, secret = client.pid, client.secret
    second.stop()
    with WireClient(first.address) as cancel:
        cancel.send(m.cancel_request(pid, secret))
        assert cancel.rest() == []
    eventually(lambda: outcomes(first, "failed") == 1, 5, "the failure to be counted")
    assert "cancel_failed" in first.log()


def test_request_to_a_peer_is_encrypted_and_its_certificate_is_checked(peers, postgres, server_certificate, authority, stranger):
    listener = {"tls": {"mode": "require", "certificate": str(server_certificate.certificate), "private_key": str(server_certificate.key)}}
    first, second = peers(tls={"mode": "verify-full", "ca": str(authority.certificate)}, listener=listener)
    with login(first, tls="localhost") as client, WireClient(second.address) as cancel:
        run(client, postgres)
        cancel.start_tls(server_name="localhost")
        cancel.send(m.cancel_request(client.pid, client.secret))
        assert error_in(client.until_ready()).sqlstate == "57014"
    second.reload(changes={"peers": {"tls": {"ca": str(stranger.certificate)}}})
    with login(first, tls="localhost") as client, WireClient(second.address) as cancel:
        cancel.start_tls(server_name="localhost")
        cancel.send(m.cancel_request(client.pid, client.secret))
        assert cancel.rest() == []
    assert outcomes(second, "failed") == 1


def test_one_source_has_so_many_requests_sent_on_in_a_minute(peers):
    first, second = peers()
    for i in range(1010):
        with WireClient(first.address) as cancel:
            cancel.send(m.cancel_request(i + 1, bytes([2 << 2, 1, 2, 3])))
            cancel.rest()
    assert outcomes(first, "peer") == 1000
    assert outcomes(first, "limited") == 10
    assert "cancel requests for peers" in first.log()
