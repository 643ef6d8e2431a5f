"""Clients that say good-bye, or go, with answers outstanding."""
import socket
import time

import pytest

from support import messages as m
from support.proxy import login
from support.system import eventually

PIPELINE = 30_000  # more than pgsluice lets a client be ahead of its answers


def sleepers(postgres):
    return postgres.execute("select count(*) from pg_stat_activity where wait_event = 'PgSleep'")[0][0]


@pytest.mark.parametrize("batch", [
    m.query("select pg_sleep(0.5); insert into target values (1, 'a')"),
    m.parse("select pg_sleep(0.5)") + m.bind() + m.execute() + m.parse("insert into target values (1, 'a')") + m.bind() +
    m.execute() + m.SYNC,
], ids=["simple", "extended"])
def test_what_was_asked_before_a_terminate_is_done_although_nobody_waits_for_it(target, postgres, batch):
    """PQfinish behind PQsendQuery, of a client that has its server: one that waits for it would lose its place."""
    with target.login() as watcher:
        watcher.query("truncate target")
        client = target.login()
        client.send(batch, m.TERMINATE)
        eventually(lambda: sleepers(postgres) == 1, 10, "the batch to run")
        client.close()
        eventually(lambda: watcher.value("select count(*) from target") == "1", 5, "the row to be there")


def test_a_long_pipeline_with_its_terminate_and_its_end_is_done_to_its_end(target):
    with target.login() as watcher, target.login() as client:
        watcher.query("create table if not exists counted (n int)")
        watcher.query("truncate counted")
        client.send(m.query("select pg_sleep(1)"), m.query("insert into counted values (1)") * PIPELINE, m.TERMINATE)
        client.socket.shutdown(socket.SHUT_WR)
        assert [x.tag for x in client.rest(30)].count("Z") == PIPELINE + 1
        assert watcher.value("select count(*) from counted") == str(PIPELINE)
        watcher.query("drop table counted")


def test_a_client_that_breaks_off_behind_its_terminate_leaves_no_query_running(sluice, postgres):
    with login(sluice()) as client:
        client.send(m.query("select pg_sleep(60)"), m.TERMINATE)
        eventually(lambda: sleepers(postgres) == 1, what="the query to run")
        client.reset()
        eventually(lambda: sleepers(postgres) == 0, 5, "the query to be cancelled")


def test_a_client_that_ends_its_side_without_a_terminate_leaves_no_query_running(sluice, postgres):
    with login(sluice()) as client:
        client.send(m.query("select pg_sleep(60)"))
        eventually(lambda: sleepers(postgres) == 1, what="the query to run")
        client.socket.shutdown(socket.SHUT_WR)
        eventually(lambda: sleepers(postgres) == 0, 5, "the query to be cancelled")


HALF = m.raw_frame(b"B", 1_000_000, bytes(30_000))  # of a message that is relayed as it comes


@pytest.mark.parametrize("half", [b"", HALF], ids=["", "half a message"])
@pytest.mark.parametrize("statement", [
    m.query("select pg_sleep(60)"), m.parse("select pg_sleep(60)") + m.bind() + m.execute() + m.SYNC], ids=["simple", "extended"])
def test_a_client_that_vanishes_leaves_nothing_of_its_pipeline_running(sluice, postgres, statement, half):
    proxy = sluice(workers=1, pool={"size": 1})
    with login(proxy) as client, login(proxy) as other:
        client.send(statement * 8, half)
        eventually(lambda: sleepers(postgres) == 1, what="the pipeline to run")
        client.reset()
        began = time.monotonic()
        assert other.value("select 1") == "1"
        assert time.monotonic() - began < 2
        eventually(lambda: sleepers(postgres) == 0, 2, "the pipeline to end")
        assert len(postgres.backends(dbname="app")) == 1


def test_a_pipeline_that_cannot_be_ended_in_time_ends_with_its_server(sluice, postgres):
    with login(sluice(pool={"size": 1}, timeouts={"abandoned": "1ms"})) as client:
        client.send(m.query("select pg_sleep(60)") * 8)
        eventually(lambda: sleepers(postgres) == 1, what="the pipeline to run")
        client.reset()
        eventually(lambda: sleepers(postgres) == 0, 2, "the pipeline to end")


@pytest.mark.parametrize("last", [m.query("select 1"), m.function_call(0)], ids=["query", "function call"])
def test_a_client_that_leaves_an_error_without_a_sync_costs_nobody_the_server(sluice, last):
    """What stands behind the error is skipped, and PostgreSQL waits for a Sync."""
    proxy = sluice(workers=1, pool={"size": 1}, timeouts={"abandoned": "60s"})
    with login(proxy) as next_one:
        with login(proxy) as leaver:
            leaver.send(m.execute(portal="nothing"), last)
        assert next_one.value("select 1") == "1"


@pytest.mark.parametrize("last", ["set work_mem = '5MB'", "create temp table own (a int)", "select 1"])
def test_a_client_that_says_good_bye_has_left_whatever_its_server_is_asked_first(sluice, last):
    proxy = sluice(pool={"check_at_release": True})
    for _ in range(10):
        client = login(proxy)
        client.query(last)
        client.send(m.TERMINATE)
        client.socket.shutdown(socket.SHUT_WR)
        client.rest()
    left = lambda reason: proxy.metrics().sum("pgsluice_disconnects_total", reason=reason)
    eventually(lambda: left("client_left") == 10, 5, f"ten to have left, {left('client_lost')} are lost")
