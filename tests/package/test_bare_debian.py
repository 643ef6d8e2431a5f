"""What the README promises of a fresh Debian 12, done there."""
import os
import subprocess

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap wants root")]


@pytest.mark.timeout(4 * 3600)
def test_the_commands_of_the_readme_succeed(tree):
    assert subprocess.run([tree / "tests/package/bare_debian"], stdin=subprocess.DEVNULL).returncode == 0


@pytest.mark.timeout(600)
def test_a_command_that_fails_is_told(tree):
    done = subprocess.run([tree / "tests/package/bare_debian", "scripts/test --no-such-thing"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    assert done.returncode == 1
    assert "ended with 2" in done.stdout
