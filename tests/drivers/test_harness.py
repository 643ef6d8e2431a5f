"""The harness finds what goes wrong: in a check, in a program, and behind its last word."""
import os

import pytest

from harness import runs

PROGRAM = """
for check; do
    case $check in
        hangs) exec sleep 60 ;;
        dies) echo "last words" >&2; exit 3 ;;
        babbles) echo "no JSON" ;;
        confuses) echo '{"name": "another", "ok": true, "detail": ""}' ;;
        fails) echo '{"name": "fails", "ok": false, "detail": "seen 1"}' ;;
        *) echo "{\\"name\\": \\"$check\\", \\"ok\\": true, \\"detail\\": \\"\\", \\"servers\\": 2}" ;;
    esac
done
exit ${CODE:-0}
"""


@pytest.fixture
def played(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "SECONDS_FOR_A_CHECK", 2)
    return lambda *checks, **environment: runs.play(["sh", "-c", PROGRAM, "program"], list(checks),
                                                    {"PATH": os.environ["PATH"], **environment}, tmp_path)


@pytest.mark.parametrize("trouble, words", [
    ("hangs", "no answer within 2 s"), ("dies", "ended with 3\nlast words"), ("babbles", "not a verdict"),
    ("confuses", "instead of 'confuses'"), ("fails", "seen 1")])
def test_a_check_that_goes_wrong_fails_alone(played, trouble, words):
    verdicts = played("before", trouble, "behind")
    outcome = [(check, verdict.ok) for check, verdict in verdicts.items()]
    assert outcome == [("before", True), (trouble, False), ("behind", True)]
    assert words in verdicts[trouble].detail
    assert verdicts["behind"].servers == 2


def test_a_program_that_fails_behind_its_last_check_is_told(played):
    with pytest.raises(AssertionError, match="ended with 4"):
        played("only", CODE="4")
