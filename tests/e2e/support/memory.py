"""Memory of another process: what is its own, and the most that it holds while something goes on."""
import threading
from pathlib import Path


def resident_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has no VmRSS")


def private_bytes(pid: int) -> int:
    """What it has written and shares with nobody: pages of its program come and go as others run the same one."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:"))


class Growth:
    """with Growth(pid) as growth: ...; then growth.kib, by how much it was larger at most than at the beginning."""

    def __init__(self, pid: int):
        self._pid = pid
        self._before = self._peak = resident_kib(pid)
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._done.wait(0.05):
            self._look()

    def _look(self):
        self._peak = max(self._peak, resident_kib(self._pid))

    def __enter__(self):
        self._watcher.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._watcher.join()
        self._look()

    @property
    def kib(self) -> int:
        return self._peak - self._before
