// Reads the configuration file and everything that it includes into one document.
#pragma once

#include "node.hpp"
#include "reader.hpp"

#include <cstddef>
#include <optional>

namespace pgsluice::config {

constexpr std::size_t largest_file_bytes = 16 << 20;

struct Document {
    Node root;
    bool complete = true;  // false: a file is missing from it, so what it lacks may stand there
};

// nullopt where the main file cannot be used at all. An included file holds the same top-level keys: its lists are
// appended, its maps are merged, and a value that is set twice is a problem. Patterns are relative to the main file's
// folder and their matches are taken in byte order; a file may be included once.
std::optional<Document> read_with_includes(Reader& reader);

}  // namespace pgsluice::config
