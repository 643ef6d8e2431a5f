"""pgsluice explain: what a statement does, which rule decides, and why."""
import subprocess

import pytest

from support.proxy import BINARY

POLICIES = [
    {"name": "migrations-may", "when": {"users": ["migrator"]}, "action": "allow"},
    {"name": "no-unbounded-write", "when": {"statements": ["delete", "update"], "without_where": True}, "message": "no WHERE"},
    {"name": "dry", "when": {"tables": ["target"]}, "mode": "shadow"},
    {"name": "reports", "when": {"users": ["reporting"], "statements": ["select"]}, "action": "rewrite", "rewrite": {"limit": 10}},
    {"name": "no-secrets", "when": {"users": ["reporting"], "tables": ["secrets"]}},
    {"name": "bounded", "when": {"users": ["batch"]}, "action": "limit", "limit": {"max_duration": "5s"}},
]


@pytest.fixture
def explain(sluice):
    proxy = sluice(policies=POLICIES)

    def run(sql, *options, user="app", stdin=None):
        done = subprocess.run([BINARY, "explain", "--config", str(proxy.file), "--user", user, "--database", "app", *options, "--", sql],
                              capture_output=True, text=True, timeout=30, input=stdin)
        lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines() if not line.startswith(" ") and " " in line)
        rules = {name: why for _, name, why in (line.split(maxsplit=2) for line in done.stdout.splitlines() if line.startswith(" "))}
        return done.returncode, lines, rules
    return run


def test_blocked_statement(explain):
    code, lines, rules = explain("delete from app.orders -- where")
    assert code == 1
    assert lines["route"] == "default"
    assert lines["statements"] == "1: delete" and lines["writes"] == "app.orders"
    assert lines["notes"] == "without WHERE, may write"
    assert lines["normalized"] == "delete from app.orders"
    assert lines["verdict"] == "blocked by no-unbounded-write: ERROR 42501 no WHERE"
    assert rules == {"migrations-may": "no match: when.users", "no-unbounded-write": "decides", "dry": "not reached", "reports": "not reached",
                     "bounded": "not reached", "no-secrets": "not reached"}


def test_statement_that_passes(explain):
    code, lines, rules = explain("select t.a from target t where b = 'x'")
    assert code == 0 and lines["verdict"] == "passes: no policy decides"
    assert lines["columns"] == "target.a, target.b" and lines["normalized"] == "select t.a from target t where b = $1"
    assert rules["dry"] == "matches" and rules["no-unbounded-write"] == "no match: when.statements"


def test_other_clients_and_rewrites(explain):
    assert explain("select 1", user="batch")[1]["verdict"] == "passes with limits of bounded"
    assert explain("delete from t", user="migrator")[1]["verdict"] == "passes by migrations-may"
    code, lines, _ = explain("select a from t", user="reporting")
    assert code == 0 and lines["becomes"] == "SELECT a FROM t LIMIT 10"


def test_what_is_rewritten_and_blocked_by_a_rule_behind(explain):
    code, lines, rules = explain("select a from secrets", user="reporting")
    assert code == 1 and lines["then"] == "blocked by no-secrets"
    assert rules["reports"] == "decides" and rules["no-secrets"] == "matches"


def test_rules_behind_a_rewrite_are_asked_about_what_it_makes(sluice):
    proxy = sluice(policies=[{"name": "before", "when": {"tables": ["old"]}, "mode": "shadow"},
                             {"name": "moves", "action": "rewrite", "rewrite": {"tables": {"old": "new"}}},
                             {"name": "of-old", "when": {"tables": ["old"]}, "mode": "shadow"},
                             {"name": "of-new", "when": {"tables": ["new"]}, "mode": "shadow"}])
    done = subprocess.run([BINARY, "explain", "--config", str(proxy.file), "--user", "app", "--database", "app", "--", "select a from old"],
                          capture_output=True, text=True, timeout=30)
    rules = {name: why for _, name, why in (line.split(maxsplit=2) for line in done.stdout.splitlines() if line.startswith(" "))}
    assert rules["before"].startswith("matches") and rules["moves"].startswith("decides")
    assert rules["of-old"] == "no match: when.tables" and rules["of-new"].startswith("matches")


def test_what_cannot_be_parsed(explain):
    code, lines, rules = explain("delet from t")
    assert code == 1 and lines["not"].endswith("syntax error")
    assert rules["no-unbounded-write"] == "decides, since it cannot be told"


def test_statement_from_standard_input_however_deep(explain):
    code, lines, _ = explain("-", stdin="select " + "1+" * 8000 + "1")
    assert code == 0 and lines["statements"] == "1: select"
    code, lines, _ = explain("-", stdin="select " + "1+" * 80000 + "1")
    assert lines["not"].endswith("it is longer than limits.parse_inline")


def test_a_search_path_that_is_not_known_is_told_where_it_decides(sluice):
    audit, mine = {"name": "audit", "when": {"tables": ["audit.*"]}}, {"name": "mine", "when": {"tables": ["app.*"]}, "action": "allow"}
    proxy = sluice(policies=[audit, mine])
    plain = proxy.config
    known = {**plain, "routes": [{**plain["routes"][0], "parameters": {"search_path": "app"}}]}

    def rule(name, sql, *options):
        done = subprocess.run([BINARY, "explain", "--config", str(proxy.file), "--user", "app", "--database", "app", *options, "--", sql],
                              capture_output=True, text=True, timeout=30)
        return next(line.split(maxsplit=2)[2] for line in done.stdout.splitlines() if line.startswith(" ") and line.split()[1] == name)
    unknown = "search_path is not known here, so"
    assert rule("audit", "select 1 from t") == f"decides; {unknown} the unqualified name t is held against every schema"
    assert rule("audit", "select 1 from t, app.s, u") == f"decides; {unknown} the unqualified names t, u are held against every schema"
    assert rule("audit", "select 1 from audit.t") == "decides"
    assert rule("audit", "select 1 from t", "--search-path", "audit") == "decides"
    assert rule("mine", "select 1 from t", "--search-path", "app") == "decides"
    assert rule("audit", "select 1 from app.t") == "no match: when.tables"
    proxy.write_config(known)
    assert rule("audit", "select 1 from t") == "no match: when.tables" and rule("mine", "select 1 from t") == "decides"
    proxy.write_config({**known, "policies": [mine]})
    assert rule("mine", "select 1 from t", "--search-path", "b") == "no match: when.tables"
    proxy.write_config({**plain, "policies": [mine]})
    assert rule("mine", "select 1 from t") == f"no match: when.tables; {unknown} a name without a schema is held to be in none"


def test_a_route_that_is_not_there_is_no_verdict(sluice):
    proxy = sluice(policies=POLICIES)
    done = subprocess.run([BINARY, "explain", "--config", str(proxy.file), "--user", "app", "--database", "app", "--route", "nosuch", "select 1"],
                          capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (2, "", "pgsluice: there is no route nosuch")
