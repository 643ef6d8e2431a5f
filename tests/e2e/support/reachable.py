"""What clients reach at an address, and by which words."""
import psycopg


class Reachable:
    address: tuple

    def dsn(self, **changes) -> dict:
        host, port = self.address
        return {"host": host, "port": port, "dbname": "app", "user": "app", "password": "app-secret", "sslmode": "disable",
                "connect_timeout": 10, **changes}

    def connect(self, autocommit=True, **changes) -> psycopg.Connection:
        return psycopg.connect(**self.dsn(**changes), autocommit=autocommit)
