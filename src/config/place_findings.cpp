// Brings what a higher layer finds wrong with policies to the lines where their values stand.
#include "checks.hpp"

#include <algorithm>

namespace pgsluice::config {
namespace {

bool leads_to(std::string_view path, std::string_view wanted) {
    if (!wanted.starts_with(path)) return false;
    return path.size() == wanted.size() || wanted[path.size()] == '.' || wanted[path.size()] == '[';
}

// The value itself; where it is left out, what it would stand in.
const Node& nearest(const Node& node, std::string_view path) {
    const auto next =
        std::find_if(node.items.begin(), node.items.end(), [&](const Node& item) { return leads_to(item.path, path); });
    return next == node.items.end() ? node : nearest(*next, path);
}

bool has_problem(const Reader& reader, const Node& node) {
    return std::any_of(reader.problems().begin(), reader.problems().end(), [&](const Problem& known) {
        return known.key_path == node.path && known.file == node.place.file && known.line == node.place.line;
    });
}

}  // namespace

void place_findings(Reader& reader, const Node& root, const std::vector<PolicyFinding>& findings) {
    for (const PolicyFinding& finding : findings) {
        const std::string path = "policies[" + std::to_string(finding.policy) + "]." + finding.key;
        const Node& node = nearest(root, path);
        if (has_problem(reader, node)) continue;
        // The text may quote the value, and what was filled in may be a secret.
        reader.problem(node, is_filled_in(node) ? "the value filled in is not one that is allowed here" : finding.text);
    }
}

}  // namespace pgsluice::config
