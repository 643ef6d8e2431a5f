"""Where sessions are compared: one daemon with a pool of each mode, PostgreSQL's own answers, and ways to leave."""
import functools
from collections.abc import Callable
from dataclasses import dataclass

from . import messages as m
from .proxy import Proxy, default_config
from .session_kinds import MODES, Kind
from .session_picture import Watched, picture
from .system import eventually

USERS = {"leaver": "leaver-secret", "postgres": ""}


class Stage:
    """One daemon with a route, and so a pool, for each mode and size, all of them into one database."""

    def __init__(self, postgres, folder):
        self.postgres = postgres
        self.routes = {f"{mode}-{size}": {"mode": mode, "size": size} for mode in MODES for size in (1, 2)}
        self.routes["ignore-1"] = {"mode": "transaction", "size": 1, "session_state": "ignore"}
        config = default_config(postgres, workers=1)
        config["auth"] = {"rules": [{"users": list(USERS), "method": "trust"}],
                          "users": [{"name": name, "password": word} for name, word in USERS.items() if word]}
        config["routes"] = [{"name": name, "match": {"databases": [name]}, "database": "leaks", "cluster": "main",
                             "pool": {**pool, "query_wait_timeout": "10s"}} for name, pool in self.routes.items()]
        self.proxy = Proxy(folder, config)

    def login(self, route, user="leaver", startup=None) -> Watched:
        client = Watched(self.postgres.address if route == "direct" else self.proxy.address)
        seen = client.start(user, "leaks" if route == "direct" else route, USERS[user], **(startup or {}))
        assert seen[-1].tag == "Z", [x.summary() for x in seen]
        return client

    def owner(self, route, kind: Kind) -> Watched:
        return self.login(route, kind.user, kind.startup)

    @functools.cache
    def fresh(self, kind: Kind) -> tuple:
        """What the kind's look and a picture say on a direct connection that has done nothing."""
        with self.login("direct", kind.user) as client:
            return kind.look(client), picture(client)

    @functools.cache
    def owned(self, kind: Kind) -> tuple:
        """The same where the kind was made; no picture in a transaction, nothing where it cannot be asked."""
        with self.owner("direct", kind) as client:
            kind.make(client)
            pid = client.pid
            seen = kind.look(client) if kind.askable else None, picture(client) if kind.at_rest else None
        eventually(lambda: pid not in self.postgres.backends(dbname="leaks"), 5, "the direct session to end")
        assert seen[0] != self.fresh(kind)[0], "what the look says would be the same without the kind"
        return seen

    def clients(self) -> float:
        return self.proxy.metrics().sum("pgsluice_clients")


# --- ways of leaving ---

def terminate(client):
    client.send(m.TERMINATE)
    client.close()


def close(client):
    client.close()


def reset(client):
    client.reset()


def sending(*parts, leave, pause=0.01):
    """Leaves behind bytes that are not answered; the pause lets them arrive, since a reset may outrun them."""
    def way(client):
        client.send(*parts)
        client.silent_for(pause)
        leave(client)
    return way


SLOW = m.query("select pg_sleep(20)")
UNREAD = m.query("select repeat('x', 1000) from generate_series(1, 4000)")
HALF_QUERY = SLOW[:-5]
HALF_BIND = m.parse("select length($1)") + m.bind(values=[b"x" * 600_000])[:300_000]
UNSYNCED = m.unnamed("select set_config('work_mem', '5MB', false)")


@dataclass(frozen=True, eq=False)
class Way:
    name: str
    leave: Callable
    waits: bool = True  # for the answers to what it made
    sends: str = ""  # query, batch or half: what it leaves unanswered
    keeps_server: bool = True


WAYS = (
    Way("terminate", terminate),
    Way("close", close),
    Way("reset", reset),
    Way("close with all unanswered", close, waits=False),
    Way("close with a query unanswered", sending(SLOW, leave=close), sends="query"),
    Way("reset with a result unread", sending(UNREAD, leave=reset), sends="query"),
    Way("reset in a batch", sending(UNSYNCED, m.FLUSH, leave=reset), sends="batch"),
    Way("close in a Query", sending(HALF_QUERY, leave=close), sends="half"),
    Way("reset in a Bind", sending(HALF_BIND, leave=reset), sends="half", keeps_server=False),
)


def can_leave(kind: Kind, way: Way) -> bool:
    """Not so where a Query would commit the batch before it: whether it gets so far is chance on both sides."""
    return not (kind.in_batch and way.sends == "query")
