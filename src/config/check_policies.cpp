#include "checks.hpp"
#include "suggest.hpp"

#include <algorithm>

namespace pgsluice::config {
namespace {

// Five digits or upper-case letters. Classes 00, 01 and 02 mean success and warnings: no driver takes them for an
// error.
bool is_error_sqlstate(const std::string& text) {
    const auto fits = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
    if (text.size() != 5 || !std::all_of(text.begin(), text.end(), fits)) return false;
    return !text.starts_with("00") && !text.starts_with("01") && !text.starts_with("02");
}

bool blocks_everything(const Policy& policy) {
    const PolicyCondition& when = policy.when;
    return policy.action == PolicyAction::block && policy.mode == PolicyMode::enforce && when.pattern.empty() &&
           when.routes.empty() && when.databases.empty() && when.users.empty() && when.applications.empty() &&
           when.from.empty();
}

}  // namespace

void check_policies(Reader& reader, const Node& root, const Config& config) {
    std::vector<std::string> routes;
    for (const Route& route : config.routes) routes.push_back(route.name);
    check_unique(reader, root, "policies", config.policies, &Policy::name, "policy");
    bool lets_some_through = false;
    for_each_item(root, "policies", config.policies, [&](const Node& node, const Policy& policy) {
        if (blocks_everything(policy) && !lets_some_through) {
            reader.warning(node, "blocks every statement: it has no condition, and no policy before it allows any");
        }
        lets_some_through = lets_some_through || policy.action == PolicyAction::allow;
        if (!is_error_sqlstate(policy.sqlstate)) {
            const Node& sqlstate = node_of(node, "sqlstate");
            reader.problem(sqlstate, shown(sqlstate) +
                                         " is not an error code; allowed are five digits or upper-case letters, "
                                         "not of class 00, 01 or 02, such as \"42501\"");
        }
        for_each_item(
            section_of(node, "when"), "routes", policy.when.routes, [&](const Node& item, const std::string& name) {
                const bool is_known = name == "*" || std::find(routes.begin(), routes.end(), name) != routes.end();
                if (!is_known && !name.empty()) {
                    reader.problem(item, "there is no route " + shown(item) + suggestion(name, routes));
                }
            });
    });
}

}  // namespace pgsluice::config
