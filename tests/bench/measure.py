"""Numbers about processes, and runs of pgbench and psql."""
import re
import subprocess
import time
from pathlib import Path

BIN = Path("/usr/lib/postgresql/15/bin")
PROGRESS = re.compile(r"progress: ([0-9.]+) s, ([0-9.]+) tps")


def cpu_seconds(pid):
    """CPU time of a whole process in nanosecond steps, threads that have ended included: its CPU-time clock."""
    return time.clock_gettime((~pid << 3) | 2) if pid else 0.0


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def pgbench(dsn, pid, mode, clients, seconds, folder, script=None):
    """One run of pgbench, of -S or a script: tps, CPU microseconds per transaction of process `pid`, latency in microseconds.

    CPU is read at pgbench's progress lines, so that connecting and logging in stay outside."""
    prefix = folder / "latency"
    what = ["-S"] if script is None else ["-f", script]
    command = [BIN / "pgbench", "-n", *what, "-M", mode, "-c", clients, "-j", min(2, clients), "-T", seconds, "-P", 1,
               "--log", "--sampling-rate=0.1", f"--log-prefix={prefix}", dsn]
    readings, words = [], []
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout:
            if found := PROGRESS.match(line):
                readings.append((float(found[1]), float(found[2]), cpu_seconds(pid)))
            words.append(line)
    text = "".join(words)
    tps = re.search(r"^tps = ([0-9.]+)", text, re.MULTILINE)
    failed = re.search(r"number of failed transactions: (\d+)", text)
    if process.returncode != 0 or not tps or not failed or failed[1] != "0":
        raise RuntimeError(f"pgbench ended with {process.returncode}:\n{text[-2000:]}")

    transactions = sum(rate * (now - before) for (before, _, _), (now, rate, _) in zip(readings, readings[1:]))
    logs = list(folder.glob("latency.*"))
    latencies = sorted(int(line.split()[2]) for log in logs for line in log.read_text().splitlines())
    for log in logs:
        log.unlink()
    result = {"tps": float(tps[1]), "p50": percentile(latencies, 0.50), "p99": percentile(latencies, 0.99)}
    if pid and transactions:
        result["cpu"] = 1e6 * (readings[-1][2] - readings[0][2]) / transactions
    return result


def warm_up(dsn, mode, clients):
    """A few transactions of every client, so that pools have their servers and caches their contents."""
    subprocess.run([str(word) for word in (BIN / "pgbench", "-n", "-S", "-M", mode, "-c", clients, "-t", 20, dsn)],
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=True)


def stream(dsn, pid, sql, megabytes, source=None):
    """One psql that moves `megabytes` in either direction: MB/s, and CPU milliseconds per MB of process `pid`."""
    before, started = cpu_seconds(pid), time.monotonic()
    with open(source or "/dev/null", "rb") as standard_input:
        done = subprocess.run([BIN / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, dsn], stdin=standard_input,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300)
    elapsed, used = time.monotonic() - started, cpu_seconds(pid) - before
    if done.returncode != 0:
        raise RuntimeError(f"psql ended with {done.returncode}: {done.stderr[-2000:]}")
    return {"rate": megabytes / elapsed, **({"cpu": 1e3 * used / megabytes} if pid else {})}
