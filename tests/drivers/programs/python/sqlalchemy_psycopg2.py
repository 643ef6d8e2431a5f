"""SQLAlchemy over psycopg2: its pool, its transactions and its streams. COPY, notifications and large objects are the
driver's."""
import io
import os
import select
import threading

import sqlalchemy
from report import FOREIGN_CA, ROWS, TABLES, WHO, WHO_QUERY, GaveUp, main, raises, same, says
from sqlalchemy import text


def engine(host=None, pool=sqlalchemy.pool.NullPool, **arguments):
    password = arguments.pop("password", os.environ["PGPASSWORD"])
    place = host or os.environ["PGHOST"], int(os.environ["PGPORT"]), os.environ["PGDATABASE"]
    url = sqlalchemy.engine.URL.create("postgresql+psycopg2", os.environ["PGUSER"], password, *place)
    return sqlalchemy.create_engine(url, connect_args=arguments, poolclass=pool, future=True)


shared = engine(pool=sqlalchemy.pool.QueuePool)  # its connections pass from check to check


def items(check: str) -> sqlalchemy.Table:
    columns = (sqlalchemy.Column("n", sqlalchemy.Integer, primary_key=True), sqlalchemy.Column("t", sqlalchemy.Text))
    return sqlalchemy.Table(f"{TABLES}_{check}", sqlalchemy.MetaData(), *columns)


def connect():
    with engine(application_name="drivers").connect() as connection:
        same(tuple(connection.execute(text(WHO_QUERY)).one()), WHO)
        same(connection.dialect.server_version_info[0], 15)
    with says("password authentication failed"):
        engine(password="wrong").connect()


def tls():
    with engine("localhost", sslmode="verify-full").connect() as connection:
        same(connection.connection.dbapi_connection.info.ssl_in_use, True)
        same(connection.scalar(text("select repeat('x', 100000)")), "x" * 100000)
    with says("certificate verify failed"):
        engine("localhost", sslmode="verify-full", sslrootcert=FOREIGN_CA).connect()


class EndsHalfway(io.StringIO):
    def read(self, size=-1):
        raise GaveUp


def copy():
    with shared.begin() as connection:
        table = items("copy")
        table.create(connection)
        lines = "".join(f"{n}\trow {n}\n" for n in range(ROWS))
        cursor = connection.connection.cursor()
        cursor.copy_expert(f"copy {table.name} from stdin", io.StringIO(lines))
        out = io.StringIO()
        cursor.copy_expert(f"copy (select * from {table.name} order by n) to stdout", out)
        same(out.getvalue(), lines)
        with raises("22P02"), connection.begin_nested():
            cursor.copy_expert(f"copy {table.name} from stdin", io.StringIO("none\tx\n"))
        with raises("57014"), connection.begin_nested():
            cursor.copy_expert(f"copy {table.name} from stdin", EndsHalfway())
        same(connection.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)), ROWS)


def notify():
    with shared.connect().execution_options(isolation_level="AUTOCOMMIT") as listener, shared.connect() as notifier:
        listener.execute(text("listen news"))
        notifier.execute(text("select pg_notify('news', 'hello')"))
        notifier.commit()
        driver = listener.connection.dbapi_connection
        while not driver.notifies:
            if select.select([driver], [], [], 10) == ([], [], []):
                raise AssertionError("no notification came")
            driver.poll()
        same([(n.channel, n.payload) for n in driver.notifies], [("news", "hello")])
        listener.execute(text("unlisten news"))


def cancel():
    with shared.connect() as connection:
        timer = threading.Timer(0.5, connection.connection.dbapi_connection.cancel)
        timer.start()
        with raises("57014"):
            connection.execute(text("select pg_sleep(15)"))
        timer.join()
        connection.rollback()
        same(connection.scalar(text("select 1")), 1)


def large_object():
    content = bytes(range(256)) * 800
    with shared.connect() as connection:
        driver = connection.connection.dbapi_connection
        made = driver.lobject(0, "wb")
        same(made.write(content), len(content))
        made.close()
        connection.commit()
        read = driver.lobject(made.oid, "rb")
        read.seek(1000)
        same(read.read(), content[1000:])
        read.unlink()
        connection.commit()
        with says("does not exist"):
            driver.lobject(made.oid, "rb")


def savepoint():
    with shared.begin() as connection:
        table = items("savepoint")
        table.create(connection)
        connection.execute(table.insert(), [{"n": 1, "t": "kept"}])
        with raises("23505"), connection.begin_nested():
            connection.execute(table.insert(), [{"n": 2, "t": "undone"}])
            connection.execute(table.insert(), [{"n": 1, "t": "twice"}])
        with connection.begin_nested():
            connection.execute(table.insert(), [{"n": 3, "t": "kept"}])
    with shared.connect() as connection:
        rows = connection.execute(sqlalchemy.select(table).order_by("n"))
        same([tuple(row) for row in rows], [(1, "kept"), (3, "kept")])


def cursor():
    """stream_results makes SQLAlchemy take a named cursor."""
    with shared.connect() as connection:
        rows = connection.execution_options(stream_results=True, max_row_buffer=100).execute(
            text("select n from generate_series(1, 1000) n"))
        same([n for portion in rows.partitions(100) for n, in portion], list(range(1, 1001)))


def error():
    """A connection goes back to SQLAlchemy's pool failed, and comes out of it well."""
    for sqlstate, statement in (("22012", "select 1 / 0"), ("42P01", "select * from nothing"), ("42601", "selekt")):
        with shared.connect() as connection:
            with raises(sqlstate):
                connection.execute(text(statement))
            with raises("25P02"):
                connection.execute(text("select 1"))
        with shared.connect() as connection:
            same(connection.scalar(text("select 1")), 1)


main(connect, tls, copy, notify, cancel, large_object, savepoint, cursor, error)
