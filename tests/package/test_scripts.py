"""The scripts answer for themselves: help, wrong words, and the sum of the test reports."""
import re
import subprocess
import time

import pytest
import tally
from debian_changelog import debian_changelog, releases

SCRIPTS = ["deps", "run", "test", "bench", "check", "fuzz", "package", "layers.py"]


def run(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", SCRIPTS)
def test_help(tree, name):
    done = run(tree / "scripts" / name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"scripts/{name}" in done.stdout


@pytest.mark.parametrize("name", ["deps", "run", "test", "bench", "check", "fuzz", "package"])
def test_wrong_words_end_with_two_and_say_where_help_is(tree, name):
    done = run(tree / "scripts" / name, "--no-such-thing")
    assert done.returncode == 2
    assert "--help" in done.stderr


def test_all_tests_are_every_kind_of_them(tree):
    text = (tree / "scripts/test").read_text()
    kinds = re.findall(r"^run_(\w+)\(\)", text, flags=re.MULTILINE)
    assert re.search(r"all\) what\+=\((.*)\) ;;", text)[1].split() == kinds


def test_deps_is_quick_when_all_is_there(tree):
    before = time.monotonic()
    done = run(tree / "scripts/deps", "build", "test")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert time.monotonic() - before < 1


def test_tally_counts_errors_as_failures_and_takes_skips_out(tmp_path):
    report = tmp_path / "a.xml"
    report.write_text(
        '<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/>'
        '<testsuite tests="4" failures="0" disabled="1"/></testsuites>'
    )
    assert tally.tally([report]) == (6, 3, 4)


def test_tally_fails_when_no_test_ran(tree, tmp_path):
    (tmp_path / "a.xml").write_text('<testsuite tests="0" failures="0"/>')
    done = run(tree / "scripts/lib/tally.py", tmp_path / "a.xml")
    assert (done.returncode, done.stdout) == (1, "0 passed, 0 failed\n")


def test_debians_changelog_has_every_release_with_its_date():
    text = """# Changelog

Words ahead.

## [Unreleased]

### Added

- `one` thing that
  goes on.

## [0.1.0] - 2026-03-04

To be read.

- Another.
"""
    assert debian_changelog(text, "0.2.0", "A <a@b.org>", now=0) == """\
pgsluice (0.2.0) bookworm; urgency=medium

  * one thing that goes on.

 -- A <a@b.org>  Thu, 01 Jan 1970 00:00:00 -0000

pgsluice (0.1.0) bookworm; urgency=medium

  * Another.

 -- A <a@b.org>  Wed, 04 Mar 2026 00:00:00 +0000
"""


def test_debians_changelog_has_an_item_for_each_line_of_ours(tree):
    text = (tree / "CHANGELOG.md").read_text()
    assert sum(len(items) for _, _, items in releases(text)) == sum(line.startswith("- ") for line in text.splitlines()) > 0
