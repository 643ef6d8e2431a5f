// YAML text to Nodes. The only file that knows yaml-cpp, whose exceptions end here.
#pragma once

#include "node.hpp"
#include "reader.hpp"

#include <optional>
#include <string>

namespace pgsluice::config {

// One document whose top level is a map (an empty file is an empty map). Otherwise nullopt, and a problem with its line
// and column. Duplicate keys are problems too, but not a reason to stop.
std::optional<Node> parse_yaml(const std::string& text, const std::string& file, Reader& reader);

}  // namespace pgsluice::config
