#!/usr/bin/env python3
"""Rejects an #include that the layers do not allow.

Usage: scripts/layers.py [TREE]

Reads the allowed edges from cmake/layers.cmake of TREE (default: this checkout) and every source and header under
src/ and include/pgsluice/. The pure layers may not see an event loop, a logger, a thread, a clock or a random source."""
import pathlib
import re
import sys

PURE = {"wire", "sql", "auth", "insight", "policy", "routing", "protocol", "pool", "session", "admin"}
IMPURE = re.compile(
    r"boost/(asio|beast)|asio|spdlog/|openssl/rand\.h|(thread|ctime|time\.h|sys/time\.h|random|mutex|shared_mutex|atomic|"
    r"condition_variable|future|stop_token|semaphore|iostream|fstream|filesystem)$"
)
CLOCK = re.compile(r"_clock::now\(|\bclock_gettime\(|\btime\((nullptr|NULL|0)\)")  # <chrono>'s durations are values: allowed
# What the workers share: the permits and the queue of a pool, and the count of what runs under a policy's limit. A time
# that is passed in is written as a date.
ALLOWED = {"pool": {"mutex", "atomic"}, "policy": {"mutex"}, "admin": {"ctime"}}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
EDGES = re.compile(r'^set\(PGSLUICE_DEPENDS_(\w+)\s+"?([^")]*)"?\)', re.MULTILINE)


def read_edges(tree):
    text = (tree / "cmake/layers.cmake").read_text()
    return {layer: {layer, *depends.split()} for layer, depends in EDGES.findall(text)}


def problem(layer, included, edges):
    target = re.match(r"pgsluice/(\w+)/", included)
    if target and target[1] not in edges[layer]:
        return f"layer '{layer}' may not include layer '{target[1]}' (cmake/layers.cmake allows: {' '.join(sorted(edges[layer]))})"
    if layer in PURE and IMPURE.match(included) and included not in ALLOWED.get(layer, ()):
        return f"layer '{layer}' is pure: <{included}> stays outside; pass in what it needs as a value"
    return None


def check(tree):
    edges = read_edges(tree)
    for root in (tree / "src", tree / "include/pgsluice"):
        for path in sorted(p for p in root.rglob("*") if p.suffix in (".cpp", ".hpp")):
            layer = path.relative_to(root).parts[0]
            if layer not in edges:
                yield f"{path}:1: '{layer}' is no layer of cmake/layers.cmake"
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                included = INCLUDE.match(line)
                if included and (wrong := problem(layer, included[1], edges)):
                    yield f"{path}:{number}: {wrong}"
                if layer in PURE and CLOCK.search(line):
                    yield f"{path}:{number}: layer '{layer}' is pure: it reads no clock; take a TimePoint from the caller"


if __name__ == "__main__":
    if sys.argv[1:2] in (["-h"], ["--help"]):
        sys.exit(print(__doc__))
    found = list(check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent)))
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))
