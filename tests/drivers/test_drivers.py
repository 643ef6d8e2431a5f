"""Every driver's checklist, on every way: test[pgx-transaction-copy]. The programs that ask are in programs/."""
import pytest

from harness.catalogue import DRIVERS, WAYS

CASES = [pytest.param(driver, way, check, id=f"{driver.name}-{way}-{check}")
         for driver in DRIVERS for way in WAYS for check in driver.checks]


@pytest.mark.parametrize("driver, way, check", CASES)
def test(verdicts_on, driver, way, check):
    verdict = verdicts_on(driver, way)[check]
    assert verdict.ok, verdict.detail
    if check == "prepared":  # a statement that never met another server would prove nothing
        assert (verdict.servers > 1) == (way == "transaction"), f"it ran on {verdict.servers} servers"
