"""The presets compile and link with what the documents say. Each is configured into a folder of its own; nothing is built."""
import json
import re
import shutil
import subprocess

import pytest

WARNINGS = {"-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Werror"}
HARDENING = {"-fstack-protector-strong", "-fcf-protection=full", "-D_FORTIFY_SOURCE=2", "-D_GLIBCXX_ASSERTIONS"}


@pytest.fixture
def flags(tree, tmp_path):
    """What each source of src/ is compiled with under a preset, and how the daemon is linked."""
    def configure(preset, *options):
        done = subprocess.run(["cmake", "--preset", preset, "-B", tmp_path, *options], cwd=tree, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        commands = [set(one["command"].split()) for one in json.loads((tmp_path / "compile_commands.json").read_text())
                    if one["file"].startswith(f"{tree}/src/")]
        assert len(commands) > 100
        link = re.search(r"^build bin/pgsluice: .*?^  LINK_FLAGS = (.*?)$", (tmp_path / "build.ninja").read_text(), flags=re.MULTILINE | re.DOTALL)
        return commands, link[1]
    return configure


@pytest.fixture
def counts(tmp_path):
    """A folder that says that it holds counts."""
    folder = tmp_path / "counts"
    folder.mkdir()
    (folder / "sources").touch()
    return folder


@pytest.mark.parametrize("preset", ["release", "profiled"])
def test_release_is_hardened(flags, counts, preset):
    commands, linked = flags(preset, f"-DPGSLUICE_COUNTS={counts}")
    for compiled in commands:
        assert HARDENING | WARNINGS - {"-Werror"} <= compiled
        assert ("-Werror" in compiled) == (preset == "release")  # what counts make of the code may look suspicious
        assert compiled & {"-fPIC", "-fPIE"}
        assert "-O2" in compiled and not compiled & {"-O0", "-O1"}
    assert "-pie" in linked.split()
    for option in ("relro", "now", "noexecstack"):
        assert re.search(rf"-z,{option}\b", linked)


@pytest.mark.parametrize("preset, wanted", [("dev", "-D_GLIBCXX_ASSERTIONS"), ("asan", "-fsanitize=address,undefined"),
                                            ("tsan", "-fsanitize=thread"), ("coverage", "--coverage")])
def test_other_presets_are_what_they_are_called(flags, preset, wanted):
    commands, _ = flags(preset)
    assert all({wanted} | WARNINGS <= compiled for compiled in commands)


def test_counts_are_used_for_what_they_were_taken_of(flags, counts, tmp_path):
    """The same sources, from one folder and under one name; ccache 4.7, which does not look at the name, has no part in it."""
    for preset, option in (("counting", "-fprofile-generate="), ("profiled", "-fprofile-use=")):
        commands, _ = flags(preset, f"-DPGSLUICE_COUNTS={counts}")
        chosen = [compiled for compiled in commands if f"{option}{counts}" in compiled]
        assert len(chosen) > 100
        assert all(f"-fprofile-prefix-path={tmp_path}" in compiled for compiled in chosen)
        assert not any(word.endswith("/ccache") for compiled in chosen for word in compiled)


def test_a_profiled_build_without_counts_names_the_script_that_makes_them(tree, tmp_path):
    done = subprocess.run(["cmake", "--preset", "profiled", "-B", tmp_path, f"-DPGSLUICE_COUNTS={tmp_path}"], cwd=tree, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode != 0 and "scripts/profile" in done.stderr


@pytest.mark.skipif(not shutil.which("ccache"), reason="ccache is not installed")
def test_ccache_is_used_when_present(flags, tmp_path):
    flags("dev")
    commands = re.findall(r"^  command = (.*) -c \$in$", (tmp_path / "CMakeFiles/rules.ninja").read_text(), flags=re.MULTILINE)
    assert commands and all(command.split()[0].endswith("/ccache") for command in commands)
