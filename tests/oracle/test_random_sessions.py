"""Random sessions over all message types: through pgsluice they get what PostgreSQL answers."""
from collections import Counter
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
def test_get_the_same_answers(oracle, proxy, mode, request, figure):
    count, first = request.config.getoption("sessions"), request.config.getoption("seed")

    def lane(number: int) -> tuple:
        found, given_up = [], Counter()
        for seed in range(first + number, first + count, LANES):
            session = Generator(seed, f"lane_{number}").session()
            verdict = compare(oracle, proxy, mode, session)
            given_up.update({verdict.given_up: 1} if verdict.given_up else {})
            if verdict.difference:
                found.append((session, verdict.difference))
                if len(found) >= 3:
                    break
        return found, given_up

    with ThreadPoolExecutor(LANES) as pool:
        lanes = list(pool.map(lane, range(LANES)))
    given_up = sum((each for _, each in lanes), Counter())
    for why, sessions in given_up.most_common():
        figure(f"{mode}: sessions not compared to their end: {why}", f"{sessions / count:.2%}", "")
    figure(f"{mode}: sessions compared to their end", f"{1 - given_up.total() / count:.2%}", "at least 99 %", given_up.total() <= 0.01 * count)
    found = [each for lane_found, _ in lanes for each in lane_found]
    shown = []
    for session, difference in found[:6]:
        short = shortened(session, lambda each: compare(oracle, proxy, mode, each).difference)
        shown.append(f"{short}\n{compare(oracle, proxy, mode, short).difference or 'at first only: ' + difference}")
    assert not found, "\n\n".join(shown)
