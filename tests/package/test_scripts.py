"""The scripts answer for themselves: help, wrong words, and the sum of the test reports."""
import subprocess
import time

import pytest
import tally

SCRIPTS = ["deps", "run", "test", "bench", "check", "fuzz", "layers.py"]


def run(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", SCRIPTS)
def test_help(tree, name):
    done = run(tree / "scripts" / name, "--help")
    assert done.returncode == 0, done.stderr
    assert f"scripts/{name}" in done.stdout


@pytest.mark.parametrize("name", ["deps", "run", "test", "bench", "check", "fuzz"])
def test_wrong_words_end_with_two_and_say_where_help_is(tree, name):
    done = run(tree / "scripts" / name, "--no-such-thing")
    assert done.returncode == 2
    assert "--help" in done.stderr


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
