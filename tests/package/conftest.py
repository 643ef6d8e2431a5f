import os
import pathlib
import sys

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "scripts"))
sys.path.insert(0, str(TREE / "scripts/lib"))


@pytest.fixture
def tree():
    return TREE


@pytest.fixture
def pgsluice():
    """The binary under test; scripts/test names it."""
    return pathlib.Path(os.environ.get("PGSLUICE_BIN", TREE / "build/dev/bin/pgsluice"))
