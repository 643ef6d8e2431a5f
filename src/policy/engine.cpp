#include "rule.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/policy/engine.hpp>

#include <algorithm>

namespace pgsluice::policy {

struct Engine::Program {
    std::vector<Rule> rules;
    Screen screen;
};

Engine::Engine() : program_(std::make_unique<const Program>()) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

std::variant<Engine, std::vector<BuildError>> Engine::build(const std::vector<config::Policy>& policies) {
    std::vector<BuildError> errors;
    auto program = std::make_unique<Program>();
    program->rules.reserve(policies.size());
    std::vector<std::string> patterns;
    for (const config::Policy& policy : policies) {
        program->rules.push_back(compile(policy, program->rules.size(), errors));
        if (!policy.when.pattern.empty()) patterns.push_back(policy.when.pattern);
    }
    if (!errors.empty()) return errors;
    program->screen = Screen(patterns);
    Engine engine;
    engine.program_ = std::move(program);
    return engine;
}

Rules Engine::for_principal(const Principal& principal) const {
    Rules::List list{program_.get(), false, {}};
    for (RuleIndex index = 0; index < program_->rules.size(); ++index) {
        const Rule& rule = program_->rules[index];
        if (!rule.concerns(principal)) continue;
        list.indices.push_back(index);
        list.may_block |= rule.decides && rule.blocks;
        // It decides whatever comes, so nothing behind it is ever reached.
        if (rule.decides && rule.is_unconditional()) break;
    }
    if (list.indices.empty()) return {};
    return Rules(std::make_shared<const Rules::List>(std::move(list)));
}

Verdict Engine::judge(const Rules& rules, std::string_view text) const {
    Verdict verdict;
    if (rules.empty()) return verdict;
    PGSLUICE_CHECK(rules.list_->maker == program_.get());
    Facts facts(text, program_->screen);
    for (const RuleIndex index : rules.list_->indices) {
        const Rule& rule = program_->rules[index];
        if (!rule.matches(facts)) continue;
        if (!rule.decides) {
            verdict.hits.add(index);
            continue;
        }
        verdict.rule = index;
        if (rule.blocks) {
            verdict.action = Action::block;
            verdict.error = &rule.error;
        }
        break;
    }
    return verdict;
}

const std::string& Engine::name(RuleIndex rule) const {
    return program_->rules[rule].name;
}

}  // namespace pgsluice::policy
