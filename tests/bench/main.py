"""The comparison behind scripts/bench; see its --help."""
import argparse
import collections
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "tests/e2e"))

import callgrind
import measurements
import report
import train
from servers import HAProxy, PgBouncer, PgSluice, Postgres
from support.certificates import Authority
from support.system import give_to_unprivileged

TARGETS = ["direct", "haproxy", "pgbouncer", "pgsluice"]


class Stage:
    """Every server that the measurements use, started when first asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.prefix = ()  # of every pgsluice's command line
        authority = Authority(folder)
        self.certificate = authority.issue("localhost", hosts=("localhost", "127.0.0.1"))
        self.postgres = Postgres(folder, self.certificate)
        self._servers = {}

    def server(self, target, **options):
        key = (target, tuple(sorted(options.items())))
        if target == "direct":
            return self.postgres
        if key not in self._servers:
            self._servers[key] = self.fresh(target, **options)
        return self._servers[key]

    def fresh(self, target, **options):
        """One more instance, which the caller stops."""
        label = f"-{time.monotonic_ns()}"
        if target == "haproxy":
            return HAProxy(self.folder, self.postgres)  # passes TLS through
        if target == "pgbouncer":
            return PgBouncer(self.folder, self.postgres, self.certificate, label=label, **options)
        return PgSluice(self.folder, self.postgres, self.certificate, label=label, prefix=self.prefix, **options)

    def stop(self):
        for server in [*self._servers.values(), self.postgres]:
            server.stop()


def run(stage, chosen, targets, options):
    """{measurement: {target: {figure: [one value per round]}}}, the targets taking turns within each round."""
    results = collections.defaultdict(lambda: collections.defaultdict(lambda: collections.defaultdict(list)))
    for round_number in range(1, options.rounds + 1):
        for name in chosen:
            measurement = measurements.ALL[name]
            if round_number > measurement.most_rounds:
                continue
            for target in measurement.targets(targets):
                for figure, value in measurement.take(stage, target, options).items():
                    results[name][target][figure].append(value)
                print(f"round {round_number}/{options.rounds} {name:18} {target:22}",
                      "  ".join(f"{figure} {values[-1]:.4g}" for figure, values in results[name][target].items()), flush=True)
    return results


def arguments():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("mode", nargs="?", choices=["compare", "callgrind", "train"], default="compare")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    parser.add_argument("--targets", type=lambda text: text.split(","), default=TARGETS)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    options.seconds = options.seconds or (3 if options.quick else 5)
    options.idle_clients = 500 if options.quick else 5000
    options.megabytes = 50 if options.quick else 200
    known = callgrind.MODES if options.mode == "callgrind" else measurements.ALL
    for name in options.only:
        if name not in known:
            parser.error(f"there is no measurement '{name}'; there are: {' '.join(known)}")
    if options.mode == "train" and not options.output:
        parser.error("train wants --output, the folder of the counts")
    for name in options.targets:
        if name not in TARGETS:
            parser.error(f"there is no target '{name}'; there are: {' '.join(TARGETS)}")
    return options


def main():
    options = arguments()
    if options.list:
        return print("\n".join(measurements.ALL))
    if "pgsluice" in options.targets and not os.access(os.environ["PGSLUICE_BIN"], os.X_OK):
        sys.exit(f"there is no pgsluice at {os.environ['PGSLUICE_BIN']}: build it, or leave it out with --targets")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # thousands of idle clients, in servers and in our own process
    folder = Path(tempfile.mkdtemp(prefix="pgsluice-bench-"))
    folder.chmod(0o755)
    give_to_unprivileged(folder)
    stage = None
    try:
        stage = Stage(folder)
        if options.mode == "callgrind":
            return callgrind.run(stage, options.only or callgrind.MODES)
        if options.mode == "train":
            return train.run(stage, measurements.ALL, options)
        whole = not options.only and options.targets == TARGETS and not options.quick
        results = run(stage, options.only or list(measurements.ALL), options.targets, options)
        text = report.document(results, options)
        print("\n" + text)
        if output := options.output or (TREE / "docs/benchmarks.md" if whole else None):
            output.write_text(text + report.kept_of(output.read_text() if output.exists() else ""))
            print(f"written to {output}")
    finally:
        if stage:
            stage.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
