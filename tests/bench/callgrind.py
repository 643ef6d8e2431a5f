"""Instructions that pgsluice spends on one transaction, counted by valgrind: two runs of different length, subtracted."""
import re
import shutil
import signal
import subprocess
import time

from measure import BIN
from servers import PgSluice
from support.system import end

MODES = ["simple", "extended", "prepared"]
RULES = "_rules"  # behind a mode: with fifty rules and the statistics of queries
MODES += [mode + RULES for mode in ("simple", "prepared")]
CLIENTS, SHORT, LONG = 4, 250, 1250  # transactions per client


def run(stage, modes):
    if not shutil.which("valgrind"):
        raise SystemExit("callgrind mode needs valgrind: scripts/deps bench")
    for mode in modes:
        short, long = (_instructions(stage, mode, transactions) for transactions in (SHORT, LONG))
        print(f"{mode}: {(long - short) / (CLIENTS * (LONG - SHORT)):.0f} instructions per transaction", flush=True)


def _instructions(stage, mode, transactions):
    prefix = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    server = PgSluice(stage.folder, stage.postgres, stage.certificate, label=f"-{time.monotonic_ns()}", prefix=prefix,
                      rules=mode.endswith(RULES))
    try:
        done = subprocess.run([BIN / "pgbench", "-n", "-S", "-M", mode.removesuffix(RULES), "-c", str(CLIENTS), "-t", str(transactions), server.dsn()],
                              capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise RuntimeError(f"pgbench ended with {done.returncode}: {done.stderr[-2000:]}")
    finally:
        end(server.process, signal.SIGTERM, timeout=60)
    collected = re.search(r"Collected : (\d+)", (server.folder / "log").read_text())
    if not collected:
        raise RuntimeError(f"valgrind reports no count:\n{(server.folder / 'log').read_text()[-2000:]}")
    return int(collected[1])
