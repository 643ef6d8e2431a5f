// One policy, compiled: whom it concerns, what it looks for, what it does.
#pragma once

#include "facts.hpp"
#include "pattern.hpp"

#include <pgsluice/config/config.hpp>
#include <pgsluice/policy/engine.hpp>
#include <pgsluice/policy/rules.hpp>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::policy {

struct Rule {
    std::string name;
    config::PolicyCondition when;  // its pattern is compiled below
    std::optional<Pattern> pattern;
    bool decides = false;  // enforced, and its action ends the search: the rest only notes what it matches
    bool blocks = false;
    wire::SqlError error;  // what a block answers with

    bool concerns(const Principal& principal) const;
    // Every statement of a principal that the rule concerns matches.
    bool is_unconditional() const { return !pattern; }
    bool matches(Facts& facts) const {
        return !pattern || (facts.may_match_a_pattern() && pattern->found_in(facts.readable_text()));
    }
};

// Appends to `errors` where the policy at `position` cannot be compiled.
Rule compile(const config::Policy& policy, std::size_t position, std::vector<BuildError>& errors);

}  // namespace pgsluice::policy
