"""Which drivers there are, how each becomes a command, and which checks each leaves out with what reason."""
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import builds

CHECKS = ("connect", "tls", "prepared", "batch", "copy", "notify", "cancel", "large_object", "savepoint", "cursor",
          "altered", "error")
WAYS = ("direct", "session", "transaction")


@dataclass(frozen=True)
class Driver:
    name: str
    command: Callable[[Path], list]  # builds the program below a folder, and says how it is started
    lacks: dict = field(default_factory=dict)  # check: the reason why it is left out

    @property
    def checks(self) -> tuple:
        return tuple(check for check in CHECKS if check not in self.lacks)


NO_LARGE_OBJECTS = "it has no large objects"
THE_DRIVERS_OWN = "SQLAlchemy adds nothing to the driver below, which is checked itself"
IN_FRONT_OF_THE_PIPELINE = "the pipeline begins behind it"
NOT_IN_A_PIPELINE = "not to be had inside its pipeline"
NOT_ANEW = "it prepares nothing anew by itself"

DRIVERS = (
    Driver("libpq", builds.libpq, {"altered": NOT_ANEW}),
    Driver("psycopg", builds.python("psycopg_sync.py"), {"large_object": NO_LARGE_OBJECTS, "altered": NOT_ANEW}),
    Driver("psycopg_async", builds.python("psycopg_async.py"),
           {"large_object": NO_LARGE_OBJECTS, "altered": NOT_ANEW}),
    Driver("psycopg_pipeline", builds.python("psycopg_pipeline.py"),
           {"connect": IN_FRONT_OF_THE_PIPELINE, "tls": IN_FRONT_OF_THE_PIPELINE, "copy": NOT_IN_A_PIPELINE,
            "large_object": NO_LARGE_OBJECTS, "cursor": NOT_IN_A_PIPELINE,
            "altered": NOT_ANEW}),
    Driver("asyncpg", builds.python("asyncpg_checks.py"),
           {"batch": "executemany() is all that it pipelines: part of `prepared`", "large_object": NO_LARGE_OBJECTS}),
    Driver("pgjdbc", builds.java),
    Driver("pgx", builds.go, {"cursor": "it has no cursors"}),
    Driver("node_postgres", builds.node, {"large_object": NO_LARGE_OBJECTS, "altered": NOT_ANEW}),
    Driver("sqlalchemy_psycopg2", builds.python("sqlalchemy_psycopg2.py"),
           {"prepared": "psycopg2 prepares nothing", "batch": "psycopg2 has no pipeline",
            "altered": "psycopg2 prepares nothing"}),
    Driver("sqlalchemy_asyncpg", builds.python("sqlalchemy_asyncpg.py"),
           {"batch": "SQLAlchemy waits for each answer", "copy": THE_DRIVERS_OWN, "notify": THE_DRIVERS_OWN,
            "large_object": NO_LARGE_OBJECTS, "altered": THE_DRIVERS_OWN}),
)
