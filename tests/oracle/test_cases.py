"""Hand-chosen sessions: through pgsluice they get what PostgreSQL answers, however they are sent."""
import pytest

from cases import sessions
from comparison import Verdict, compare
from conftest import MODES


@pytest.mark.parametrize("pace", ["steps", "at once", "cut", "byte by byte"])
@pytest.mark.parametrize("mode", MODES)
def test_get_the_same_answers(oracle, proxy, mode, pace):
    found = {session.name: compare(oracle, proxy, mode, session) for session in sessions(pace)}
    found = {name: verdict for name, verdict in found.items() if verdict != Verdict()}
    assert not found, f"{len(found)} differ\n" + "\n".join(f"{name}\n{verdict.difference or verdict.given_up}" for name, verdict in found.items())


def test_there_are_enough():
    assert len(sessions("steps")) >= 150
