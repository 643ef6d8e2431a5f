"""Other clients of the same pool. They hold its servers for moments that nobody foresees, so that a driver's next
transaction runs where its last one did not."""
import contextlib
import random
import threading

import psycopg

CLIENTS = 2  # as many as the pool has servers: a driver always meets one that has served somebody else


@contextlib.contextmanager
def unrest(dsn: dict):
    over = threading.Event()
    troubles: list = []
    threads = [threading.Thread(target=_keep_busy, args=(dsn, over, troubles)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(30)
    assert not troubles, troubles


def _keep_busy(dsn: dict, over: threading.Event, troubles: list):
    try:
        with psycopg.connect(**dsn, autocommit=True) as connection:
            while not over.is_set():
                held = random.uniform(0.001, 0.005)
                connection.execute(f"begin; select pg_sleep({held}); commit")
    except psycopg.Error as trouble:
        troubles.append(trouble)
