"""psycopg 3, synchronous."""
import threading
import time

import psycopg
from report import FOREIGN_CA, ROWS, STATEMENTS, TABLES, WHO, WHO_QUERY, GaveUp, copied, main, raises, same, says


def connect():
    with psycopg.connect(application_name="drivers") as connection:
        same(connection.execute(WHO_QUERY).fetchone(), WHO)
        same(connection.info.server_version // 10000, 15)
    with says("password authentication failed"):
        psycopg.connect(password="wrong")


def tls():
    with psycopg.connect(host="localhost", sslmode="verify-full") as connection:
        same(connection.info.pgconn.ssl_in_use, True)
        same(connection.execute("select repeat('x', 100000)").fetchone(), ("x" * 100000,))
    with says("certificate verify failed"):
        psycopg.connect(host="localhost", sslmode="verify-full", sslrootcert=FOREIGN_CA)


def prepared():
    met = []
    with psycopg.connect() as connection:
        for n in range(STATEMENTS):
            doubled, pid = connection.execute("select %s::int * 2, pg_backend_pid()", (n,), prepare=True).fetchone()
            connection.commit()
            same(doubled, 2 * n)
            met.append(pid)
        # With its cache full the driver says DEALLOCATE with a name.
        connection.prepare_threshold, connection.prepared_max = 0, 3
        for n in range(STATEMENTS):
            same(connection.execute(f"select %s::text || '{n % 6}'", ("x",)).fetchone(), (f"x{n % 6}",))
            connection.commit()
    return met


def batch():
    with psycopg.connect(autocommit=True) as connection:
        connection.execute(f"create table {TABLES}_batch (n int primary key)")
        with connection.pipeline(), connection.transaction():
            for n in range(100):
                connection.execute(f"insert into {TABLES}_batch values (%s)", (n,))
            total = connection.execute(f"select sum(n)::int from {TABLES}_batch")
        same(total.fetchone(), (4950,))
        cursor = connection.cursor()
        rows = [(n,) for n in range(100, 200)]
        cursor.executemany(f"insert into {TABLES}_batch values (%s) returning n", rows, returning=True)
        returned = [cursor.fetchone()]
        while cursor.nextset():
            returned.append(cursor.fetchone())
        same(returned, rows)


def copy():
    with psycopg.connect(autocommit=True) as connection:
        cursor = connection.cursor()
        cursor.execute(f"create table {TABLES}_copy (n int, t text)")
        with cursor.copy(f"copy {TABLES}_copy from stdin") as into:
            for row in copied():
                into.write_row(row)
        same(cursor.rowcount, ROWS)
        with cursor.copy(f"copy (select * from {TABLES}_copy order by n) to stdout") as out:
            out.set_types(["int4", "text"])
            same(list(out.rows()), copied())
        with raises("22P02"), cursor.copy(f"copy {TABLES}_copy from stdin") as into:
            into.write("none\tx\n")
        with raises("57014"), cursor.copy(f"copy {TABLES}_copy from stdin") as into:
            into.write_row((1, "never kept"))
            raise GaveUp
        same(cursor.execute(f"select count(*) from {TABLES}_copy").fetchone(), (ROWS,))


def notify():
    with psycopg.connect(autocommit=True) as listener, psycopg.connect(autocommit=True) as notifier:
        heard = []
        listener.add_notify_handler(heard.append)
        listener.execute("listen news")
        notifier.execute("notify news, 'hello'")
        deadline = time.monotonic() + 10
        while not heard and time.monotonic() < deadline:
            listener.execute("select 1")
        same([(n.channel, n.payload) for n in heard], [("news", "hello")])
        notifier.execute("notify news, 'at rest'")
        notification = next(listener.notifies())
        same(notification.payload, "at rest")
        listener.execute("unlisten news")


def cancel():
    with psycopg.connect(autocommit=True) as connection:
        for _ in range(2):
            timer = threading.Timer(0.5, connection.cancel)
            timer.start()
            with raises("57014"):
                connection.execute("select pg_sleep(15)")
            timer.join()
            same(connection.execute("select 1").fetchone(), (1,))


def savepoint():
    with psycopg.connect() as connection:
        connection.execute(f"create table {TABLES}_savepoint (n int primary key)")
        connection.execute(f"insert into {TABLES}_savepoint values (1)")
        with raises("23505"), connection.transaction():
            connection.execute(f"insert into {TABLES}_savepoint values (2)")
            connection.execute(f"insert into {TABLES}_savepoint values (1)")
        with connection.transaction():
            connection.execute(f"insert into {TABLES}_savepoint values (3)")
        connection.commit()
        same(connection.execute(f"select n from {TABLES}_savepoint order by n").fetchall(), [(1,), (3,)])


def cursor():
    with psycopg.connect() as connection:
        with connection.cursor(name="portions") as portions:
            portions.itersize = 100
            portions.execute("select n from generate_series(1, 1000) n")
            for expected, (n,) in enumerate(portions, 1):
                same(n, expected)
                if n % 150 == 0:
                    same(connection.execute("select 'between'").fetchone(), ("between",))
        connection.commit()
        with connection.cursor(name="held", withhold=True, scrollable=True) as held:
            held.execute("select n from generate_series(1, 1000) n")
            connection.commit()
            held.scroll(500)
            same(held.fetchone(), (501,))


def error():
    with psycopg.connect() as connection:
        with raises("22012"):
            connection.execute("select 1 / %s", (0,))
        with raises("25P02"):
            connection.execute("select 1")
        connection.rollback()
        with raises("42601"):
            connection.execute("selekt")
        connection.rollback()
        same(connection.execute("select 1").fetchone(), (1,))


main(connect, tls, prepared, batch, copy, notify, cancel, savepoint, cursor, error)
