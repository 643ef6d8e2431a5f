"""asyncpg, which prepares every statement and closes it by its name."""
import asyncio
import contextlib
import ssl

import asyncpg
from report import ALTERED, FOREIGN_CA, ROWS, STATEMENTS, TABLES, WHO, WHO_QUERY, GaveUp, copied, main, raises, same


async def connect():
    connection = await asyncpg.connect(server_settings={"application_name": "drivers"})
    same(tuple(await connection.fetchrow(WHO_QUERY)), WHO)
    same(connection.get_server_version().major, 15)
    await connection.close()
    with raises("28P01"):
        await asyncpg.connect(password="wrong")


async def tls():
    connection = await asyncpg.connect(host="localhost", ssl="verify-full")
    same(connection._transport.get_extra_info("ssl_object") is not None, True)
    same(await connection.fetchval("select repeat('x', 100000)"), "x" * 100000)
    await connection.close()
    try:
        await asyncpg.connect(host="localhost", ssl=ssl.create_default_context(cafile=FOREIGN_CA))
    except ssl.SSLCertVerificationError:
        return
    raise AssertionError("a certificate of nobody known was taken")


async def prepared():
    """Through the driver's pool, which resets a connection between its users; its cache of statements overflows."""
    met = []
    async with asyncpg.create_pool(min_size=1, max_size=1, statement_cache_size=5) as pool:
        for n in range(STATEMENTS):
            async with pool.acquire() as connection:
                doubled, pid = await connection.fetchrow("select $1::int * 2, pg_backend_pid()", n)
                same(doubled, 2 * n)
                met.append(pid)
                same(await connection.fetchval(f"select $1::text || '{n % 7}'", "x"), f"x{n % 7}")
        async with pool.acquire() as connection:
            statement = await connection.prepare("select $1::int[]")
            for n in range(STATEMENTS):
                same(await statement.fetchval([n, n]), [n, n])
            await connection.execute(f"create table {TABLES}_prepared (n int primary key, t text)")
            rows = [(n, str(n)) for n in range(500)]
            await connection.executemany(f"insert into {TABLES}_prepared values ($1, $2)", rows)
            same(await connection.fetchval(f"select sum(t::int) from {TABLES}_prepared"), 124750)
    return met


async def copy():
    connection = await asyncpg.connect()
    table = f"{TABLES}_copy"
    await connection.execute(f"create table {table} (n int, t text)")
    same(await connection.copy_records_to_table(table, records=copied()), f"COPY {ROWS}")
    text = bytearray()

    async def take(data):
        text.extend(data)

    same(await connection.copy_from_query(f"select n from {table} order by n", output=take), f"COPY {ROWS}")
    same(bytes(text), b"".join(b"%d\n" % n for n in range(ROWS)))
    with raises("22P02"):
        await connection.copy_to_table(table, source=wrong_data())
    with contextlib.suppress(GaveUp):
        await connection.copy_to_table(table, source=data_that_ends_halfway())
    same([tuple(row) for row in await connection.fetch(f"select * from {table} order by n")], copied())
    await connection.close()


async def wrong_data():
    yield b"none\tx\n"


async def data_that_ends_halfway():
    yield b"1\tnever kept\n"
    raise GaveUp


async def notify():
    listener, notifier = await asyncpg.connect(), await asyncpg.connect()
    heard: asyncio.Queue = asyncio.Queue()

    def hear(_connection, _pid, channel, payload):
        heard.put_nowait((channel, payload))

    await listener.add_listener("news", hear)
    for payload in ("hello", "again"):
        await notifier.execute("select pg_notify('news', $1)", payload)
        same(await asyncio.wait_for(heard.get(), 10), ("news", payload))
    await listener.remove_listener("news", hear)
    await listener.close()
    await notifier.close()


async def cancel():
    """A timeout makes the driver ask for the cancel and wait for the query's error."""
    connection = await asyncpg.connect()
    for _ in range(2):
        try:
            await connection.fetch("select pg_sleep(15)", timeout=0.5)
        except asyncio.TimeoutError:
            pass
        else:
            raise AssertionError("the query was not cancelled")
        same(await connection.fetchval("select 1", timeout=5), 1)
    await connection.close()


async def savepoint():
    connection = await asyncpg.connect()
    await connection.execute(f"create table {TABLES}_savepoint (n int primary key)")
    insert = f"insert into {TABLES}_savepoint values ($1)"
    async with connection.transaction():
        await connection.execute(insert, 1)
        with raises("23505"):
            async with connection.transaction():
                await connection.execute(insert, 2)
                await connection.execute(insert, 1)
        await connection.execute(insert, 3)
    same([n for n, in await connection.fetch(f"select n from {TABLES}_savepoint order by n")], [1, 3])
    await connection.close()


async def cursor():
    """A portal that Execute asks for rows a portion at a time."""
    connection = await asyncpg.connect()
    async with connection.transaction():
        seen = []
        async for n, in connection.cursor("select n from generate_series(1, $1) n", 1000, prefetch=100):
            seen.append(n)
            if n % 150 == 0:
                same(await connection.fetchval("select 'between'"), "between")
        same(seen, list(range(1, 1001)))
        portions = await connection.cursor("select n from generate_series(1, 1000) n")
        await portions.forward(500)
        same((await portions.fetchrow())["n"], 501)
    await connection.close()


async def altered():
    """A plan that is outdated makes the driver prepare anew, which nobody sees outside a transaction."""
    connection, owner = await asyncpg.connect(), await asyncpg.connect()
    table = f"{TABLES}_altered"
    await owner.execute(f"create table {table} (n int, m int)")
    for n in range(ALTERED):
        same(await connection.execute(f"insert into {table} values ($1, $1)", n), "INSERT 0 1")
        same(tuple(await connection.fetchrow(f"select * from {table} where n = $1", n))[:2], (n, n))
        kind = "bigint" if n % 2 == 0 else "int"
        await owner.execute(f"alter table {table} alter n type {kind}, alter m type {kind}, add c{n} text")
    same(await connection.fetchval(f"select sum(n + m) from {table}"), ALTERED * (ALTERED - 1))
    await connection.close()
    await owner.close()


async def error():
    connection = await asyncpg.connect()
    transaction = connection.transaction(isolation="serializable")
    await transaction.start()
    with raises("22012"):
        await connection.fetchval("select 1 / $1::int", 0)
    with raises("25P02"):
        await connection.fetchval("select 1")
    await transaction.rollback()
    with raises("42P01"):
        await connection.fetch("select * from nothing")
    same(await connection.fetchval("select 1"), 1)
    await connection.close()


main(connect, tls, prepared, copy, notify, cancel, savepoint, cursor, altered, error)
