#include "explain_path.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <algorithm>
#include <memory>

namespace pgsluice::daemon {
namespace {

std::string named(const std::vector<std::string>& names) {
    constexpr std::size_t most = 5;
    std::string out = names.size() == 1 ? "the unqualified name " : "the unqualified names ";
    for (std::size_t i = 0; i < names.size() && i < most; ++i) out += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > most) out += " and " + std::to_string(names.size() - most) + " more";
    return out + (names.size() == 1 ? " is" : " are");
}

// Whether the condition under `key` has a pattern with a schema.
bool asks_for_schema(const config::PolicyCondition& when, std::string_view key) {
    const auto has_schema = [](const std::vector<std::string>& patterns) {
        return std::any_of(patterns.begin(), patterns.end(),
                           [](const std::string& each) { return each.find('.') != std::string::npos; });
    };
    return (key == "tables" && has_schema(when.tables)) || (key == "reads" && has_schema(when.reads)) ||
           (key == "writes" && has_schema(when.writes)) || (key == "functions" && has_schema(when.functions));
}

}  // namespace

std::optional<std::string> path_of(const std::optional<std::string>& told, const config::Route& route) {
    if (told || !route.pool.follows_state()) return told;
    const auto found = std::find_if(route.parameters.begin(), route.parameters.end(),
                                    [](const auto& parameter) { return lower_case(parameter.first) == "search_path"; });
    return found == route.parameters.end() ? std::nullopt : std::optional(found->second);
}

UnknownPath::UnknownPath(const policy::Engine& engine, const policy::Principal& principal,
                         const policy::Statement& statement)
    : engine_(engine), principal_(principal), statement_(statement) {
    if (statement.path->search_path() || statement.facts == nullptr || *statement.facts == nullptr) return;
    const sql::Facts& facts = **statement.facts;
    unmet_nowhere_ = unmet(facts, true);
    try_each(facts, &sql::Facts::relations);
    try_each(facts, &sql::Facts::functions);
}

std::string UnknownPath::note(std::size_t rule, const config::Policy& policy, const std::string& unmet) const {
    if (unmet_nowhere_.empty()) return {};
    const auto found = names_.find(rule);
    if (unmet.empty() && !unmet_nowhere_[rule].empty() && found != names_.end())
        return "; search_path is not known here, so " + named(found->second) + " held against every schema";
    if (policy.action == config::PolicyAction::allow && asks_for_schema(policy.when, unmet) && has_unqualified_)
        return "; search_path is not known here, so a name without a schema is held to be in none";
    return {};
}

std::vector<std::string> UnknownPath::unmet(const sql::Facts& facts, bool is_path_known) const {
    // Where PostgreSQL looks for names anyway.
    static const std::optional<std::string> nowhere = "pg_catalog";
    const GivenPath path(is_path_known ? nowhere : std::nullopt);
    const auto shared = std::make_shared<const sql::Facts>(facts);
    policy::Statement statement = statement_;
    statement.facts = &shared;
    statement.path = &path;
    return engine_.explain(principal_, statement);
}

template <class Named>
void UnknownPath::try_each(const sql::Facts& facts, std::vector<Named> sql::Facts::*names) {
    for (const Named& each : facts.*names) {
        if (!each.schema.empty()) continue;
        has_unqualified_ = true;
        sql::Facts alone = facts;
        alone.*names = {each};
        const auto unknown = unmet(alone, false), nowhere = unmet(alone, true);
        for (std::size_t rule = 0; rule < unknown.size(); ++rule) {
            if (unknown[rule].empty() && !nowhere[rule].empty()) names_[rule].push_back(each.name);
        }
    }
}

}  // namespace pgsluice::daemon
