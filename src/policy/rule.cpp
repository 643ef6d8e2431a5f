#include "rule.hpp"

#include <pgsluice/base/name_list.hpp>
#include <pgsluice/config/policy_effect.hpp>

#include <algorithm>
#include <map>

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

Limit limit_of(const config::Policy& policy) {
    Limit limit{policy.name, policy.limit, nullptr};
    const auto [at_a_time, per_second] = std::pair(policy.limit.concurrency, policy.limit.rate);
    if (at_a_time > 0 || per_second > 0) limit.usage = std::make_shared<Usage>(at_a_time, per_second);
    return limit;
}

bool has_tags(const std::map<std::string, std::string>& wanted, const std::vector<sql::CommentTag>& tags) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& want) {
        return std::any_of(tags.begin(), tags.end(), [&](const sql::CommentTag& tag) {
            return tag.key == want.first && glob_matches(want.second, tag.value);
        });
    });
}

}  // namespace

bool Rule::may_match(const sql::Facts& facts) const {
    // Where a name leads decides differently from session to session.
    return (sql.fits_all() && sql.asks_for_schemas()) || sql.matches(facts, SearchPath());
}

const char* Rule::unmet_by(Evidence& evidence) const {
    // Not knowing is a reason to block, and none to allow.
    const bool if_unknown = when.in_transaction.value_or(false) != sql.fits_all();
    if (when.in_transaction && evidence.in_transaction().value_or(if_unknown) != *when.in_transaction) {
        return "in_transaction";
    }
    if (!sql.empty() && evidence.facts() != nullptr) {
        static const SearchPath anywhere;
        const SearchPath& path = sql.asks_for_schemas() ? evidence.search_path() : anywhere;
        const char* unmet = sql.unmet(*evidence.facts(), path);
        if (unmet != nullptr) return unmet;
    }
    if (!when.tags.empty() && !has_tags(when.tags, evidence.tags())) return "tags";
    const bool is_found = !pattern || (evidence.may_match_a_pattern() && pattern->found_in(evidence.readable_text()));
    return is_found ? nullptr : "pattern";
}

const char* Rule::unmet_by(const Principal& principal) const {
    if (!pgsluice::matches(when.routes, principal.route)) return "routes";
    if (!pgsluice::matches(when.databases, principal.database)) return "databases";
    if (!pgsluice::matches(when.users, principal.user)) return "users";
    if (!pgsluice::matches(when.applications, principal.application_name)) return "applications";
    return pgsluice::matches(when.from, principal.address) ? nullptr : "from";
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
    SqlCondition::Errors sql_errors;
    const bool fits_all = policy.action == config::PolicyAction::allow;
    rule.sql = SqlCondition(policy.when, fits_all, sql_errors);
    for (auto& [key, text] : sql_errors) errors.push_back({position, "when." + key, std::move(text)});
    if (policy.action == config::PolicyAction::rewrite) {
        auto made = Rewrite::compile(policy.rewrite);
        if (auto* rewrite = std::get_if<Rewrite>(&made))
            rule.rewrite.emplace(std::move(*rewrite));
        else
            errors.push_back(
                {position, "rewrite." + std::get<Rewrite::Error>(made).key, std::get<Rewrite::Error>(made).text});
    }
    if (policy.action == config::PolicyAction::limit) rule.limit = limit_of(policy);
    rule.decides = config::decides(policy);
    rule.blocks = policy.action == config::PolicyAction::block;
    if (!is_error_code(policy.sqlstate)) {
        errors.push_back({position, "sqlstate",
                          '"' + policy.sqlstate +
                              "\" is not the code of an error: five digits or capital letters, and not of class 00, "
                              "01 or 02"});
    } else if (rule.fails_closed()) {
        rule.error = error_of(policy);
    }
    return rule;
}

}  // namespace pgsluice::policy
