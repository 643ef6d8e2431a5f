// Policies in one line each, and an engine of them or a failed test.
#pragma once

#include <pgsluice/policy/engine.hpp>

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

// The verdict for Ann in one word: "allow", "block" or the name of the rule behind it, and the hits in front.
inline std::string judged(const Engine& engine, std::string_view text, const Principal& principal = ann()) {
    const Verdict verdict = engine.judge(engine.for_principal(principal), text);
    std::string out;
    for (const RuleIndex hit : verdict.hits) out += engine.name(hit) + ' ';
    out += verdict.blocks() ? "block" : "allow";
    if (verdict.rule) out += " by " + engine.name(*verdict.rule);
    return out;
}

}  // namespace pgsluice::policy
