"""The table of the README is the catalogue's."""
from pathlib import Path

from harness.catalogue import CHECKS, DRIVERS

README = Path(__file__).with_name("README.md").read_text()


def test_the_table_says_what_is_checked():
    lines = [line.strip("|").split("|") for line in README.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line] for line in lines]
    shown = {row[0]: row[1:] for row in rows if len(row) == len(CHECKS) + 1}
    head = shown.pop("driver")
    shown.pop("---")
    assert head == list(CHECKS)
    assert shown == {f"`{driver.name}`": ["yes" if check in driver.checks else "-" for check in CHECKS]
                     for driver in DRIVERS}


def test_each_check_that_is_left_out_has_its_reason():
    for driver in DRIVERS:
        for check, reason in driver.lacks.items():
            assert f"`{driver.name}` {check}: {reason}" in README
