// Policies in one line each, and an engine of them or a failed test.
#pragma once

#include <pgsluice/policy/engine.hpp>
#include <pgsluice/sql/facts_cache.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgsluice::policy {

using config::PolicyAction;
using config::PolicyMode;

inline config::Policy rule(std::string name, std::string pattern, PolicyAction action = PolicyAction::block,
                           PolicyMode mode = PolicyMode::enforce) {
    config::Policy policy;
    policy.name = std::move(name);
    policy.when.pattern = std::move(pattern);
    policy.action = action;
    policy.mode = mode;
    return policy;
}

inline Engine engine_of(const std::vector<config::Policy>& policies) {
    auto built = Engine::build(policies);
    if (auto* engine = std::get_if<Engine>(&built)) return std::move(*engine);
    for (const BuildError& error : std::get<std::vector<BuildError>>(built)) {
        ADD_FAILURE() << error.policy << ' ' << error.key << ": " << error.text;
    }
    return {};
}

inline Principal ann() {
    return {.user = "ann", .database = "orders", .application_name = "checkout", .route = "main"};
}

// Facts are worked out where the rules ask for them, as a session does.
inline Verdict judge(const Engine& engine, const Rules& rules, Statement statement) {
    static sql::FactsCache cache({1, 2}, {});
    static Shortlists shortlists;
    if (rules.need_facts() && statement.facts == nullptr) statement.facts = &cache.facts_of(statement.text, {});
    return engine.judge(rules, statement, shortlists);
}

inline Verdict judge(const Engine& engine, const Rules& rules, std::string_view text) {
    return judge(engine, rules, Statement{.text = text});
}

// The verdict for Ann in one word: "allow", "block" or the name of the rule behind it, and the hits in front.
inline std::string judged(const Engine& engine, const Statement& statement, const Principal& principal = ann()) {
    const Verdict verdict = judge(engine, engine.for_principal(principal), statement);
    std::string out;
    for (const RuleIndex hit : verdict.hits) out += engine.name(hit) + ' ';
    out += verdict.blocks() ? "block" : "allow";
    if (verdict.rule) out += " by " + engine.name(*verdict.rule);
    return out;
}

inline std::string judged(const Engine& engine, std::string_view text, const Principal& principal = ann()) {
    return judged(engine, Statement{.text = text}, principal);
}

}  // namespace pgsluice::policy
