"""What the Python programs share: the verdicts, comparisons that say what they saw, and the names of tables."""
import asyncio
import contextlib
import faulthandler
import inspect
import json
import os
import sys
import traceback

HANGS = 18  # seconds, a little before the harness gives the program up: its last words say where it was
STATEMENTS = 30  # transactions that one prepared statement is used in
ALTERED = 10  # times that a table is altered under a prepared statement
ROWS = 5000  # of a COPY: several messages and reads in each direction
TABLES = os.environ["TABLES"]
FOREIGN_CA = os.environ["FOREIGN_CA"]
WHO = (os.environ["PGUSER"], os.environ["PGDATABASE"], "drivers")
WHO_QUERY = "select current_user::text, current_database()::text, current_setting('application_name')"


class GaveUp(Exception):
    """Raised in the middle of a COPY, for the driver to end it by CopyFail."""


def main(*checks):
    """Runs those that the command line names. A check may return the pids of the servers that it has met."""
    known = {check.__name__: check for check in checks}
    for name in sys.argv[1:]:
        said = {"name": name, "ok": True, "detail": ""}
        faulthandler.dump_traceback_later(HANGS)
        try:
            met = known[name]()
            if inspect.iscoroutine(met):
                met = asyncio.run(met)
            if met is not None:
                said["servers"] = len(set(met))
        except Exception:
            said |= {"ok": False, "detail": traceback.format_exc()}
        print(json.dumps(said), flush=True)


def same(seen, expected):
    if seen != expected:
        raise AssertionError(f"saw {seen!r} instead of {expected!r}")


def sqlstate_of(error) -> str | None:
    error = getattr(error, "orig", error)  # SQLAlchemy wraps what the driver raised
    return getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)


@contextlib.contextmanager
def raises(sqlstate: str):
    try:
        yield
    except Exception as error:
        if sqlstate_of(error) != sqlstate:
            raise
    else:
        raise AssertionError(f"nothing was raised instead of {sqlstate}")


@contextlib.contextmanager
def says(words: str):
    """For errors that carry no SQLSTATE: those of a login that libpq reports."""
    try:
        yield
    except Exception as error:
        if words not in str(error):
            raise
    else:
        raise AssertionError(f"nothing was raised that says {words!r}")


def copied(rows: int = ROWS) -> list:
    """Rows with what COPY has to escape."""
    return [(n, f"row {n}\twith \\ and\nä" if n % 3 else None) for n in range(rows)]
