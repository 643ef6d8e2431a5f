"""Turns readings into the page docs/benchmarks.md."""
import os
import platform
import statistics
import subprocess
import time
from pathlib import Path

COLUMNS = {"direct": "direct", "haproxy": "HAProxy", "pgbouncer": "PgBouncer", "pgsluice": "pgsluice",
           "pgsluice, transaction": "pgsluice, transaction mode", "pgsluice, 2 workers": "pgsluice, 2 workers",
           "pgsluice, session_state: ignore": "pgsluice, session_state: ignore",
           "pgsluice, 50 rules and insight": "pgsluice, 50 rules and insight",
           "pgsluice, lazy_begin: false": "pgsluice, lazy_begin: false",
           "pgsluice, equal settings": "pgsluice, equal settings",
           "pgsluice, 8 sets of settings": "pgsluice, 8 sets of settings"}
NAMES = {f"{mode}{clients}": f"{mode}, {clients} client{'s' if clients > 1 else ''}"
         for mode in ("simple", "extended", "prepared") for clients in (1, 16, 128)}
NAMES |= {"tls16": "simple, 16 clients, TLS", "workers2": "simple, 16 clients, by workers",
          "state16": "simple, 16 clients, by session_state", "rules16": "simple, 16 clients, by rules and insight",
          "rules_prepared16": "prepared, 16 clients, by rules and insight", "begin16": "BEGIN, SELECT, COMMIT, 16 clients", "settings64": "prepared, 64 clients, pool of 4", "copy_out": "COPY out",
          "copy_in": "COPY in", "select": "large SELECT", "login": "SCRAM login", "idle": "idle client, plain",
          "idle_tls": "idle client, TLS"}
PGBENCH = [name for name in NAMES if name not in ("copy_out", "copy_in", "select", "login", "idle", "idle_tls")]

TABLES = [  # title, measurements, figure, digits, divisor
    ("Transactions per second (pgbench -S)", PGBENCH, "tps", 0, 1),
    ("CPU of the proxy, µs per transaction", PGBENCH, "cpu", 1, 1),
    ("Latency, µs: median", PGBENCH, "p50", 0, 1),
    ("Latency, µs: 99th percentile", PGBENCH, "p99", 0, 1),
    ("Streams, MB/s", ["copy_out", "copy_in", "select"], "rate", 0, 1),
    ("CPU of the proxy, ms per MB", ["copy_out", "copy_in", "select"], "cpu", 2, 1),
    ("Logins per second", ["login"], "rate", 0, 1),
    ("CPU of the proxy, µs per login", ["login"], "cpu", 0, 1),
    ("Private memory of the proxy, KiB per idle client", ["idle", "idle_tls"], "bytes", 2, 1024),
]

GOALS = [  # words, measurement, figure, target, compared with (None: an absolute figure), at most, divisor
    ("CPU per transaction, simple, 16 clients", "simple16", "cpu", "pgsluice", "pgbouncer", 0.95, 1),
    ("CPU per transaction, extended, 16 clients", "extended16", "cpu", "pgsluice", "pgbouncer", 0.95, 1),
    ("CPU per transaction, prepared, 16 clients, session mode", "prepared16", "cpu", "pgsluice", "pgbouncer", 0.95, 1),
    ("median latency, simple, 1 client", "simple1", "p50", "pgsluice", "pgbouncer", 1.0, 1),
    ("CPU per MB, COPY out", "copy_out", "cpu", "pgsluice", "pgbouncer", 0.6, 1),
    ("CPU per MB, COPY in", "copy_in", "cpu", "pgsluice", "pgbouncer", 0.7, 1),
    ("CPU per SCRAM login", "login", "cpu", "pgsluice", "pgbouncer", 0.05, 1),
    ("KiB per idle client, plain", "idle", "bytes", "pgsluice", None, 2, 1024),
    ("KiB per idle client, TLS", "idle_tls", "bytes", "pgsluice", None, 24, 1024),
    ("CPU per transaction, 2 workers", "workers2", "cpu", "pgsluice, 2 workers", "pgsluice", 1.10, 1),
    ("CPU per transaction, keeping session state", "state16", "cpu", "pgsluice", "pgsluice, session_state: ignore", 1.02, 1),
    ("CPU per transaction, 50 rules and insight, simple", "rules16", "cpu", "pgsluice, 50 rules and insight", "pgsluice", 1.06, 1),
    ("CPU per transaction, 50 rules and insight, prepared", "rules_prepared16", "cpu", "pgsluice, 50 rules and insight", "pgsluice",
     1.06, 1),
    ("CPU per transaction, where the server had other settings", "settings64", "cpu", "pgsluice, 8 sets of settings",
     "pgsluice, equal settings", 1.25, 1),
]


def cell(values, digits, divisor):
    if not values:
        return "–"
    low, middle, high = (f"{value / divisor:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({low}–{high})"


def row(words):
    return "| " + " | ".join(words) + " |"


def table(results, title, names, figure, digits, divisor):
    rows = [name for name in names if any(figure in readings for readings in results.get(name, {}).values())]
    columns = [key for key in COLUMNS if any(figure in results[name].get(key, {}) for name in rows)]
    if not rows:
        return []
    lines = [f"## {title}", "", row(["", *(COLUMNS[key] for key in columns)]), row(["---", *("---:" for _ in columns)])]
    for name in rows:
        readings = results[name]
        lines.append(row([NAMES[name], *(cell(readings.get(key, {}).get(figure), digits, divisor) for key in columns)]))
    return [*lines, ""]


def goals(results):
    """Ratios are taken round by round, between neighbours in time, and the median is held against the goal."""
    lines = []
    for words, name, figure, target, other, most, divisor in GOALS:
        ours = results.get(name, {}).get(target, {}).get(figure)
        theirs = results.get(name, {}).get(other, {}).get(figure) if other else None
        if not ours or (other and not theirs):
            continue
        values = [one / two for one, two in zip(ours, theirs)] if other else [one / divisor for one in ours]
        reached = "yes" if statistics.median(values) <= most else "**no**"
        compared = f"{COLUMNS[target]} / {COLUMNS[other]}" if other else COLUMNS[target]
        lines.append(row([words, compared, cell(values, 2, 1), f"≤ {most}", reached]))
    if not lines:
        return []
    return ["## Goals", "", row(["", "of", "median (range)", "goal", "reached"]), row(["---"] * 5), *lines, ""]


def first(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip().splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return "unknown"


def machine():
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(": ", 1)[1] for line in info.splitlines() if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    package = lambda name: first(["dpkg-query", "-W", "-f", "${Version}", name])
    return [f"- {os.cpu_count()} cores of {model}, {memory:.0f} GiB of memory, Linux {platform.release()}",
            f"- PostgreSQL {package('postgresql-15')}, HAProxy {package('haproxy')}, PgBouncer {package('pgbouncer')}",
            f"- pgsluice {first([os.environ['PGSLUICE_BIN'], '--version'])},"
            f" commit {first(['git', '-C', str(Path(__file__).parent), 'rev-parse', '--short', 'HEAD'])},"
            f" preset {Path(os.environ['PGSLUICE_BIN']).resolve().parts[-3]}"]


APART = "## Measured apart"  # written by hand, at the end of the page


def kept_of(page):
    """What people have added to the page that is written anew."""
    return "\n" + page[page.index(APART):] if APART in page else ""


def document(results, options):
    lines = ["# Benchmarks", "",
             "Made by `scripts/bench`; read the figures of one run against each other, not against those of another machine.", "",
             f"{time.strftime('%Y-%m-%d')}: {options.rounds} round{'s' if options.rounds > 1 else ''}, those of pgbench of {options.seconds} s, the targets taking turns"
             " within each round; medians, with the lowest and highest reading in parentheses.", "",
             *machine(), "",
             "Everything runs on this one machine over TCP loopback: clients, proxy and PostgreSQL share its cores. Each proxy has"
             " one thread or worker, its defaults, and logs connections. Pools hold 20 servers in transaction mode; prepared"
             " statements are measured in session mode (one server per client), which Debian's PgBouncer needs for them. HAProxy"
             " has no pool, and passes TLS through where the poolers end it on both sides. CPU is the process's own clock read"
             " between pgbench's progress reports, so that logins stay outside. Memory is what a fresh process holds privately"
             f" for each of {options.idle_clients} clients, once each has asked one question and been quiet.", ""]
    for entry in TABLES:
        lines += table(results, *entry)
    return "\n".join([*lines, *goals(results)])
