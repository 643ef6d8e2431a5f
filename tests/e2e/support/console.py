"""The console as its users see it."""
import psycopg

CONSOLE = {"console": {"users": ["app"], "stats_users": ["other"]}}


def connect(proxy, user="app", database="pgsluice", **options):
    host, port = proxy.address
    return psycopg.connect(host=host, port=port, user=user, password=f"{user}-secret", dbname=database, sslmode="disable", autocommit=True, **options)


def rows(connection, name):
    """The rows of a SHOW, each a dict of text."""
    cursor = connection.execute(f"SHOW {name}")
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def one(connection, table, **wanted):
    found = [row for row in rows(connection, table) if all(row[key] == value for key, value in wanted.items())]
    assert len(found) == 1, (table, wanted, rows(connection, table))
    return found[0]
