"""The recipes of docs/policy.md, as they stand there."""
import re
import subprocess
from pathlib import Path

import psycopg
import pytest
import yaml

from support import messages as m
from support.proxy import login

PAGE = Path(__file__).parents[2] / "docs/policy.md"
RECIPE = re.compile(r"^### (.+?)\n.*?```yaml\n(.*?)```\n```sql\n(.*?)```", re.S | re.M)
LINE = re.compile(r"^(.*?);\s+-- (blocked|passes)$")


def recipes():
    text = PAGE.read_text().split("\n## Recipes\n")[1].split("\n## ")[0]
    return [pytest.param(yaml.safe_load(rules), statements, id=title) for title, rules, statements in RECIPE.findall(text)]


@pytest.fixture
def shop(postgres):
    for statement in ("create table if not exists orders (id int, state text, note text)",
                      "create table if not exists customers (name text, card_number text)"):
        postgres.execute(statement, dbname="app")
    yield postgres
    for table in ("orders", "customers"):
        postgres.execute(f"drop table {table}", dbname="app")


@pytest.mark.parametrize("rules, statements", recipes())
def test_recipe_does_what_it_says(sluice, shop, rules, statements):
    lines = statements.strip().splitlines()
    with login(sluice(**rules)) as client:
        for line in lines:
            sql, expected = LINE.match(line).groups()
            by_query = client.query(sql)
            client.send(m.unnamed(sql), m.SYNC)
            by_parse = client.until_ready()
            for reply in (by_query, by_parse):
                is_blocked = any(message.tag == "E" and message.fields.get("R") == "pgsluice" for message in reply)
                assert is_blocked == (expected == "blocked"), (sql, reply)


def test_every_recipe_is_found():
    assert len(recipes()) == PAGE.read_text().count("\n### ") - 1  # all but "Text that cannot be parsed"


def test_the_read_only_route_bears_what_drivers_send_beside_queries(sluice, shop):
    rules = next(each.values[0] for each in recipes() if each.id == "A read-only route")
    proxy = sluice(**rules)
    with psycopg.connect(**proxy.dsn()) as connection:
        for number in range(7):  # prepared at the fifth; ROLLBACK deallocates what there is
            assert connection.execute("select %s::int", (number,)).fetchone() == (number,)
        connection.rollback()
        with connection.cursor("named") as cursor:
            cursor.execute("select generate_series(1, 3)")
            assert cursor.fetchall() == [(1,), (2,), (3,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("insert into orders values (1, 'new', 'x')")
        connection.rollback()
        for text in ("", ";", "-- ping", "abort", "reset all", "set session authorization default", "close all", "unlisten *", "deallocate all"):
            connection.execute(text)


def is_ours(told) -> bool:
    """PostgreSQL names a function of its own where it reports an error."""
    return re.search(r"^LOCATION:  pgsluice\b", told, re.M) is not None


@pytest.mark.parametrize("rules, statements", recipes())
def test_recipe_does_so_by_psql_and_psycopg(sluice, shop, rules, statements):
    proxy = sluice(**rules)
    with psycopg.connect(**proxy.dsn(), autocommit=True) as connection:
        for line in statements.strip().splitlines():
            sql, expected = LINE.match(line).groups()
            told = subprocess.run(["psql", "-X", "-v", "VERBOSITY=verbose", "-d", psycopg.conninfo.make_conninfo(**proxy.dsn()), "-c", sql], stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=20, check=False).stderr
            assert is_ours(told) == (expected == "blocked"), (sql, told)
            try:
                connection.execute(sql.replace("%", "%%"))
                is_blocked = False
            except psycopg.Error as error:
                is_blocked = error.diag.source_function == "pgsluice"
            assert is_blocked == (expected == "blocked"), sql
