"""docs/coverage.md names tests that exist, and files of tests that have some."""
import functools
import pathlib
import re

TREE = pathlib.Path(__file__).resolve().parents[2]
FILE = re.compile(r"(?:unit|e2e|package|oracle|drivers)/[\w/]+\.(?:cpp|py)")
ROWS = [line for line in (TREE / "docs/coverage.md").read_text().splitlines() if line.startswith("| ")
        and not line.startswith("| ---") and not re.match(r"\| promise \| \w+( \w+)? \|$", line)]


@functools.cache
def names_in(file):
    text = (TREE / "tests" / file).read_text()
    if file.endswith(".py"):
        return set(re.findall(r"^(?:async )?def (test\w*)\(", text, flags=re.MULTILINE))
    return {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\s*\)", text, flags=re.MULTILINE)}


def test_every_test_that_is_named_exists():
    missing, seen = [], 0
    for row in ROWS:
        file = None
        for word in re.findall(r"`([^`]+)`", row.split("|", 2)[2]):
            if FILE.fullmatch(word):
                file, seen = word, seen + 1
                if not (TREE / "tests" / file).exists() or not names_in(file):
                    missing.append(file)
            elif file and (TREE / "tests" / file).exists() and re.fullmatch(r"test_\w+|\w+\.\w+", word):
                seen += 1
                if word not in names_in(file):
                    missing.append(f"{file} {word}")
    assert missing == []
    assert seen > 300


def test_every_promise_has_a_test_or_says_that_it_has_none():
    silent = []
    for row in ROWS:
        promise, held = (part.strip() for part in row.strip("| ").split(" | ", 1))
        if not promise or not (FILE.search(held) or "one**" in held):
            silent.append(row)
    assert silent == []


def test_every_clause_of_the_daemon_is_there():
    text = (TREE / "docs/coverage.md").read_text()
    assert [int(number) for number in re.findall(r"^## (\d+) ", text, flags=re.MULTILINE)] == list(range(1, 14))
