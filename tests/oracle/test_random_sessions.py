"""Random sessions over all message types: through pgsluice they get what PostgreSQL answers."""
from concurrent.futures import ThreadPoolExecutor

import pytest

from comparison import compare
from conftest import LANES, MODES
from generator import Generator
from session import Session


def shortened(session: Session, still_differs) -> Session:
    """Steps that do not matter are taken out, from the end."""
    for index in range(len(session.steps) - 1, -1, -1):
        shorter = session.without(index)
        if shorter.steps and still_differs(shorter):
            session = shorter
    return session


@pytest.mark.timeout(0)
@pytest.mark.parametrize("mode", MODES)
def test_get_the_same_answers(oracle, proxy, mode, request):
    count, first = request.config.getoption("sessions"), request.config.getoption("seed")

    def lane(number: int) -> list:
        found = []
        for seed in range(first + number, first + count, LANES):
            session = Generator(seed, f"lane_{number}").session()
            if difference := compare(oracle, proxy, mode, session):
                found.append((session, difference))
                if len(found) >= 3:
                    break
        return found

    with ThreadPoolExecutor(LANES) as pool:
        found = [each for lane_found in pool.map(lane, range(LANES)) for each in lane_found]
    shown = []
    for session, difference in found[:6]:
        short = shortened(session, lambda each: compare(oracle, proxy, mode, each))
        shown.append(f"{short}\n{compare(oracle, proxy, mode, short) or 'at first only: ' + difference}")
    assert not found, "\n\n".join(shown)
