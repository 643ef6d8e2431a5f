"""What the documents name exists: files, links, functions, and the configuration of the README."""
import pathlib
import re
import subprocess

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
GENERATED = {"docs/benchmarks.md"}  # scripts/bench writes it
FOLDERS = ("src", "include", "tests", "scripts", "config", "cmake", "docker", "docs", "packaging")


def documents():
    return sorted([*TREE.glob("*.md"), *TREE.glob("docs/**/*.md"), *TREE.glob("tests/**/*.md")])


def name_of(document):
    return str(document.relative_to(TREE))


def prose(document):
    """Without fenced blocks, whose text names things on other machines."""
    return re.sub(r"^```.*?^```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)


def fenced(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(document):
    headings = re.findall(r"^#+ (.*)$", prose(document), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_links_lead_somewhere(document):
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if name_of(target) in GENERATED:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_files_that_are_named_exist(document):
    named = re.findall(r"`([\w./*-]+)`", prose(document))
    missing = [path for path in named if path.split("/")[0] in FOLDERS and "/" in path and not list(TREE.glob(path))]
    assert missing == []


def test_the_life_of_a_query_names_its_files():
    text = prose(TREE / "docs/architecture.md")
    for title in ("a query", "a login", "a server connection", "a reload"):
        section = re.search(rf"^## The life of {title}$(.*?)^## ", text, flags=re.DOTALL | re.MULTILINE)
        assert len(re.findall(r"`(?:src|include)/[\w/.*-]+`", section[1])) >= 4


@pytest.mark.parametrize("document", documents(), ids=name_of)
def test_functions_that_are_named_exist(document):
    code = "\n".join(path.read_text() for folder in ("src", "include") for path in (TREE / folder).rglob("*.[ch]pp"))
    named = re.findall(r"`(?:\w+::)*([A-Z]\w+)::(\w+)(?:\(\))?`", prose(document))
    missing = [f"{kind}::{name}" for kind, name in named
               if not re.search(rf"\b{name}\b", code) or not re.search(rf"\b(?:class|struct) {kind}\b", code)]
    assert missing == []


def test_every_layer_is_described(tree):
    layers = re.search(r"set\(PGSLUICE_LAYERS ([^)]*)\)", (tree / "cmake/layers.cmake").read_text())[1].split()
    described = re.findall(r"^\| `(\w+)` \|", (tree / "docs/architecture.md").read_text(), flags=re.MULTILINE)
    assert sorted(described) == sorted(layers)


def test_decisions_are_numbered_and_have_their_parts(tree):
    records = sorted((tree / "docs/adr").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text()
        assert text.startswith(f"# {int(record.name[:4])}. "), record
        parts = re.findall(r"^## (\w+)", text, flags=re.MULTILINE)
        assert parts[:3] == ["Context", "Decision", "Consequences"], record


# --- The README ------------------------------------------------------------------------------------------------------

def test_the_readme_shows_the_minimal_configuration(tree):
    shown, = fenced(tree / "README.md", "yaml")
    minimal = (tree / "config/minimal.yaml").read_text()
    assert shown == "".join(line + "\n" for line in minimal.splitlines() if not line.startswith("#"))


def test_the_readmes_configuration_is_understood(tree, pgsluice, tmp_path):
    verifier = subprocess.run([pgsluice, "hash-password"], input="secret", capture_output=True, text=True, timeout=20, check=True).stdout.strip()
    (tmp_path / "userlist.txt").touch(mode=0o600)
    (tmp_path / "userlist.txt").write_text(f'"app" "{verifier}"\n')
    file = tmp_path / "pgsluice.yaml"
    file.write_text(fenced(tree / "README.md", "yaml")[0])
    done = subprocess.run([pgsluice, "--config", file, "--check"], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    assert 'name: "all"' in done.stdout


def test_the_readmes_commands_exist(tree):
    commands = re.findall(r"^(scripts/\w+)", fenced(tree / "README.md", "sh")[0], flags=re.MULTILINE)
    assert commands == ["scripts/run", "scripts/test"]
    assert all((tree / command).stat().st_mode & 0o111 for command in commands)


# --- Examples elsewhere ----------------------------------------------------------------------------------------------

def test_examples_of_policies_are_understood(tree, pgsluice, tmp_path):
    whole = ("listeners: [ { address: 127.0.0.1 } ]\nauth: { rules: [ { method: scram-sha-256 } ], users_file: userlist.txt }\n"
             "clusters: { main: { servers: [ { host: /run/postgresql } ] } }\nroutes: [ { name: orders } ]\n")
    (tmp_path / "userlist.txt").touch(mode=0o600)
    examples = fenced(tree / "docs/policy.md", "yaml")
    assert examples
    for example in examples:
        file = tmp_path / "pgsluice.yaml"
        file.write_text(whole + example)
        done = subprocess.run([pgsluice, "--config", file, "--check"], capture_output=True, text=True, timeout=20)
        assert (done.returncode, done.stderr) == (0, ""), example


def table_under(tree, heading):
    """The first cells of the table of a section of operations.md."""
    section = (tree / "docs/operations.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def sources(tree):
    return [path.read_text() for path in (tree / "src").rglob("*.cpp")]


def test_every_sqlstate_is_explained(tree):
    used = {code for text in sources(tree) for code in re.findall(r'\b(?:fatal|error)\(\s*"([0-9A-Z]{5})"', text)}
    assert len(used) > 15 and table_under(tree, "SQLSTATEs") == used


def test_every_event_of_the_log_is_explained(tree):
    used = {event for text in sources(tree) for event in re.findall(r'log::(?:debug|info|warning|error)\(\s*"(\w+)"', text)}
    assert len(used) > 15 and used <= table_under(tree, "Log events")
