"""scripts/layers.py keeps the layers apart."""
import shutil

import layers
import pytest


def found(tree, path, text, place):
    """What layers.check says about one file put into an empty tree."""
    (place / "cmake").mkdir()
    shutil.copy(tree / "cmake/layers.cmake", place / "cmake")
    file = place / path
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return list(layers.check(place))


def test_this_checkout_is_clean(tree):
    assert list(layers.check(tree)) == []


@pytest.mark.parametrize(
    "path, text",
    [
        ("src/wire/a.cpp", "#include <pgsluice/pool/pool.hpp>\n"),
        ("src/wire/a.cpp", '#  include "pgsluice/daemon/worker.hpp"\n'),
        ("include/pgsluice/auth/a.hpp", "#include <pgsluice/session/session.hpp>\n"),
        ("src/base/a.cpp", "#include <pgsluice/net/link.hpp>\n"),
        ("src/session/a.cpp", "#include <boost/asio/io_context.hpp>\n"),
        ("src/policy/a.cpp", "#include <spdlog/spdlog.h>\n"),
        ("src/pool/a.cpp", "#include <thread>\n"),
        ("src/wire/a.cpp", "#include <mutex>\n"),
        ("src/auth/a.cpp", "#include <openssl/rand.h>\n"),
        ("src/routing/a.cpp", "auto now = std::chrono::steady_clock::now();\n"),
        ("src/elsewhere/a.cpp", "\n"),
    ],
)
def test_refuses(tree, tmp_path, path, text):
    problems = found(tree, path, text, tmp_path)
    assert len(problems) == 1
    assert problems[0].startswith(f"{tmp_path}/{path}:1: ")


@pytest.mark.parametrize(
    "path, text",
    [
        ("src/wire/a.cpp", "#include <pgsluice/base/bytes.hpp>\n#include <chrono>\n"),
        ("src/pool/a.cpp", "#include <mutex>\n#include <atomic>\n#include <pgsluice/metrics/counters.hpp>\n"),
        ("src/net/a.cpp", "#include <boost/asio/io_context.hpp>\n#include <thread>\n"),
        ("src/daemon/a.cpp", "#include <pgsluice/session/session.hpp>\nauto t = std::chrono::steady_clock::now();\n"),
    ],
)
def test_allows(tree, tmp_path, path, text):
    assert found(tree, path, text, tmp_path) == []
