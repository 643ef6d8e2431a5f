#!/usr/bin/env python3
"""CHANGELOG.md in the form that Debian's changelogs have: debian_changelog.py FILE VERSION MAINTAINER

What is not released yet becomes VERSION's, with the date of SOURCE_DATE_EPOCH, or else today's.
"""
import datetime
import email.utils
import os
import re
import sys
import textwrap
import time

HEADING = re.compile(r"^## \[([^\]]+)\](?: - (\d{4}-\d\d-\d\d))?$")
WIDTH = 78


def releases(text):
    """(name, date or None, [item]) of each; an item is one line without its markup."""
    found = []
    for line in text.splitlines():
        if heading := HEADING.match(line):
            found.append((heading[1], heading[2], []))
        elif found and line.startswith("- "):
            found[-1][2].append(line[2:])
        elif found and line.startswith("  ") and found[-1][2]:
            found[-1][2][-1] += " " + line.strip()
    return [(name, date, [item.replace("`", "") for item in items]) for name, date, items in found]


def moment(date, now):
    if date is None:
        return email.utils.formatdate(now)
    return email.utils.format_datetime(datetime.datetime.fromisoformat(date).replace(tzinfo=datetime.timezone.utc))


def debian_changelog(text, version, maintainer, now):
    entries = []
    for name, date, items in releases(text):
        if not items:
            continue
        lines = [f"pgsluice ({version if name == 'Unreleased' else name}) bookworm; urgency=medium", ""]
        for item in items:
            lines += textwrap.wrap(item, WIDTH, initial_indent="  * ", subsequent_indent="    ", break_on_hyphens=False)
        entries.append("\n".join([*lines, "", f" -- {maintainer}  {moment(date, now)}", ""]))
    return "\n".join(entries)


def main(path, version, maintainer):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(debian_changelog(text, version, maintainer, float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))


if __name__ == "__main__":
    main(*sys.argv[1:])
