"""The kinds of state that a session can have: how a client comes by each, and what shows it."""
from collections.abc import Callable
from dataclasses import dataclass, field

from . import messages as m
from .wire import summaries

MODES = ("session", "transaction", "statement")
NOT_STATEMENT = ("session", "transaction")

# What every test finds: tables of one name in three schemas, and defaults by role, by database, and by both.
WORLD = (
    "select pg_replication_origin_create('leaks')",
    "create schema own authorization leaver", "create schema elsewhere authorization leaver",
    "create table own.t as select 'own' as a", "create table elsewhere.t as select 'elsewhere' as a",
    "create table public.t as select 'public' as a", "create table public.target (a int)",
    "grant all on all tables in schema public, own, elsewhere to leaver, worn",
    "grant usage on schema own, elsewhere to worn",
    "alter role leaver set work_mem = '9MB'", "alter role leaver set app.region = 'north'",
    "alter database leaks set lock_timeout = '33s'",
    "alter role leaver in database leaks set search_path = own, public",
)


@dataclass(frozen=True)
class Step:
    """Bytes, the message that ends their answer if they have one, and whether an error is part of it."""
    data: bytes
    until: str = "Z"
    fails: bool = False


@dataclass(frozen=True, eq=False)
class Kind:
    name: str
    steps: tuple
    look: Callable
    modes: tuple = MODES
    user: str = "leaver"
    startup: dict = field(default_factory=dict)
    carried: bool = False  # follows its client to another server; everything else keeps the client where it is
    at_rest: bool = True  # outside of a transaction, so that a picture can be taken
    askable: bool = True  # in a state in which the owner itself can be asked
    in_batch: bool = False  # in the transaction that a Sync would commit
    copies: bool = False  # inside of COPY FROM STDIN, where another message may cost the server
    left_by_ignore: bool = True  # found by the next client where session_state: ignore leaves things as they are

    def make(self, client, wait: bool = True):
        for step in self.steps:
            client.send(step.data)
            if wait and step.until:
                seen = client.receive_until(step.until)
                assert step.fails == any(x.tag == "E" for x in seen), (self.name, summaries(seen))


# --- looks: what a client asks, and its answer as text ---

def rows(sql):
    return lambda client: summaries(client.query(sql), ignore="TNS")


def runs(name):
    """Whether a statement of this name is there, and what it says."""
    def look(client):
        client.send(m.bind(name), m.execute(), m.SYNC)
        return summaries(client.until_ready(), ignore="NS")
    return look


def status(client):
    """The transaction's state and what is in the table; a failed transaction tells its state only."""
    seen = client.query("select count(*) from target")
    return summaries(seen, ignore="TNS")


# --- steps ---

def q(*statements, fails=False):
    return tuple(Step(m.query(sql), fails=fails) for sql in statements)


def extended(*parts, until="Z"):
    return (Step(b"".join(parts), until),)


def carried(name, steps, look, **more):
    return Kind(name, steps, look, carried=True, **more)


def in_transaction(name, steps, look=status, modes=NOT_STATEMENT, **more):
    return Kind(name, steps, look, modes=modes, at_rest=False, left_by_ignore=False, **more)


TENANT = rows("select coalesce(current_setting('app.tenant', true), '')")
REPORTED = {"timezone": "Asia/Tokyo", "datestyle": "German, DMY", "intervalstyle": "iso_8601",
            "application_name": "owner", "client_encoding": "LATIN1", "standard_conforming_strings": "off"}
# By the catalogue: what a name in pg_temp answers also says whether the server has ever had that schema.
TEMPORARY = rows("select proname from pg_proc where pronamespace = pg_my_temp_schema()"
                 " union select typname from pg_type where typnamespace = pg_my_temp_schema() and typelem = 0")
AMBIGUOUS = rows("select a from t")
WHO = rows("select current_user, session_user")
WORK_MEM = rows("show work_mem")
ADVISORY = rows("select count(*), min(mode), max(objid), max(objsubid) from pg_locks"
                " where locktype = 'advisory' and pid = pg_backend_pid()")
CURSORS = rows("select string_agg(name, ',') from pg_cursors")
CHANNELS = rows("select string_agg(c, ',' order by c) from pg_listening_channels() c")
BY_SQL = rows("execute p")

SETTINGS = (
    carried("set", q("set work_mem = '7MB'"), WORK_MEM),
    carried("set session", q("set session statement_timeout = '50s'"), rows("show statement_timeout")),
    carried("set_config", q("select set_config('lock_timeout', '9s', false)"), rows("show lock_timeout")),
    carried("set_config by Bind", extended(m.parse("select set_config($1, $2, false)"),
                                           m.bind(values=["work_mem", "7MB"]), m.execute(), m.SYNC), WORK_MEM),
    carried("set in a transaction", q("begin; set work_mem = '7MB'; commit"), WORK_MEM),
    carried("set by do", q("do $$ begin perform set_config('work_mem', '7MB', false); end $$"), WORK_MEM),
    carried("many settings", q("set enable_seqscan = off; set jit = off; set geqo_threshold = 7",
                               "set bytea_output = 'escape'; set extra_float_digits = 0; set row_security = off",
                               "set default_text_search_config = 'simple'; set xmloption = document"),
            rows("select current_setting('enable_seqscan') || current_setting('xmloption')")),
    carried("update of pg_settings", q("update pg_settings set setting = '7MB' where name = 'work_mem'"), WORK_MEM),
    carried("characteristics", q("set session characteristics as transaction isolation level serializable, read only"),
            rows("show transaction_isolation")),
    carried("over a role's default", q("set work_mem = '7MB'", "reset work_mem", "set work_mem = '6MB'"), WORK_MEM),
    carried("over a database's default", q("set lock_timeout to 0"), rows("show lock_timeout")),
    carried("custom", q("set app.tenant = 'acme'"), TENANT),
    carried("custom over a role's default", q("set app.region = 'south'"), rows("show app.region")),
    carried("reported",
            q(*(f"set {name} to {value if ',' in value else repr(value)}" for name, value in REPORTED.items())),
            rows("show timezone"), left_by_ignore=False),
    carried("startup parameters", (), WORK_MEM, startup={"work_mem": "7MB", **REPORTED}, left_by_ignore=False),
    carried("options", (), TENANT, left_by_ignore=False,
            startup={"options": "-c work_mem=7MB -c app.tenant=acme -c search_path=elsewhere --jit=off"}),
    carried("set over a startup parameter", q("set work_mem = '6MB'", "set timezone = 'CET'"), WORK_MEM,
            startup={"work_mem": "7MB", "timezone": "Asia/Tokyo"}, left_by_ignore=False),
    carried("search_path", q("set search_path = elsewhere, public"), AMBIGUOUS),
    carried("search_path at startup", (), AMBIGUOUS, startup={"search_path": "elsewhere"}, left_by_ignore=False),
)

RIGHTS = (
    carried("role", q("set role worn"), WHO),
    carried("role by set_config", q("select set_config('role', 'worn', false)"), WHO),
    carried("session authorization", q("set session authorization leaver"), WHO, user="postgres"),
    carried("session authorization and role", q("set session authorization leaver", "set role worn"), WHO,
            user="postgres"),
)

OBJECTS = (
    Kind("temporary table", q("create temp table t as select 'temporary' as a"), AMBIGUOUS),
    Kind("temporary table by select into", q("select 'temporary' as a into temp t"), AMBIGUOUS),
    Kind("temporary table emptied at commit", q("create temp table t (a text) on commit delete rows"), AMBIGUOUS),
    Kind("temporary table by search_path", q("set search_path = pg_temp, own",
                                             "create table t as select 'temporary' as a"), AMBIGUOUS),
    Kind("temporary view", q("create temp view t as select 'temporary' as a"), AMBIGUOUS),
    Kind("temporary sequence", q("create temp sequence numbers start 42"), rows("select last_value from numbers")),
    Kind("temporary function", q("create function pg_temp.f() returns int language sql as 'select 42'"), TEMPORARY),
    Kind("temporary type", q("create type pg_temp.mood as enum ('glad')"), TEMPORARY),
    Kind("cursor with hold", q("declare c cursor with hold for select 42"), CURSORS),
    Kind("cursor with hold of a transaction",
         q("begin; declare c scroll cursor with hold for select 42; commit"), CURSORS),
    Kind("advisory lock", q("select pg_advisory_lock(7)"), ADVISORY),
    Kind("advisory lock, shared", q("select pg_advisory_lock_shared(7)"), ADVISORY),
    Kind("advisory lock of two keys", q("select pg_advisory_lock(7, 8)"), ADVISORY),
    Kind("advisory lock, taken three times", q(*["select pg_advisory_lock(7)"] * 3), ADVISORY),
    Kind("listen", q("listen news", "listen more"), CHANNELS),
    Kind("prepare", q("prepare p as select 42"), BY_SQL),
    Kind("prepare in a transaction", q("begin; prepare p as select 42; commit"), BY_SQL),
)

STATEMENTS = (
    carried("named statement", extended(m.parse("select 42", "s"), m.SYNC), runs("s"), left_by_ignore=False),
    carried("unnamed statement", extended(m.parse("select 42"), m.SYNC), runs(""), left_by_ignore=False),
)

TRANSACTIONS = (
    in_transaction("transaction", q("begin", "insert into target values (1)")),
    in_transaction("failed transaction", q("begin", "insert into target values (1)") + q("select 1/0", fails=True)),
    in_transaction("savepoint", q("begin", "savepoint s", "insert into target values (1)")),
    in_transaction("read-only transaction", q("begin isolation level serializable read only"),
                   rows("show transaction_read_only")),
    in_transaction("set in an open transaction", q("begin", "set work_mem = '7MB'", "set role worn"), WORK_MEM),
    in_transaction("listen in an open transaction", q("begin", "listen news", "notify news"), CHANNELS),
    in_transaction("portal", q("begin") + extended(m.parse("select generate_series(1, 9)"), m.bind(portal="c"),
                                                   m.execute("c", 1), m.SYNC), CURSORS),
    in_transaction("batch without a Sync", extended(m.unnamed("insert into target values (1)"), m.FLUSH, until="C"),
                   modes=MODES, askable=False, in_batch=True),
    in_transaction("batch without a Flush", (Step(m.unnamed("insert into target values (1)"), ""),),
                   modes=MODES, askable=False, in_batch=True),
    in_transaction("failed batch without a Sync", (Step(m.unnamed("select 1/0") + m.FLUSH, "E", fails=True),),
                   modes=MODES, askable=False, in_batch=True),
    in_transaction("copy from stdin", (Step(m.query("copy target from stdin"), "G"), Step(m.copy_data(b"1\n"), "")),
                   modes=MODES, askable=False, copies=True),
)

# What only the end of the server's connection undoes.
LEFT_BY_DISCARD_ALL = (
    Kind("temporary schema", q("create temp table brief (a int)", "drop table brief"),
         rows("select pg_my_temp_schema() <> 0")),
    Kind("temporary replication slot", q("select pg_create_physical_replication_slot('brief', true, true)"),
         rows("select count(*) from pg_replication_slots where active_pid = pg_backend_pid()"), user="postgres"),
    Kind("replication origin", q("select pg_replication_origin_session_setup('leaks')"),
         rows("select pg_replication_origin_session_is_setup()"), user="postgres"),
)

KINDS = SETTINGS + RIGHTS + OBJECTS + STATEMENTS + TRANSACTIONS
