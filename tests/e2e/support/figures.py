"""What tests measure: a property in the test's report, and all of it as one Markdown table at the end of the run."""
import functools

import pytest

from .proxy import BINARY


def full_size(name: str, quick, full, timeout: int = 300):
    """The parameter `name`: its quick value in every run, its full one in `scripts/test limits` and `scripts/test slow`."""
    marks = [pytest.mark.slow, pytest.mark.limits, pytest.mark.timeout(timeout)]
    return pytest.mark.parametrize(name, [quick, pytest.param(full, marks=marks)])


@functools.cache
def is_sanitized() -> bool:
    """Under a sanitizer memory and time are its own: they are told, and not held against pgsluice."""
    program = BINARY.read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


@pytest.fixture
def figure(request):
    """figure("100 slow readers: memory of each", "97 KiB", "at most 256 KiB", holds=kib <= 256)"""
    def note(what: str, measured: str, wanted: str = "", holds: bool = True):
        request.node.user_properties.append(("figure", (what, measured, wanted)))
        assert holds or is_sanitized(), f"{what}: {measured}, wanted: {wanted}"
    return note


def pytest_terminal_summary(terminalreporter):
    rows = [value for reports in terminalreporter.stats.values() for report in reports if getattr(report, "when", "") == "call"
            for name, value in report.user_properties if name == "figure"]
    if rows:
        terminalreporter.section("figures")
        for row in [("what", "measured", "wanted"), ("---",) * 3, *rows]:
            terminalreporter.write_line(f"| {' | '.join(row)} |")
