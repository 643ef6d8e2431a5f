"""Random sessions over every message type. A seed is a session: the same everywhere and always."""
import random

from session import Session, Step
from support import messages as m

INT4, TEXT = 23, 25


class Generator:
    """Names and keys carry the seed, so that sessions which run at the same time never meet. `table` (a int primary key,
    b text) belongs to this lane and is emptied first."""

    def __init__(self, seed: int, table: str):
        self.seed = seed
        self.choose = random.Random(seed)
        self.table = table
        self.channel = f"channel_{seed}"
        self.statements = ["", "s1", "s2", "S 3"]
        self.portals = ["", "p1", "p2"]

    def session(self) -> Session:
        # Inside a transaction RESET means the value of the server's login: docs/compatibility.md.
        self.parameters = self.startup()
        steps = [Step(m.query(f"truncate {self.table}"), words=f"truncate {self.table}")]
        for _ in range(self.choose.randint(1, 14)):
            steps.append(self.step())
        is_ended = self.choose.random() < 0.05
        if is_ended:
            steps.append(self.last())
        pace = self.choose.choice(("steps", "steps", "at once", "cut"))
        return Session(f"seed {self.seed}", steps, self.parameters, pace, self.seed, is_ended)

    def startup(self) -> dict:
        return self.choose.choice(({}, {}, {}, {"application_name": "oracle"}, {"client_encoding": "LATIN1"}, {"DateStyle": "German"}))

    def step(self) -> Step:
        kinds = ((30, self.simple), (30, self.batch), (6, self.copy_in), (4, self.extended_copy_in), (3, self.several), (4, self.flushed),
                 (2, self.function_call), (2, self.out_of_place), (1, self.malformed), (3, self.deallocate))
        return self.choose.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])[0]()

    # --- texts ---

    def sql(self) -> str:
        pick = self.choose.choice
        key, number = self.choose.randint(1, 5), self.choose.randint(0, 9)
        return pick((
            self.transaction, self.transaction, self.transaction, self.setting, self.setting, self.local_state, self.failing,
            lambda: f"select {number} as n, 'x' as t, null as nothing",
            lambda: f"select n, t from numbers where n <= {number} order by n",
            lambda: f"insert into {self.table} values ({key}, 'b{number}')",
            lambda: f"insert into {self.table} values ({key}, 'b{number}') on conflict do nothing returning a",
            lambda: f"update {self.table} set b = 'u{number}' where a = {key}",
            lambda: f"delete from {self.table} where a = {key}",
            lambda: f"select a, b from {self.table} order by a",
            lambda: f"copy (select * from numbers where n < {number} order by n) to stdout",
            lambda: "select '1.2.2003'::date, 'a\\b', interval '-1 2:00', 'ä'",
            lambda: pick(("", " ", ";", "-- nothing", "/* nothing */")),
            lambda: f"values (1), ({number})",
        ))()

    def transaction(self) -> str:
        return self.choose.choice(("begin", "begin", "begin isolation level serializable", "commit", "commit", "rollback", "end", "abort",
                                   "savepoint one", "savepoint one", "rollback to one", "release one", "commit and chain", "start transaction read only"))

    def setting(self) -> str:
        name, values = self.choose.choice((
            ("work_mem", ("'1MB'", "'2MB'", "'-1'")), ("datestyle", ("'German'", "'ISO, DMY'", "'nonsense'")), ("timezone", ("'UTC'", "'Etc/GMT+5'")),
            ("application_name", ("'me'", "''")), ("intervalstyle", ("sql_standard", "postgres")), ("client_encoding", ("LATIN1", "UTF8", "'KLINGON'")),
            ("standard_conforming_strings", ("on", "off")), ("bytea_output", ("escape", "hex")), ("extra_float_digits", ("0", "3")),
            ("search_path", ("pg_catalog, public", "public", "''")), ("statement_timeout", ("'20s'", "'30s'")), ("row_security", ("off", "on")),
            ("default_transaction_read_only", ("on", "off")), ("client_min_messages", ("warning", "error")), ("nonsense", ("1",)),
            ("app.one", ("'a'", "''")), ("app.two", ("'b'",)), ("session_authorization", ("app", "'postgres'")), ("role", ("other", "none", "postgres"))))
        value = self.choose.choice(values)
        shown = value if value.startswith("'") else f"'{value}'"
        resets = () if self.parameters else (lambda: f"reset {name}", lambda: f"set {name} to default", lambda: "reset all", lambda: "discard all")
        return self.choose.choice((
            *resets, lambda: f"set {name} = {value}", lambda: f"set session {name} to {value}", lambda: f"set local {name} = {value}",
            lambda: f"show {name}", lambda: f"show {name}", lambda: f"select current_setting('{name}')", lambda: f"select set_config('{name}', {shown}, false)",
            lambda: f"select set_config('{name}', {shown}, true)",
            lambda: f"do $$ begin perform set_config('{name}', {shown}, false); end $$",
            lambda: "select current_user, session_user"))()

    def local_state(self) -> str:
        return self.choose.choice((
            f"listen {self.channel}", f"unlisten {self.channel}", "unlisten *", f"notify {self.channel}, 'hello'",
            f"create temp table mine (a int) on commit {self.choose.choice(('drop', 'delete rows', 'preserve rows'))}", "create temp table mine as select 1 as a",
            "drop table mine", "insert into mine values (7)", "select count(*) from mine", "discard temp", "discard plans",
            f"select pg_try_advisory_lock({self.seed})", f"select pg_advisory_unlock({self.seed})", "select pg_advisory_unlock_all()",
            f"select pg_advisory_xact_lock({self.seed})",
            "declare held cursor with hold for select n from numbers order by n", "declare open cursor for select n from numbers order by n", "fetch 2 from held",
            "fetch 2 from open", "move 3 in open", "close held", "close open", "close all",
            *self.named(), *self.named(), "deallocate own", "deallocate all"))

    def failing(self) -> str:
        return self.choose.choice((
            "select 1/0", "selec", "select * from missing", "select 'x'::int", "insert into numbers values (1, 'twice')", "select missing()",
            "do $$ begin raise notice 'a word'; end $$", "do $$ begin raise exception using errcode = 'PG001', message = 'own', detail = 'd', hint = 'h'; end $$",
            "do $$ begin raise warning 'careful'; end $$", "create table missing.t ()", "select \x01", "select 'open"))

    # --- messages ---

    def simple(self) -> Step:
        sql = self.sql()
        return Step(m.query(sql), words=f"Q {sql}")

    def named(self) -> tuple:
        """SQL about prepared statements, by names that Parse messages give too."""
        name = self.choose.choice(("own", "s1", "s2", '"S 3"'))
        return f"prepare {name} as select 1", f"prepare {name} (int) as select $1 + 1", f"execute {name}", f"execute {name} (3)"

    def deallocate(self) -> Step:
        """By SQL, of a name that may be one of the protocol's."""
        sql = self.choose.choice(("deallocate s1", "DEALLOCATE PREPARE s2;", 'deallocate "S 3"', "deallocate own", "deallocate s3"))
        way = self.choose.random()
        if way < 0.4:
            return Step(m.query(sql), words=f"Q {sql}")
        if way < 0.7:
            name = self.name()
            return Step(m.parse(sql, name=name) + m.bind(statement=name) + m.execute() + m.SYNC, words=f"P B E '{name}' {sql}, S")
        return Step(m.unnamed(sql) + m.SYNC, words=f"P B D E '' {sql}, S")

    def several(self) -> Step:
        sql = "; ".join(self.sql() for _ in range(self.choose.randint(2, 4)))
        return Step(m.query(sql), words=f"Q {sql}")

    def messages(self) -> tuple:
        """Some of a batch, without its Sync."""
        data, words = b"", []
        for _ in range(self.choose.randint(1, 5)):
            more, word = self.choose.choice((self.whole, self.whole, self.parse, self.bind, self.describe, self.execute, self.close))()
            data += more
            words.append(word)
        return data, words

    def batch(self) -> Step:
        data, words = self.messages()
        return Step(data + m.SYNC, words=", ".join([*words, "S"]))

    def whole(self) -> tuple:
        name, portal = self.name(), self.choose.choice(self.portals)
        if self.choose.random() < 0.4:
            number = self.choose.randint(0, 9)
            sql, values, types = self.choose.choice((
                ("select $1::int + 1", [number], ()), ("select n from numbers where n < $1 order by n", [number], (INT4,)),
                ("select $1::text", [None], ()), (f"insert into {self.table} values ($1, $2)", [number, "p"], ()),
                ("select set_config($1, $2, false)", ["work_mem", f"{number + 1}MB"], ()), ("select $1", ["t"], (TEXT,))))
        else:
            sql, values, types = self.sql(), (), ()
        parts = [m.parse(sql, name, types), m.describe_statement(name) if self.choose.random() < 0.3 else b"", m.bind(name, portal, values),
                 m.describe_portal(portal) if self.choose.random() < 0.5 else b"", m.execute(portal, self.choose.choice((0, 0, 0, 1, 3)))]
        return b"".join(parts), f"P B E {name!r} {portal!r} {sql} {values}"

    def name(self) -> str:
        return self.choose.choice(self.statements)

    def parse(self) -> tuple:
        name, sql = self.name(), self.sql()
        return m.parse(sql, name), f"P {name!r} {sql}"

    def bind(self) -> tuple:
        name, portal = self.name(), self.choose.choice(self.portals)
        values = self.choose.choice(((), (), ("1",), (None, "2")))
        formats = self.choose.choice(((), (), (), (1,), (0, 7)))
        return m.bind(name, portal, values, result_formats=formats), f"B {name!r} {portal!r} {values} {formats}"

    def describe(self) -> tuple:
        name, portal = self.name(), self.choose.choice(self.portals)
        return self.choose.choice(((m.describe_statement(name), f"D S {name!r}"), (m.describe_portal(portal), f"D P {portal!r}")))

    def execute(self) -> tuple:
        # Not the unnamed one: where a simple query has left it in a transaction that failed, PostgreSQL 15 crashes.
        portal, limit = self.choose.choice(self.portals[1:]), self.choose.choice((0, 0, 1, 2))
        return m.execute(portal, limit), f"E {portal!r} {limit}"

    def close(self) -> tuple:
        name, portal = self.name(), self.choose.choice(self.portals)
        return self.choose.choice(((m.close_statement(name), f"C S {name!r}"), (m.close_portal(portal), f"C P {portal!r}")))

    def copy_in(self) -> Step:
        data, words = self.copied()
        return Step(m.query(f"copy {self.table} from stdin") + data, words=f"Q copy from, {words}")

    def extended_copy_in(self) -> Step:
        data, words = self.copied()
        before, more = self.messages() if self.choose.random() < 0.3 else (b"", [])
        return Step(before + m.parse(f"copy {self.table} from stdin") + m.bind() + m.execute() + data + m.SYNC, words=", ".join([*more, "P B E copy from", words, "S"]))

    def copied(self) -> tuple:
        rows = [self.choose.choice((b"1\tone\n", b"2\ttwo\n3\tthree\n", b"4\tfo", b"wrong\n", b"7\t\\N\n", b"")) for _ in range(self.choose.randint(0, 4))]
        # A Sync as well means nothing inside COPY, but brings an answer where COPY has not begun: see out_of_place.
        noise = self.choose.choice((b"", b"", b"", m.FLUSH))
        end, word = self.choose.choice(((m.COPY_DONE, "c"), (m.COPY_DONE, "c"), (m.copy_fail("enough"), "f")))
        return b"".join(map(m.copy_data, rows)) + noise + end, f"d {rows} {word}"

    def flushed(self) -> Step:
        """Where an error came before it, what follows a Flush without a Sync is skipped, a Query as well."""
        data, words = self.messages()
        if self.choose.random() < 0.4:
            return Step(data + m.FLUSH, None, words=", ".join([*words, "H"]))
        more, other = self.messages()
        return Step(data + m.FLUSH + more + m.SYNC, words=", ".join([*words, "H", *other, "S"]))

    def function_call(self) -> Step:
        oid, values = self.choose.choice(((1242, (b"\1",)), (1242, (b"\1\1",)), (999999, ()), (1242, ())))
        return Step(m.function_call(oid, *values), words=f"F {oid} {values}")

    def out_of_place(self) -> Step:
        data, words = self.choose.choice(((m.copy_data(b"1\tx\n"), "d"), (m.COPY_DONE, "c"), (m.copy_fail(), "f"), (m.SYNC + m.SYNC, "S S"), (m.FLUSH, "H"),
                                          (m.query(f"copy {self.table} from stdin") + m.SYNC + m.copy_data(b"9\tx\n") + m.SYNC + m.COPY_DONE, "Q copy from, S, d, S, c")))
        return Step(data, None, words)

    def malformed(self) -> Step:
        """Survived, with an error."""
        data, words = self.choose.choice(((m.frame(b"B", b"\0"), "B cut"), (m.frame(b"P", b"a\0b"), "P cut"), (m.frame(b"D", b"Xy\0"), "D X"),
                                          (m.frame(b"C", b"Xy\0"), "C X"), (m.frame(b"S", b"x"), "S with a body"), (m.frame(b"Q", b"select 1"), "Q no end")))
        return Step(data, None, words)

    def last(self) -> Step:
        """Ends the connection. What a client sends behind that may cost it the answers that are under way."""
        data, words = self.choose.choice(((m.password("x"), "p"), (m.frame(b"y", b"z"), "y"), (m.raw_frame(b"Q", 3), "Q length 3"), (m.TERMINATE, "X")))
        return Step(data, None, words)
