"""Hand-chosen sessions. What must come back is not written here: PostgreSQL is asked."""
from session import Session, Step
from support import messages as m

TABLE = "lane_0"
EMPTY = f"truncate {TABLE}"
READS = f"select a, b from {TABLE} order by a"
FAILS = "select 1/0"
ONE, TWO, THREE = "select 1 as n", "select 2 as n", "select n from numbers where n <= 3 order by n"


def q(*texts: str) -> list:
    """Simple queries."""
    return [Step(m.query(text), words=f"Q {text}") for text in texts]


def b(*messages: bytes) -> list:
    """One batch, with its Sync."""
    return [Step(b"".join(messages) + m.SYNC)]


def loose(*messages: bytes) -> list:
    """Bytes of which nobody says how many ReadyForQuery they bring."""
    return [Step(b"".join(messages), None)]


def run(name="", portal="", *values, limit=0) -> bytes:
    return m.bind(name, portal, values) + m.execute(portal, limit)


def whole(text, name="", portal="", *values, limit=0) -> bytes:
    return m.parse(text, name) + run(name, portal, *values, limit=limit)


def copy_in(*rows: bytes, end=m.COPY_DONE) -> bytes:
    return b"".join(map(m.copy_data, rows)) + end


COPY = f"copy {TABLE} from stdin"

SIMPLE = {
    "one row": q(ONE), "no row": q("select 1 where false"), "no column": q("select"), "several statements": q(f"{ONE}; {TWO}; {THREE}"),
    "nothing": q(""), "only blanks": q("  \n"), "only a comment": q("-- x"), "only semicolons": q(";;;"), "one of several fails": q(f"{ONE}; {FAILS}; {TWO}"),
    "a syntax error among several": q(f"{ONE}; selec; {TWO}"), "an implicit transaction that fails": q(f"insert into {TABLE} values (1, 'x'); {FAILS}", READS),
    "a transaction in one text": q("begin; select 1; commit", ONE), "a transaction that begins in a text": q(f"{ONE}; begin; {TWO}", ONE, "commit"),
    "an error has its position": q("select missing from numbers"), "an error has its constraint": q("insert into numbers values (1, 'again')"),
    "an error of one's own": q("do $$ begin raise exception using errcode = 'ZZ001', message = 'm', detail = 'd', hint = 'h', column = 'c', table = 't', schema = 's', constraint = 'k', datatype = 'y'; end $$"),
    "notices of every kind": q("do $$ begin raise debug 'a'; raise log 'b'; raise info 'c'; raise notice 'd'; raise warning 'e'; end $$"),
    "a long text": q(f"select length('{'x' * 100_000}')"), "many columns": q("select " + ", ".join(map(str, range(300)))), "a long row": q("select repeat('x', 200000)"),
    "many rows": q("select n, repeat('y', 100) from generate_series(1, 3000) n"), "non-ASCII text": q("select 'äöü€😀'"), "invalid UTF-8": loose(m.frame(b"Q", b"select '\xff'\0")) + q(ONE),
    "explain": q("explain (costs off) select * from numbers"), "show": q("show server_version_num"), "checkpoint is forbidden": q("checkpoint"), "a missing database object": q("select * from nowhere.nothing"),
}
TRANSACTIONS = {
    "commit": q("begin", f"insert into {TABLE} values (1, 'x')", "commit", READS), "rollback": q("begin", f"insert into {TABLE} values (1, 'x')", "rollback", READS),
    "commit of a failed one": q("begin", FAILS, "commit", ONE), "all fails in a failed one": q("begin", FAILS, ONE, "set work_mem = '1MB'", "savepoint x", "rollback"),
    "begin twice": q("begin", "begin", "commit"), "commit without one": q("commit"), "rollback without one": q("rollback"), "a savepoint without one": q("savepoint x"),
    "savepoints": q("begin", "savepoint a", f"insert into {TABLE} values (1, 'x')", "savepoint b", FAILS, "rollback to b", f"insert into {TABLE} values (2, 'y')", "release a", "commit", READS),
    "rollback to nothing": q("begin", "rollback to nowhere", "rollback"), "release twice": q("begin", "savepoint a", "release a", "release a", "rollback"),
    "chains": q("begin isolation level serializable", "commit and chain", "show transaction_isolation", "rollback and chain", "rollback"), "chain without one": q("commit and chain"),
    "read only": q("begin read only", f"insert into {TABLE} values (1, 'x')", "rollback"), "two phases": q("begin", f"insert into {TABLE} values (1, 'x')", "prepare transaction 'oracle'", "commit prepared 'oracle'", READS),
    "vacuum inside": q("begin", "vacuum numbers", "rollback"), "set transaction": q("begin", "set transaction isolation level repeatable read", "show transaction_isolation", "commit"),
    "a deferred constraint": q("create temp table d (a int primary key deferrable initially deferred)", "begin", "insert into d values (1), (1)", "commit", "drop table d"),
    "by batches": b(whole("begin")) + b(whole(f"insert into {TABLE} values ($1, $2)", "", "", 1, "x")) + b(whole(FAILS)) + b(whole(ONE)) + b(whole("rollback")) + q(READS),
    "a batch is one": b(whole(f"insert into {TABLE} values (1, 'x')"), whole(FAILS)) + q(READS), "two batches are two": b(whole(f"insert into {TABLE} values (1, 'x')")) + b(whole(FAILS)) + q(READS),
    "a batch that begins one": b(whole("begin"), whole(ONE)) + q("commit"), "a batch that ends one": q("begin") + b(whole("commit"), whole(ONE)),
}
STATEMENTS = {
    "named": b(m.parse(ONE, "s"), m.describe_statement("s"), run("s")) + b(run("s")), "unnamed": b(m.parse(ONE)) + b(run()) + b(run()), "across transactions": b(m.parse(TWO, "s")) + q("begin") + b(run("s")) + q("commit") + b(run("s")),
    "a name twice": b(m.parse(ONE, "s")) + b(m.parse(TWO, "s")) + b(run("s")), "a name twice in a batch": b(m.parse(ONE, "s"), m.parse(TWO, "s"), run("s")) + b(run("s")),
    "a name twice with a broken text": b(m.parse(ONE, "s")) + b(m.parse("selec", "s")), "a name twice in a failed transaction": b(m.parse(ONE, "s")) + q("begin", FAILS) + b(m.parse(TWO, "s")) + q("rollback") + b(run("s")),
    "a name twice and rollback": b(m.parse(ONE, "s")) + q("begin", FAILS) + b(m.parse("rollback", "s")) + q("rollback"), "an empty text under a name that is taken": b(m.parse(ONE, "s")) + b(m.parse("", "s")) + b(run("s")),
    "unknown": b(run("nope")), "unknown to describe": b(m.describe_statement("nope")), "unknown to close": b(m.close_statement("nope")), "unknown unnamed": q(ONE) + b(run()),
    "closed": b(m.parse(ONE, "s")) + b(m.close_statement("s")) + b(run("s")), "closed and given again": b(m.parse(ONE, "s"), m.close_statement("s"), m.parse(TWO, "s"), run("s")) + b(run("s")),
    "closed twice": b(m.parse(ONE, "s"), m.close_statement("s"), m.close_statement("s")), "a close that is skipped": b(m.parse(ONE, "s")) + b(whole(FAILS), m.close_statement("s")) + b(run("s")),
    "a parse that is skipped": b(whole(FAILS), m.parse(ONE, "s")) + b(run("s")), "a parse that fails": b(m.parse("selec", "s")) + b(m.parse(ONE, "s"), run("s")),
    "unnamed behind a query": b(m.parse(ONE)) + q(TWO) + b(run()), "unnamed behind a query that fails": b(m.parse(ONE)) + q("selec") + b(run()), "unnamed behind a function call": b(m.parse(ONE)) + [Step(m.function_call(1242, b"\1"))] + b(run()),
    "unnamed behind a parse that fails": b(m.parse(ONE)) + b(m.parse("selec")) + b(run()), "unnamed behind one that is skipped": b(m.parse(ONE)) + b(run("nope"), m.parse(TWO)) + b(run()),
    "unnamed behind a close that is skipped": b(m.parse(ONE)) + b(run("nope"), m.close_statement("")) + b(run()), "unnamed closed": b(m.parse(ONE), m.close_statement("")) + b(run()),
    "unnamed in a failed transaction": b(m.parse(ONE)) + q("begin", FAILS) + b(run()) + q("rollback"), "deallocate all": b(m.parse(ONE, "s")) + q("deallocate all") + b(run("s")),
    "deallocate all in the same batch": b(m.parse(ONE, "s"), whole("deallocate all"), run("s")) + b(run("s")), "discard all": b(m.parse(ONE, "s")) + q("discard all") + b(m.parse(TWO, "s"), run("s")),
    "discard all and the name again": b(whole("discard all", "s"), m.parse(ONE, "s"), run("s")), "deallocate all that is rolled back": b(m.parse(ONE, "s")) + q("begin", "deallocate all", "rollback") + b(run("s")),
    "two names for one text": b(m.parse(ONE, "s"), m.parse(ONE, "t"), run("s"), run("t"), m.close_statement("s"), run("t")), "long names": b(m.parse(ONE, "n" * 200), run("n" * 200)), "odd names": b(m.parse(ONE, 'a "b" \\ ä'), run('a "b" \\ ä')),
    "parameters": b(m.parse("select $1::int, $2::text", "s"), m.describe_statement("s"), run("s", "", 5, "x")) + b(run("s", "", None, None)), "typed parameters": b(m.parse("select $1, $2", "s", (23, 25)), m.describe_statement("s"), run("s", "", 5, "x")),
    "the same text with other types": b(m.parse("select $1", "s", (23,)), run("s", "", 5), m.parse("select $1", "t", (25,)), run("t", "", "x")), "too few parameters": b(m.parse("select $1::int", "s"), run("s")), "too many parameters": b(m.parse(ONE, "s"), run("s", "", 5)),
    "a parameter that is none": b(m.parse("select $1::int", "s"), run("s", "", "x")) + b(run("s", "", 1)), "a parameter of unknown type": b(m.parse("select $1")), "two statements": b(m.parse("select 1; select 2")), "binary results": b(m.parse(THREE), m.bind(result_formats=(1,)), m.execute()),
    "formats that do not fit": b(m.parse(ONE), m.bind(result_formats=(0, 1)), m.execute()), "an unknown format": b(m.parse(ONE), m.bind(result_formats=(7,)), m.execute()),
    "a table that has gone": q("create temp table gone (a int)") + b(m.parse("select * from gone", "s")) + q("drop table gone") + b(run("s")) + b(m.describe_statement("s")),
    "a table that has changed": q("create temp table changed (a int)") + b(m.parse("select * from changed", "s"), run("s")) + q("alter table changed add b int") + b(run("s")) + q("drop table changed"),
    "empty": b(m.parse("", "s"), m.describe_statement("s"), run("s")), "a comment": b(whole("-- x")), "rollback in a failed transaction": q("begin", FAILS) + b(whole("rollback", "s")) + b(run("s")),
    "execute behind a failed transaction": b(m.parse(TWO, "s")) + [step for end in ("commit", "rollback and chain", "rollback to one", "rollback to none") for step in q("begin read only; savepoint one", FAILS, f"{end}; execute s; show transaction_read_only", "rollback")],
    "execute behind a failed transaction in a text that is wrong": b(m.parse(TWO, "s")) + q("begin; savepoint one", FAILS, "commit; execute s; selec", "rollback to one; execute s; prepare s as select 1", "rollback"),
    "commit prepared before": b(m.parse("commit", "c"), m.parse("rollback", "r")) + q("begin") + b(run("c")) + q("begin", FAILS) + b(run("r")) + q(ONE), "SQL-level": q("prepare own as select 7", "execute own", "deallocate own", "execute own"),
    "SQL-level with parameters": q("prepare own (int) as select $1 + 1", "execute own (1)", "execute own", "prepare own as select 1", "deallocate all"),
}
PORTALS = {
    "in pieces": q("begin") + b(m.parse(THREE), m.bind("", "p"), m.execute("p", 1), m.execute("p", 1)) + b(m.execute("p", 5)) + b(m.execute("p", 0)) + q("commit"),
    "gone with the batch": b(m.parse(THREE), m.bind("", "p"), m.execute("p", 1)) + b(m.execute("p", 1)), "unknown": b(m.execute("nope")), "unknown to describe": b(m.describe_portal("nope")), "unknown to close": b(m.close_portal("nope")),
    "closed": q("begin") + b(m.parse(THREE), m.bind("", "p"), m.close_portal("p"), m.execute("p")) + q("rollback"), "a name twice": q("begin") + b(m.parse(ONE), m.bind("", "p"), m.bind("", "p")) + q("rollback"),
    "unnamed twice": b(m.parse(ONE), m.bind(), m.bind(), m.execute()), "described": b(m.parse(THREE), m.bind("", "p"), m.describe_portal("p"), m.execute("p")), "described without rows": b(m.parse("set work_mem = '2MB'"), m.bind(), m.describe_portal(), m.execute()),
    "a cursor's": q("begin", f"declare c cursor for {THREE}") + b(m.execute("c", 1)) + b(m.describe_portal("c")) + q("fetch 1 from c", "close c", "commit"), "run to the end twice": q("begin") + b(m.parse(THREE), m.bind("", "p"), m.execute("p"), m.execute("p")) + q("commit"),
    "of a statement that is closed": q("begin") + b(m.parse(THREE, "s"), m.bind("s", "p"), m.close_statement("s"), m.execute("p", 1)) + b(m.execute("p")) + q("commit"), "a negative limit": b(m.parse(THREE), m.bind(), m.execute("", -1)),
    "insert returning in pieces": q("begin") + b(m.parse(f"insert into {TABLE} values (1, 'x'), (2, 'y') returning a"), m.bind("", "p"), m.execute("p", 1)) + b(m.execute("p", 1)) + q("commit", READS),
    "behind a savepoint": q("begin", "savepoint s") + b(m.parse(THREE), m.bind("", "p"), m.execute("p", 1)) + q("rollback to s") + b(m.execute("p", 1)) + q("rollback"),
    "scroll and hold": q(f"declare c scroll cursor with hold for {THREE}", "fetch 2 from c", "fetch backward 1 from c", "close c", "fetch 1 from c"), "move": q("begin", f"declare c cursor for {THREE}", "move 2 in c", "fetch all from c", "rollback"),
}
PIPELINES = {
    "errors in some": b(whole(ONE)) + b(whole(FAILS), whole(TWO)) + b(whole(TWO)) + b(run("nope"), whole(ONE)) + b(whole(ONE)), "many syncs": loose(m.SYNC * 5), "a sync behind an error": loose(whole(FAILS), m.SYNC, m.SYNC),
    "flush in between": b(whole(ONE), m.FLUSH, whole(TWO), m.FLUSH), "flush alone": loose(m.FLUSH) + q(ONE), "flush behind an error": b(whole(FAILS), m.FLUSH, whole(ONE)),
    "a query in a batch": loose(m.parse(ONE, "s"), m.query(TWO), m.bind("s"), m.execute(), m.SYNC), "a query in a failed batch": loose(whole(FAILS), m.query(TWO), m.SYNC, m.query(ONE)), "a query that fails in a batch": loose(m.parse(ONE, "s"), m.query(FAILS), run("s"), m.SYNC),
    "a function call in a batch": loose(m.parse(ONE, "s"), m.function_call(1242, b"\1"), run("s"), m.SYNC), "a function call in a failed batch": loose(whole(FAILS), m.function_call(1242, b"\1"), m.SYNC),
    "begin and commit inside": b(whole("begin"), whole(ONE), whole("commit"), whole(TWO)), "begin, an error, and rollback behind it": b(whole("begin"), whole(FAILS), whole("rollback")) + q("rollback"), "settings": b(whole("set work_mem = '3MB'"), whole("show work_mem"), whole("reset work_mem"), whole("show work_mem")),
    "a setting that fails": b(whole("set work_mem = '3MB'"), whole(FAILS)) + q("show work_mem"), "deep": b(*(whole(ONE, f"s{i}") for i in range(60))) + b(*(run(f"s{i}") for i in range(60))),
    "fifty batches": [step for i in range(50) for step in b(whole("select $1::int", "", "", i))], "describe both": b(m.parse(THREE, "s"), m.describe_statement("s"), m.bind("s", "p"), m.describe_portal("p"), m.execute("p")),
    "notify inside": b(whole("listen pipe"), whole("notify pipe, 'x'")) + q("unlisten pipe"), "notices inside": b(whole("do $$ begin raise notice 'x'; end $$"), whole(ONE)),
    "extended and simple by turns": [step for _ in range(5) for step in (*b(whole(ONE, "", "")), *q(TWO))],
}
COPIES = {
    "in": q(EMPTY) + [Step(m.query(COPY) + copy_in(b"1\tx\n", b"2\ty\n"))] + q(READS), "in by halves": [Step(m.query(COPY) + copy_in(b"1\t", b"x\n2", b"\ty"))] + q(READS), "nothing": [Step(m.query(COPY) + copy_in())] + q(READS),
    "given up": [Step(m.query(COPY) + copy_in(b"1\tx\n", end=m.copy_fail("enough")))] + q(READS), "a row that is wrong": [Step(m.query(COPY) + copy_in(b"x\n", b"1\tx\n"))] + q(READS), "a row that is there": q(f"insert into {TABLE} values (1, 'x')") + [Step(m.query(COPY) + copy_in(b"1\tx\n"))],
    "into nothing": [Step(m.query("copy nowhere from stdin") + copy_in(b"1\tx\n"))] + q(ONE), "in a transaction": q("begin") + [Step(m.query(COPY) + copy_in(b"1\tx\n"))] + q("rollback", READS), "in a failed transaction": q("begin", FAILS) + [Step(m.query(COPY) + copy_in(b"1\tx\n"))] + q("rollback"),
    "two in one text": [Step(m.query(f"{COPY}; {COPY}") + copy_in(b"1\tx\n") + copy_in(b"2\ty\n"))] + q(READS), "among others": [Step(m.query(f"{ONE}; {COPY}; {TWO}") + copy_in(b"1\tx\n"))] + q(READS),
    "extended": b(m.parse(COPY), m.bind(), m.execute(), copy_in(b"1\tx\n")) + q(READS), "extended and described": b(m.parse(COPY), m.bind(), m.describe_portal(), m.execute(), copy_in(b"1\tx\n")), "extended and given up": b(m.parse(COPY), m.bind(), m.execute(), copy_in(end=m.copy_fail())) + q(READS),
    "extended and wrong": b(m.parse(COPY), m.bind(), m.execute(), copy_in(b"x\n")) + q(READS), "more behind it in the batch": b(m.parse(COPY), m.bind(), m.execute(), copy_in(b"1\tx\n"), whole(READS)), "more behind a wrong one": b(m.parse(COPY), m.bind(), m.execute(), copy_in(b"x\n"), whole(READS)),
    "with flushes": [Step(m.query(COPY) + m.FLUSH + m.copy_data(b"1\tx\n") + m.FLUSH + m.COPY_DONE)] + q(READS), "with syncs": loose(m.query(COPY), m.SYNC, m.copy_data(b"1\tx\n"), m.SYNC, m.COPY_DONE) + q(READS), "out": q(f"copy ({THREE}) to stdout"), "out binary": q(f"copy ({THREE}) to stdout (format binary)"),
    "out csv": q(f"copy ({THREE}) to stdout (format csv, header)"), "out that fails": q("copy (select 1 / (3 - n) from numbers order by n) to stdout"), "out extended": b(whole(f"copy ({THREE}) to stdout")), "out of much": q("copy (select repeat('z', 1000) from generate_series(1, 500)) to stdout"),
    "data without one": loose(m.copy_data(b"1\tx\n"), m.COPY_DONE, m.copy_fail()) + q(ONE), "a file is forbidden": q("copy numbers to '/tmp/oracle'"), "the end of data in the text": [Step(m.query(COPY) + copy_in(b"1\tx\n\\.\n"))] + q(READS), "a trigger fails it": [Step(m.query("copy numbers from stdin") + copy_in(b"1\tx\n"))] + q(ONE),
}
STATE = {
    "a setting": q("set work_mem = '3MB'", "show work_mem", "reset work_mem", "show work_mem"), "a setting rolled back": q("begin", "set work_mem = '3MB'", "rollback", "show work_mem"), "a setting local": q("begin", "set local work_mem = '3MB'", "show work_mem", "commit", "show work_mem"),
    "a setting behind a savepoint": q("begin", "savepoint s", "set work_mem = '3MB'", "rollback to s", "show work_mem", "commit", "show work_mem"), "set local without a transaction": q("set local work_mem = '3MB'", "show work_mem"), "reported settings": q("set datestyle = 'German'", "set timezone = 'Etc/GMT+3'", "set intervalstyle = 'iso_8601'", "select now() is not null, '2.1.2003'::date", "reset all"),
    "client_encoding": q("set client_encoding = 'LATIN1'", "select chr(228)", "select chr(8364)", "reset client_encoding"), "application_name": q("set application_name = 'a b'", "show application_name", "set application_name = ''", "show application_name"), "set_config": q("select set_config('work_mem', '5MB', false)", "show work_mem"),
    "set_config by parameters": b(whole("select set_config($1, $2, false)", "", "", "work_mem", "6MB")) + q("show work_mem"), "a setting from current": q("set work_mem = '7MB'", "create function pg_temp.f() returns text language sql set work_mem from current as 'select current_setting(''work_mem'')'", "reset work_mem", "select pg_temp.f()"),
    "search_path": q("create temp table numbers (n text)", "insert into numbers values ('mine')", "select * from numbers", "set search_path = public, pg_temp", "select count(*) from numbers", "drop table pg_temp.numbers"), "a role": q("set role other", "select current_user, session_user", "reset role", "select current_user"), "a role that is forbidden": q("set role postgres", "select current_user"),
    "a role local": q("begin", "set local role other", "select current_user", "commit", "select current_user"), "session authorization": q("set session authorization app", "select session_user", "set session authorization postgres"), "discard all": q("set work_mem = '3MB'", "discard all", "show work_mem"), "discard in a transaction": q("begin", "discard all", "rollback"),
    "a temporary table": q("create temp table mine (a int)", "insert into mine values (1)", "select * from mine", "drop table mine", "select * from mine"), "discard temp": q("create temp table mine (a int)", "discard temp", "select * from mine"), "on commit drop": q("begin", "create temp table mine (a int) on commit drop", "select * from mine", "commit", "select * from mine"),
    "listen and notify": q("listen a", "notify a, 'x'", "begin", "notify a, 'y'", "notify a, 'y'", "commit", "unlisten a", "notify a"), "notify rolled back": q("listen a", "begin", "notify a", "rollback", "unlisten *"), "advisory locks": q("select pg_advisory_lock(77)", "select pg_try_advisory_lock(77)", "select pg_advisory_unlock(77), pg_advisory_unlock(77)", "select pg_advisory_unlock(77)"),
    "a cursor with hold": q(f"declare c cursor with hold for {THREE}", "fetch 1 from c", "fetch 1 from c", "close c", "close c"), "a cursor without a transaction": q(f"declare c cursor for {THREE}"), "do sets": q("do $$ begin perform set_config('work_mem', '9MB', false); end $$", "show work_mem"), "a sequence": q("create temp sequence s", "select nextval('s')", "select currval('s')", "drop sequence s"),
    "a wrong value": q("set work_mem = 'much'", "set nonsense = 1", "set datestyle = 'x'", "set client_encoding = 'x'", "show nonsense"), "read only": q("set default_transaction_read_only = on", f"insert into {TABLE} values (1, 'x')", "set default_transaction_read_only = off", f"insert into {TABLE} values (1, 'x')"),
    "standard_conforming_strings": q("set standard_conforming_strings = off", r"select 'a\nb'", "set standard_conforming_strings = on", r"select 'a\nb'"), "statement_timeout": q("set statement_timeout = '30ms'", "select pg_sleep(2)", "set statement_timeout = 0", ONE), "lock_timeout": q("set lock_timeout = '1s'", "show lock_timeout"),
    "client_min_messages": q("set client_min_messages = error", "do $$ begin raise warning 'x'; end $$", "reset client_min_messages"), "transaction_timeout by batches": b(whole("set local statement_timeout = '30ms'"), whole("select pg_sleep(2)")) + q("show statement_timeout"), "load is forbidden": q("load 'nowhere'"),
}
CALLS = {
    "true": [Step(m.function_call(1242, b"\1"))], "two arguments": [Step(m.function_call(177, b"\0\0\0\1", b"\0\0\0\2"))], "an argument of a wrong size": [Step(m.function_call(1242, b"\1\1"))], "too few": [Step(m.function_call(1242))], "unknown": [Step(m.function_call(999999))], "that fails": [Step(m.function_call(154, b"\0\0\0\1", b"\0\0\0\0"))],
    "in a transaction": q("begin") + [Step(m.function_call(1242, b"\1"))] + q("commit"), "in a failed transaction": q("begin", FAILS) + [Step(m.function_call(1242, b"\1"))] + q("rollback"),
}
GROUPS = {"simple": SIMPLE, "transaction": TRANSACTIONS, "statement": STATEMENTS, "portal": PORTALS, "pipeline": PIPELINES, "copy": COPIES, "state": STATE, "call": CALLS}


def sessions(pace: str) -> list:
    """Each begins with an empty table."""
    return [Session(f"{group}: {name}", q(EMPTY) + steps, {}, pace, seed=7) for group, cases in GROUPS.items() for name, steps in cases.items()]
