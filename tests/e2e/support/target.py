"""One face for PostgreSQL and for pgsluice in front of it, so that the same test runs against both."""
from .postgres import PASSWORDS
from .reachable import Reachable
from .wire import WireClient


class Target(Reachable):
    direct: bool

    def __init__(self, postgres, address):
        self.postgres = postgres
        self.address = address

    def open(self, **options) -> WireClient:
        """A connection on which nothing was sent yet."""
        return WireClient(self.address, **options)

    def login(self, user="app", database="app", password=None, **parameters) -> WireClient:
        """A raw connection past its first ReadyForQuery."""
        client = WireClient(self.address)
        seen = client.start(user, database, password or PASSWORDS.get(user), **parameters)
        assert seen[-1].tag == "Z", [message.summary() for message in seen]
        return client

    def environment(self, **changes) -> dict:
        """For psql, pgbench, pg_dump."""
        dsn = self.dsn(**changes)
        return {"PGHOST": dsn["host"], "PGPORT": str(dsn["port"]), "PGUSER": dsn["user"], "PGPASSWORD": dsn["password"],
                "PGDATABASE": dsn["dbname"], "PGSSLMODE": dsn["sslmode"], "PATH": "/usr/bin:/bin"}


class DirectTarget(Target):
    direct = True

    def __init__(self, postgres):
        super().__init__(postgres, postgres.address)
        # Debian's PostgreSQL takes GSSAPI encryption on TCP; pgsluice never does.
        self.address_without_gss = postgres.socket_path


class ProxyTarget(Target):
    direct = False

    def __init__(self, proxy, postgres):
        super().__init__(postgres, proxy.address)
        self.address_without_gss = proxy.address
        self.proxy = proxy
