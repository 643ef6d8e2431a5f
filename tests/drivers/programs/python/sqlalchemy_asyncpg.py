"""SQLAlchemy over asyncpg: it prepares each statement under a name of its own, and keeps what it has prepared."""
import asyncio
import os
import ssl

import sqlalchemy
from report import FOREIGN_CA, STATEMENTS, TABLES, WHO, WHO_QUERY, main, raises, same
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


def engine(host=None, **arguments):
    password = arguments.pop("password", os.environ["PGPASSWORD"])
    place = host or os.environ["PGHOST"], int(os.environ["PGPORT"]), os.environ["PGDATABASE"]
    url = sqlalchemy.engine.URL.create("postgresql+asyncpg", os.environ["PGUSER"], password, *place)
    return create_async_engine(url, connect_args=arguments, pool_size=1, max_overflow=0)


async def connect():
    own = engine(server_settings={"application_name": "drivers"})
    async with own.connect() as connection:
        same(tuple((await connection.execute(text(WHO_QUERY))).one()), WHO)
    await own.dispose()
    with raises("28P01"):
        await engine(password="wrong").connect()


async def tls():
    own = engine("localhost", ssl=ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"]))
    async with own.connect() as connection:
        same(await connection.scalar(text("select repeat('x', 100000)")), "x" * 100000)
    await own.dispose()
    try:
        await engine("localhost", ssl=ssl.create_default_context(cafile=FOREIGN_CA)).connect()
    except ssl.SSLCertVerificationError:
        return
    raise AssertionError("a certificate of nobody known was taken")


async def prepared():
    own = engine()
    met = []
    for n in range(STATEMENTS):
        async with own.begin() as connection:
            row = (await connection.execute(text("select cast(:n as int) * 2, pg_backend_pid()"), {"n": n})).one()
            same(row[0], 2 * n)
            met.append(row[1])
    await own.dispose()
    return met


async def cancel():
    own = engine()
    async with own.connect() as connection:
        try:
            await asyncio.wait_for(connection.execute(text("select pg_sleep(15)")), 0.5)
        except asyncio.TimeoutError:
            pass
        else:
            raise AssertionError("the query was not cancelled")
        await connection.rollback()
        same(await connection.scalar(text("select 1")), 1)
    await own.dispose()


async def savepoint():
    own = engine()
    number = sqlalchemy.Column("n", sqlalchemy.Integer, primary_key=True)
    table = sqlalchemy.Table(f"{TABLES}_savepoint", sqlalchemy.MetaData(), number)
    async with own.begin() as connection:
        await connection.run_sync(table.create)
        await connection.execute(table.insert(), [{"n": 1}])
        with raises("23505"):
            async with connection.begin_nested():
                await connection.execute(table.insert(), [{"n": 2}])
                await connection.execute(table.insert(), [{"n": 1}])
        await connection.execute(table.insert(), [{"n": 3}])
    async with own.connect() as connection:
        same([n for n, in await connection.execute(sqlalchemy.select(table).order_by("n"))], [1, 3])
    await own.dispose()


async def cursor():
    own = engine()
    async with own.connect() as connection:
        rows = await connection.stream(text("select n from generate_series(1, 1000) n"))
        same([n async for n, in rows], list(range(1, 1001)))
    await own.dispose()


async def error():
    """A connection goes back to SQLAlchemy's pool failed, and comes out of it well."""
    own = engine()
    for sqlstate, statement in (("22012", "select 1 / 0"), ("42P01", "select * from nothing")):
        async with own.connect() as connection:
            with raises(sqlstate):
                await connection.execute(text(statement))
            with raises("25P02"):
                await connection.execute(text("select 1"))
        async with own.connect() as connection:
            same(await connection.scalar(text("select 1")), 1)
    await own.dispose()


main(connect, tls, prepared, cancel, savepoint, cursor, error)
