"""packaging/manual makes the man page of what --help and the documents say."""
import re
import subprocess

import pytest


@pytest.fixture
def page(tree, pgsluice, tmp_path):
    """The page without its typesetting."""
    file = tmp_path / "pgsluice.8"
    done = subprocess.run([tree / "packaging/manual", pgsluice, file], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return re.sub(r"\\f[A-Z]|\\[,/]", "", file.read_text()).replace(r"\-", "-")


def help_of(pgsluice, *verb):
    return subprocess.run([pgsluice, *verb, "--help"], capture_output=True, text=True, timeout=20, check=True).stdout


def test_it_has_every_option_of_every_verb(page, pgsluice):
    whole = help_of(pgsluice)
    verbs = re.findall(r"^  ([a-z-]+)  +[A-Z]", whole.partition("Subcommands:")[2], flags=re.MULTILINE)
    assert {"health", "hash-password"} <= set(verbs)
    for words in (whole, *(help_of(pgsluice, verb) for verb in verbs)):
        for option in re.findall(r"^  (?:-\w,)?(--[a-z-]+)", words, flags=re.MULTILINE):
            assert re.search(rf"{option}\b", page), option
    for verb in verbs:
        assert f"The verb {verb}:" in page


def test_it_has_the_exit_codes_and_the_signals(page, pgsluice, tree):
    section = lambda name: re.search(rf'^\.SH "?{name}"?$(.*?)^\.SH', page, flags=re.DOTALL | re.MULTILINE)[1]
    listed = re.search(r"^Exit codes: (.*)\.$", help_of(pgsluice), flags=re.MULTILINE)[1]
    assert re.findall(r"^\.B (\d)\n(.*)$", section("EXIT STATUS"), flags=re.MULTILINE) == [
        tuple(one.split(" ", 1)) for one in listed.split(", ")]
    for signal in ("SIGHUP", "SIGTERM, SIGINT", "SIGQUIT"):
        assert signal in section("SIGNALS")


def test_it_has_what_each_verb_says_of_its_exit_codes(page, pgsluice):
    for verb in ("import-pgbouncer", "explain"):
        told = re.search(r"^Exit codes: .*$", help_of(pgsluice, verb), flags=re.MULTILINE)[0]
        assert told in page.partition(f"The verb {verb}:")[2].partition("The verb ")[0]


def test_it_begins_and_ends_as_man_pages_do(page):
    assert re.search(r'^\.TH PGSLUICE "8" .* "pgsluice [\d.]+"', page, flags=re.MULTILINE)
    assert ".SH NAME\npgsluice - " in page
    assert [name for name in ("SYNOPSIS", "DESCRIPTION", "OPTIONS", "FILES", "EXAMPLES", '"SEE ALSO"') if f".SH {name}\n" not in page] == []
