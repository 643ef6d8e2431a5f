// One policy, compiled: whom it concerns, what it looks for, what it does.
#pragma once

#include "evidence.hpp"
#include "pattern.hpp"
#include "rewrite.hpp"
#include "sql_condition.hpp"

#include <pgsluice/config/config.hpp>
#include <pgsluice/policy/engine.hpp>
#include <pgsluice/policy/limit.hpp>
#include <pgsluice/policy/rules.hpp>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::policy {

struct Rule {
    std::string name;
    config::PolicyCondition when;  // what is compiled of it stands below
    std::optional<Pattern> pattern;
    SqlCondition sql;
    std::optional<Rewrite> rewrite;  // of a rule that rewrites
    std::optional<Limit> limit;      // of a rule that limits
    bool decides = false;            // config::decides
    bool blocks = false;
    wire::SqlError error;  // what a block answers with, and every rule that fails closed

    // The key of the first condition that is not met; nullptr where all are.
    const char* unmet_by(const Principal& principal) const;
    bool concerns(const Principal& principal) const { return unmet_by(principal) == nullptr; }
    // Not knowing whether it matches suffices to block: what should be rewritten or limited must not pass as it is.
    bool fails_closed() const { return decides && (blocks || rewrite || limit); }
    // It cannot be told what the rule does to a text that is not parsed. A result is cut off only where a statement is
    // known to do nothing else than return it.
    bool asks_for_facts() const { return !sql.empty() || (decides && limit && limit->counts_result()); }
    // What it matches no rule behind it is asked about.
    bool ends_search() const { return decides && !rewrite && !limit; }
    // Every statement of a principal that the rule concerns matches.
    bool is_unconditional() const { return !pattern && sql.empty() && when.tags.empty() && !when.in_transaction; }
    // False only where no statement with these facts matches.
    bool may_match(const sql::Facts& facts) const;
    // Of a text that cannot be parsed: what a condition on facts would say is not known, and counts as met.
    const char* unmet_by(Evidence& evidence) const;
    bool matches(Evidence& evidence) const { return unmet_by(evidence) == nullptr; }
};

// Appends to `errors` where the policy at `position` cannot be compiled.
Rule compile(const config::Policy& policy, std::size_t position, std::vector<BuildError>& errors);

}  // namespace pgsluice::policy
