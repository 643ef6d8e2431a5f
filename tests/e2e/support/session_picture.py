"""All that a client can find out about its session, so that two can be compared without naming what may differ."""
from . import messages as m
from .wire import WireClient, summaries

# Each of these is asked in a transaction of its own, so that the locks are those of the session and of the question.
# Names beginning with pgsluice_ are statements that docs/compatibility.md says a client may see.
QUESTIONS = {
    "settings": "show all",
    "identity": "select current_user, session_user, current_setting('role'), current_setting('is_superuser'),"
                " current_database()",
    "schemas": r"select regexp_replace(current_schemas(false)::text, 'pg_temp_\d+', 'pg_temp')",
    "locks": "select locktype, relation, classid, objid, objsubid, mode, granted from pg_locks"
             " where pid = pg_backend_pid() and locktype <> 'virtualxid' order by 1, 2, 3, 4, 5, 6",
    "cursors": "select name, statement, is_holdable, is_scrollable from pg_cursors order by 1",
    "prepared": r"select name, statement, from_sql from pg_prepared_statements"
                r" where name not like 'pgsluice\_%' order by 1",
    "channels": "select * from pg_listening_channels() order by 1",
    "temporary": "select relkind::text, relname::text from pg_class where relnamespace = pg_my_temp_schema()"
                 " union select 'function', proname from pg_proc where pronamespace = pg_my_temp_schema()"
                 " union select 'type', typname from pg_type where typnamespace = pg_my_temp_schema() order by 1, 2",
    "transaction": "select pg_current_xact_id_if_assigned() is null",
}


class Watched(WireClient):
    """A client whose `parameters` are what its last ParameterStatus of each name said, as drivers keep them."""

    def receive(self, timeout: float | None = None) -> m.Message:
        message = super().receive(timeout)
        if message.tag == "S":
            self.parameters.update([message.pair])
        return message


def answer(client, sql) -> list:
    """The rows of one query as text; anything but rows of a session at rest is a failure."""
    seen = client.query(sql)
    assert not [x for x in seen if x.tag == "E"] and seen[-1].status == "I", summaries(seen)
    return [[None if value is None else value.decode() for value in x.row] for x in seen if x.tag == "D"]


def picture(client: Watched) -> dict:
    """One flat dict; settings and reported parameters under names of their own, so that a difference is short."""
    seen = {question: answer(client, sql) for question, sql in QUESTIONS.items()}
    # Names with a dot are there once a library is loaded, which nothing undoes (docs/compatibility.md).
    settings = {name: value for name, value, _ in seen.pop("settings") if "." not in name}
    return {**seen, **{f"show {name}": value for name, value in settings.items()},
            **{f"reported {name}": value for name, value in client.parameters.items()}}


def differences(found: dict, expected: dict) -> dict:
    """What -> (found, expected), for all that is not the same in both."""
    return {key: (found.get(key), expected.get(key)) for key in sorted(found.keys() | expected.keys())
            if found.get(key) != expected.get(key)}


def without_names_of_the_protocol(seen: dict) -> dict:
    """A picture of a client that may have prepared by Parse: on a server that is shared its names are others."""
    return {**seen, "prepared": [row for row in seen["prepared"] if row[2] == "t"]}
