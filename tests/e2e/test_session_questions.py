"""What the server is asked about a session: where it refuses to tell, nobody else waits for long."""
import pytest

from support.proxy import login
from support.system import eventually
from support.wire import error_in


def shown_in_time(client, show):
    rows = [message.row for message in client.query(show) if message.tag == "D"]
    return rows[0][0].decode() if rows else None


@pytest.mark.parametrize("options, make, show, made", [
    (None, "set statement_timeout = 1", "show statement_timeout", "1ms"),
    ("-c statement_timeout=1", "set work_mem = '7MB'", "show work_mem", "7MB")], ids=["set", "login"])
def test_a_timeout_that_is_shorter_than_our_question_keeps_no_server(sluice, options, make, show, made):
    proxy = sluice(workers=1, pool={"size": 1, "query_wait_timeout": "4s"})
    with login(proxy, **({"options": options} if options else {})) as owner, login(proxy) as other:
        for _ in range(5):
            owner.query(make)
            assert other.value("select 7") == "7"
            assert other.value("show statement_timeout") == "0"
        eventually(lambda: shown_in_time(owner, show) == made, 5, "an answer within the timeout")
        assert proxy.metrics().sum("pgsluice_pinned_clients") == 0


@pytest.mark.parametrize("by_another", [False, True], ids=["itself", "another"])
def test_a_client_keeps_no_server_where_our_statement_has_been_deallocated(sluice, by_another):
    proxy = sluice(workers=1, pool={"size": 1, "query_wait_timeout": "4s"})
    with login(proxy) as owner, login(proxy) as culprit, login(proxy) as other:
        owner.query("set work_mem = '7MB'")
        (culprit if by_another else owner).query("do $$ begin execute 'deallocate all'; end $$")
        assert other.value("show work_mem") == "4MB"
        owner.query("set lock_timeout = '9s'")
        assert other.value("show lock_timeout") == "0"
        assert (owner.value("show work_mem"), owner.value("show lock_timeout")) == ("7MB", "9s")


def test_a_client_whose_server_cannot_tell_is_ended_for_those_who_wait(sluice):
    """What it has set cannot be told in its encoding."""
    proxy = sluice(workers=1, pool={"size": 1, "query_wait_timeout": "4s"})
    with login(proxy) as owner, login(proxy) as other:
        owner.query("set app.x = '\u65e5\u672c'")
        owner.query("set client_encoding = 'LATIN1'")
        eventually(lambda: proxy.metrics().sum("pgsluice_pinned_clients", reason="unknown") == 1, 5, "the pin to show")
        assert owner.value("show client_encoding") == "LATIN1"
        assert other.value("select 7") == "7"
        ended = error_in(owner.receive_until("E"))
        assert ended.sqlstate == "08006" and "what the session has become" in ended.text
