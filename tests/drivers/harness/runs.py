"""Plays a driver's program: one line of JSON for each check, in the order in which they were asked for.

A program that hangs or dies is the failure of the check it was at. It is started again for the checks behind that one,
so that they are judged by themselves."""
import json
import queue
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

SECONDS_FOR_A_CHECK = 20


@dataclass
class Verdict:
    ok: bool
    detail: str
    servers: int = 0  # on how many server processes the prepared statement ran


def play(command: list, checks: list, environment: dict, folder: Path) -> dict:
    """The verdict on every check."""
    verdicts: dict = {}
    while left := [check for check in checks if check not in verdicts]:
        with _Program(command, left, environment, folder / "errors.log") as program:
            for check in left:
                verdicts[check] = program.next_verdict(check)
                if program.ended:
                    break
    return verdicts


class _Program:
    def __init__(self, command: list, checks: list, environment: dict, errors: Path):
        self.ended = False
        self._errors = errors
        with open(errors, "wb") as log:
            self._process = subprocess.Popen([*map(str, command), *checks], env=environment, stdin=subprocess.DEVNULL,
                                             stdout=subprocess.PIPE, stderr=log, text=True, cwd=errors.parent)
        self._lines: queue.Queue = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def next_verdict(self, check: str) -> Verdict:
        try:
            line = self._lines.get(timeout=SECONDS_FOR_A_CHECK)
        except queue.Empty:
            return self._given_up(f"no answer within {SECONDS_FOR_A_CHECK} s")
        if line is None:
            return self._given_up(f"the program ended with {self._process.wait(SECONDS_FOR_A_CHECK)}")
        try:
            said = json.loads(line)
        except ValueError:
            return self._given_up(f"not a verdict: {line!r}")
        if said["name"] != check:
            return self._given_up(f"a verdict on {said['name']!r} instead of {check!r}")
        return Verdict(said["ok"], said["detail"], said.get("servers", 0))

    def _given_up(self, why: str) -> Verdict:
        self.ended = True
        self._process.kill()
        return Verdict(False, f"{why}\n{self._last_words()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """A program that has said all must leave by itself: not to end is a failure of its driver's close."""
        try:
            code = self._process.wait(SECONDS_FOR_A_CHECK)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join(SECONDS_FOR_A_CHECK)
        self._process.stdout.close()
        assert self.ended or code == 0, f"the program ended with {code}\n{self._last_words()}"

    def _last_words(self) -> str:
        return self._errors.read_text(errors="replace")[-4000:]
