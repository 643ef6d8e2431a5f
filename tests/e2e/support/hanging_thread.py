"""One thread of a process that stands still while the others go on."""
import contextlib
import ctypes
import os
from pathlib import Path

import pytest


@contextlib.contextmanager
def hanging_thread(pid: int, name: str):
    """By ptrace: a signal would stop them all."""
    seize, interrupt, detach, any_thread = 0x4206, 0x4207, 17, 0x40000000
    thread = next(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir() if (task / "comm").read_text().strip() == name)
    libc = ctypes.CDLL(None, use_errno=True)

    def trace(request: int) -> bool:
        return libc.ptrace(ctypes.c_long(request), thread, None, None) == 0
    if not trace(seize):
        pytest.skip(f"ptrace is not allowed here: {os.strerror(ctypes.get_errno())}")
    assert trace(interrupt)
    os.waitpid(thread, any_thread)
    try:
        yield
    finally:
        assert trace(detach)
