#include "rule.hpp"

#include <pgsluice/base/name_list.hpp>

#include <algorithm>

namespace pgsluice::policy {
namespace {

// Five digits or upper-case letters, and not of the classes that mean success, warning and no data: drivers take those
// for anything but an error.
bool is_error_code(std::string_view sqlstate) {
    const auto in_alphabet = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
    if (sqlstate.size() != 5 || !std::all_of(sqlstate.begin(), sqlstate.end(), in_alphabet)) return false;
    const std::string_view sqlstate_class = sqlstate.substr(0, 2);
    return sqlstate_class != "00" && sqlstate_class != "01" && sqlstate_class != "02";
}

wire::SqlError error_of(const config::Policy& policy) {
    std::string message = policy.message;
    if (message.empty()) message = "blocked by policy \"" + policy.name + '"';
    wire::SqlError error = wire::error("42501", std::move(message), {}, policy.hint);
    std::copy_n(policy.sqlstate.begin(), 5, error.sqlstate.begin());
    return error;
}

}  // namespace

bool Rule::concerns(const Principal& principal) const {
    return pgsluice::matches(when.routes, principal.route) && pgsluice::matches(when.databases, principal.database) &&
           pgsluice::matches(when.users, principal.user) &&
           pgsluice::matches(when.applications, principal.application_name) &&
           pgsluice::matches(when.from, principal.address);
}

Rule compile(const config::Policy& policy, std::size_t position, std::vector<BuildError>& errors) {
    Rule rule;
    rule.name = policy.name;
    rule.when = policy.when;
    if (!policy.when.pattern.empty()) {
        auto compiled = Pattern::compile(policy.when.pattern);
        if (auto* pattern = std::get_if<Pattern>(&compiled))
            rule.pattern.emplace(std::move(*pattern));
        else
            errors.push_back({position, "when.pattern", std::get<std::string>(compiled)});
    }
    rule.decides = policy.mode == config::PolicyMode::enforce && policy.action != config::PolicyAction::log;
    rule.blocks = policy.action == config::PolicyAction::block;
    if (!is_error_code(policy.sqlstate)) {
        errors.push_back({position, "sqlstate",
                          '"' + policy.sqlstate +
                              "\" is not the code of an error: five digits or capital letters, and not of class 00, "
                              "01 or 02"});
    } else if (rule.blocks) {
        rule.error = error_of(policy);
    }
    return rule;
}

}  // namespace pgsluice::policy
