"""psycopg 3, asynchronous."""
import asyncio

import psycopg
from report import FOREIGN_CA, ROWS, STATEMENTS, TABLES, WHO, WHO_QUERY, GaveUp, copied, main, raises, same, says


async def opened(**options) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(autocommit=True, **options)


async def one(connection, sql, values=None):
    return await (await connection.execute(sql, values)).fetchone()


async def connect():
    async with await opened(application_name="drivers") as connection:
        same(await one(connection, WHO_QUERY), WHO)
    with says("password authentication failed"):
        await opened(password="wrong")


async def tls():
    async with await opened(host="localhost", sslmode="verify-full") as connection:
        same(connection.info.pgconn.ssl_in_use, True)
        same(await one(connection, "select repeat('x', 100000)"), ("x" * 100000,))
    with says("certificate verify failed"):
        await opened(host="localhost", sslmode="verify-full", sslrootcert=FOREIGN_CA)


async def prepared():
    """Two connections at a time, whose statements bear the same names and are others."""
    async with await opened() as first, await opened() as second:
        met, _ = await asyncio.gather(used(first, 2), used(second, 3))
    return met


async def used(connection, factor) -> list:
    met = []
    for n in range(STATEMENTS):
        async with connection.transaction():
            cursor = await connection.execute(f"select %s::int * {factor}, pg_backend_pid()", (n,), prepare=True)
            product, pid = await cursor.fetchone()
        same(product, n * factor)
        met.append(pid)
    return met


async def batch():
    async with await opened() as connection:
        await connection.execute(f"create table {TABLES}_batch (n int primary key)")
        async with connection.pipeline() as pipeline:
            cursors = [await connection.execute("select %s::int", (n,)) for n in range(100)]
            await pipeline.sync()
            same([await cursor.fetchone() for cursor in cursors], [(n,) for n in range(100)])
        with raises("23505"):
            async with connection.pipeline():
                for n in (1, 2, 1, 3):
                    await connection.execute(f"insert into {TABLES}_batch values (%s)", (n,))
        same(await one(connection, f"select count(*) from {TABLES}_batch"), (0,))


async def copy():
    async with await opened() as connection:
        cursor = connection.cursor()
        await cursor.execute(f"create table {TABLES}_copy (n int, t text)")
        async with cursor.copy(f"copy {TABLES}_copy from stdin (format binary)") as into:
            into.set_types(["int4", "text"])
            for row in copied():
                await into.write_row(row)
        same(cursor.rowcount, ROWS)
        async with cursor.copy(f"copy (select * from {TABLES}_copy order by n) to stdout (format binary)") as out:
            out.set_types(["int4", "text"])
            same([row async for row in out.rows()], copied())
        with raises("57014"):
            async with cursor.copy(f"copy {TABLES}_copy from stdin") as into:
                await into.write_row((1, "never kept"))
                raise GaveUp
        same(await one(connection, f"select count(*) from {TABLES}_copy"), (ROWS,))


async def notify():
    async with await opened() as listener, await opened() as notifier:
        await listener.execute("listen news")
        await notifier.execute("select pg_notify('news', %s)", ("hello",))
        notification = await asyncio.wait_for(anext(listener.notifies()), 10)
        same((notification.channel, notification.payload), ("news", "hello"))
        await listener.execute("unlisten news")


async def cancel():
    async with await opened() as connection:
        asyncio.get_running_loop().call_later(0.5, connection.cancel)
        with raises("57014"):
            await connection.execute("select pg_sleep(15)")
        same(await one(connection, "select 1"), (1,))


async def savepoint():
    async with await opened() as connection:
        await connection.execute(f"create table {TABLES}_savepoint (n int primary key)")
        insert = f"insert into {TABLES}_savepoint values (%s)"
        async with connection.transaction():
            await connection.execute(insert, (1,))
            with raises("23505"):
                async with connection.transaction("inner"):
                    await connection.execute(insert, (2,))
                    await connection.execute(insert, (1,))
            await connection.execute(insert, (3,))
        rows = await connection.execute(f"select n from {TABLES}_savepoint order by n")
        same(await rows.fetchall(), [(1,), (3,)])


async def cursor():
    async with await opened() as connection, connection.transaction():
        async with connection.cursor(name="portions") as portions:
            portions.itersize = 100
            await portions.execute("select n from generate_series(1, 1000) n")
            same([n async for n, in portions], list(range(1, 1001)))


async def error():
    async with await opened() as connection:
        with raises("22012"):
            async with connection.transaction():
                with raises("22P02"):
                    await connection.execute("select %s::int", ("none",))
                with raises("25P02"):
                    await connection.execute("select 1")
                await connection.execute("rollback")
                await connection.execute("select 1 / %s", (0,))
        same(await one(connection, "select 1"), (1,))


main(connect, tls, prepared, batch, copy, notify, cancel, savepoint, cursor, error)
