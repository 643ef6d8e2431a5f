#!/usr/bin/env python3
"""Adds up JUnit reports of ctest and pytest and prints one line: N passed, N failed[, N skipped].

Usage: tally.py REPORT.xml...
Ends with 1 when a test failed or none ran."""
import sys
import xml.etree.ElementTree as ElementTree


def tally(paths):
    total = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0, "disabled": 0}
    for path in paths:
        for suite in ElementTree.parse(path).iter("testsuite"):
            for key in total:
                total[key] += int(suite.get(key, 0))
    failed = total["failures"] + total["errors"]
    skipped = total["skipped"] + total["disabled"]
    return total["tests"] - failed - skipped, failed, skipped


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    passed, failed, skipped = tally(sys.argv[1:])
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(failed > 0 or passed == 0)


if __name__ == "__main__":
    main()
