#include "checks.hpp"
#include "suggest.hpp"

#include <pgsluice/config/policy_effect.hpp>

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

// Whether it tells one statement of a client from another.
bool looks_at_statements(const PolicyCondition& when) {
    return !when.pattern.empty() || !when.statements.empty() || !when.tables.empty() || !when.reads.empty() ||
           !when.writes.empty() || !when.functions.empty() || !when.columns.empty() || !when.fingerprints.empty() ||
           !when.tags.empty() || when.without_where || when.without_limit || when.in_transaction;
}

bool blocks_everything(const Policy& policy) {
    const PolicyCondition& when = policy.when;
    return decides(policy) && policy.action == PolicyAction::block && !looks_at_statements(when) &&
           when.routes.empty() && when.databases.empty() && when.users.empty() && when.applications.empty() &&
           when.from.empty();
}

bool is_any(const std::vector<std::string>& names) {
    return names.empty() || std::find(names.begin(), names.end(), "*") != names.end();
}

bool covers(const std::vector<std::string>& names, const std::vector<std::string>& others) {
    const auto has = [&](const std::string& name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    return is_any(names) || (!is_any(others) && std::all_of(others.begin(), others.end(), has));
}

bool covers(const std::vector<Network>& networks, const std::vector<Network>& others) {
    const auto has = [&](const Network& other) {
        return std::any_of(networks.begin(), networks.end(),
                           [&](const Network& one) { return one.to_string() == other.to_string(); });
    };
    return networks.empty() || (!others.empty() && std::all_of(others.begin(), others.end(), has));
}

// The first decides about every statement that the second could match.
bool takes_all_from(const Policy& first, const Policy& second) {
    const PolicyCondition& a = first.when;
    const PolicyCondition& b = second.when;
    return ends_search(first) && !looks_at_statements(a) && covers(a.routes, b.routes) &&
           covers(a.databases, b.databases) && covers(a.users, b.users) && covers(a.applications, b.applications) &&
           covers(a.from, b.from);
}

void check_that_it_can_match(Reader& reader, const Node& node, const Policy& policy, const Config& config) {
    for (const Policy& before : config.policies) {
        if (&before == &policy) return;
        if (!takes_all_from(before, policy)) continue;
        reader.problem(node, "can never match: policy \"" + before.name +
                                 "\" before it decides about every statement that it could see; put it in front of "
                                 "that, or take it out");
        return;
    }
}

void check_rewrite(Reader& reader, const Node& node, const Policy& policy) {
    const PolicyRewrite& rewrite = policy.rewrite;
    const bool changes_something =
        !rewrite.pattern.empty() || !rewrite.tables.empty() || !rewrite.schemas.empty() || rewrite.limit > 0;
    if (policy.action == PolicyAction::rewrite && !changes_something) {
        reader.problem(node_of(node, "rewrite"),
                       "changes nothing; allowed are pattern with replacement, tables, schemas and limit");
    } else if (policy.action != PolicyAction::rewrite && changes_something) {
        reader.problem(node_of(node, "rewrite"), "is for action: rewrite alone");
    }
}

void check_limit(Reader& reader, const Node& node, const Policy& policy) {
    const bool is_any = policy.limit.is_any();
    if (policy.action == PolicyAction::limit && !is_any) {
        reader.problem(node_of(node, "limit"),
                       "limits nothing; allowed are max_duration, max_rows, max_bytes, concurrency and rate");
    } else if (policy.action != PolicyAction::limit && is_any) {
        reader.problem(node_of(node, "limit"), "is for action: limit alone");
    }
}

void check_noting(Reader& reader, const Node& root, const Config& config) {
    const auto noting = std::count_if(config.policies.begin(), config.policies.end(),
                                      [](const Policy& policy) { return !decides(policy); });
    if (static_cast<std::size_t>(noting) <= most_noting_policies) return;
    const std::string most = std::to_string(most_noting_policies);
    reader.warning(node_of(root, "policies"), std::to_string(noting) +
                                                  " of them are in shadow mode or have action: log; of those that "
                                                  "match one statement only the first " +
                                                  most + " are counted and logged. Enforce or take out some");
}

}  // namespace

void check_policies(Reader& reader, const Node& root, const Config& config) {
    std::vector<std::string> routes;
    for (const Route& route : config.routes) routes.push_back(route.name);
    check_unique(reader, root, "policies", config.policies, &Policy::name, "policy");
    check_noting(reader, root, config);
    bool lets_some_through = false;
    for_each_item(root, "policies", config.policies, [&](const Node& node, const Policy& policy) {
        if (blocks_everything(policy) && !lets_some_through) {
            reader.warning(node, "blocks every statement: it has no condition, and no policy before it allows any");
        }
        check_that_it_can_match(reader, node, policy, config);
        check_rewrite(reader, node, policy);
        check_limit(reader, node, policy);
        if (policy.sample_one_in != 1 && policy.action != PolicyAction::log) {
            reader.problem(node_of(node, "sample_one_in"), "is for action: log alone");
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
