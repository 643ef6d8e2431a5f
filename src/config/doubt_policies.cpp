// Policies that are right by themselves and match more, or do less, than whoever wrote them may think.
#include "checks.hpp"

#include <pgsluice/base/escape.hpp>
#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/base/name_list.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace pgsluice::config {
namespace {

// The schema that a pattern asks for; empty where any will do, or where every name may lead there: PostgreSQL looks
// into pg_catalog and the temporary schema always.
std::string schema_of(const std::string& pattern) {
    const std::size_t dot = pattern.find('.');
    const std::string schema = dot == std::string::npos ? std::string() : pattern.substr(0, dot);
    return schema.find_first_not_of('*') == std::string::npos || schema.starts_with("pg_") ? std::string() : schema;
}

bool has_search_path(const Route& route) {
    constexpr std::string_view name = "search_path";
    return std::any_of(route.parameters.begin(), route.parameters.end(),
                       [&](const auto& parameter) { return lower_case(parameter.first) == name; });
}

const Route* route_of_unknown_path(const Policy& policy, const Config& config) {
    const auto is_one = [&](const Route& route) {
        return matches(policy.when.routes, route.name) && !(route.pool.follows_state() && has_search_path(route));
    };
    const auto found = std::find_if(config.routes.begin(), config.routes.end(), is_one);
    return found == config.routes.end() ? nullptr : &*found;
}

// One a policy: what it says is the same for all its patterns.
void doubt_schemas(Reader& reader, const Node& node, const Policy& policy, const Config& config) {
    const PolicyCondition& when = policy.when;
    const Route* route = route_of_unknown_path(policy, config);
    if (route == nullptr) return;
    bool has_told = false;
    for (const auto& [key, patterns] : {std::pair("tables", &when.tables), std::pair("reads", &when.reads),
                                        std::pair("writes", &when.writes), std::pair("functions", &when.functions)}) {
        for_each_item(section_of(node, "when"), key, *patterns, [&](const Node& item, const std::string& pattern) {
            if (schema_of(pattern).empty() || std::exchange(has_told, true)) return;
            std::string text = policy.action == PolicyAction::allow
                                   ? "matches no name that is written without a schema"
                                   : "matches names of any schema where they are written without one";
            text.append(": on the route \"").append(escaped(route->name, 80)).append("\" the search_path is ");
            text += route->pool.follows_state()
                        ? "known of those clients only that set it; give the route parameters.search_path"
                        : "never known, since it is not followed in session mode, nor with session_state: ignore";
            reader.warning(item, std::move(text));
        });
    }
}

// Words of when.statements that may stand for what only reads and returns rows. A text that may change something keeps
// its whole result, RETURNING or not.
constexpr std::array<std::string_view, 9> words_for_rows{"call",  "copy",   "copy to", "execute", "explain",
                                                         "fetch", "select", "show",    "utility"};

bool may_be_cut_off(const std::string& word) {
    return std::find(words_for_rows.begin(), words_for_rows.end(), word) != words_for_rows.end();
}

void doubt_rows(Reader& reader, const Node& node, const Policy& policy) {
    const auto& statements = policy.when.statements;
    const bool bounds_rows = policy.limit.max_rows > 0 || policy.limit.max_bytes > 0;
    if (policy.action != PolicyAction::limit || !bounds_rows || statements.empty()) return;
    if (std::any_of(statements.begin(), statements.end(), may_be_cut_off)) return;
    reader.warning(node_of(section_of(node, "limit"), policy.limit.max_rows > 0 ? "max_rows" : "max_bytes"),
                   "cuts nothing off: it is for rows of what only reads, and of when.statements what may change "
                   "something keeps its whole result, with RETURNING too, and the others return no rows; max_duration "
                   "bounds them");
}

}  // namespace

void doubt_policies(Reader& reader, const Node& root, const Config& config) {
    for_each_item(root, "policies", config.policies, [&](const Node& node, const Policy& policy) {
        doubt_schemas(reader, node, policy, config);
        doubt_rows(reader, node, policy);
    });
}

}  // namespace pgsluice::config
