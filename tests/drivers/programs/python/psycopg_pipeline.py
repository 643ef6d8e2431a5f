"""psycopg 3 with a whole session inside one pipeline: answers are read long behind their questions, and what ends a
transaction stands in the same batch as what begins the next."""
import threading

import psycopg
from report import STATEMENTS, TABLES, main, raises, same


def prepared():
    met = []
    with psycopg.connect() as connection, connection.pipeline():
        for n in range(STATEMENTS):
            answer = connection.execute("select %s::int * 2, pg_backend_pid()", (n,), prepare=True)
            connection.commit()
            doubled, pid = answer.fetchone()
            same(doubled, 2 * n)
            met.append(pid)
    return met


def batch():
    with psycopg.connect(autocommit=True) as connection:
        with connection.pipeline():
            connection.execute(f"create table {TABLES}_batch (n int primary key)")
            for n in range(20):  # transactions that are begun and ended before any answer was read
                connection.execute("begin")
                connection.execute(f"insert into {TABLES}_batch values (%s)", (n,))
                connection.execute("rollback" if n % 2 else "commit")
            same(connection.execute(f"select sum(n)::int from {TABLES}_batch").fetchone(), (90,))
        with raises("22012"), connection.pipeline():
            connection.execute("select 1 / 0")
            connection.execute(f"insert into {TABLES}_batch values (1000)")
        with connection.pipeline():
            same(connection.execute(f"select count(*) from {TABLES}_batch").fetchone(), (10,))


def notify():
    heard = []
    with psycopg.connect(autocommit=True) as connection:
        connection.add_notify_handler(heard.append)
        with connection.pipeline():
            connection.execute("listen news")
            connection.execute("notify news, 'to myself'")
            connection.execute("select 1").fetchone()
        connection.execute("unlisten news")
    same([notification.payload for notification in heard], ["to myself"])


def cancel():
    with psycopg.connect(autocommit=True) as connection, connection.pipeline() as pipeline:
        timer = threading.Timer(0.5, connection.cancel)
        timer.start()
        sleeping = connection.execute("select pg_sleep(15)")
        with raises("57014"):
            sleeping.fetchone()
        timer.join()
        pipeline.sync()
        same(connection.execute("select 1").fetchone(), (1,))


def savepoint():
    with psycopg.connect() as connection, connection.pipeline():
        connection.execute(f"create table {TABLES}_savepoint (n int primary key)")
        connection.execute(f"insert into {TABLES}_savepoint values (1)")
        with raises("23505"), connection.transaction():
            connection.execute(f"insert into {TABLES}_savepoint values (2)")
            connection.execute(f"insert into {TABLES}_savepoint values (1)")
        connection.execute(f"insert into {TABLES}_savepoint values (3)")
        connection.commit()
        same(connection.execute(f"select n from {TABLES}_savepoint order by n").fetchall(), [(1,), (3,)])


def error():
    with psycopg.connect() as connection, connection.pipeline() as pipeline:
        with raises("22012"):
            connection.execute("select 1 / %s", (0,)).fetchone()
        pipeline.sync()
        with raises("25P02"):
            connection.execute("select 1").fetchone()
        pipeline.sync()
        connection.rollback()
        same(connection.execute("select 1").fetchone(), (1,))


main(prepared, batch, notify, cancel, savepoint, error)
