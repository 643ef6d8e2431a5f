#include "rule.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/policy/engine.hpp>

#include <algorithm>
#include <iterator>

namespace pgsluice::policy {

struct Engine::Program {
    std::vector<Rule> rules;
    Screen screen;
    bool blocks_unparsable = true;
};

Engine::Engine() : program_(std::make_shared<const Program>()) {}

std::variant<Engine, std::vector<BuildError>> Engine::build(const std::vector<config::Policy>& policies,
                                                            config::OnUnparsable on_unparsable) {
    std::vector<BuildError> errors;
    auto program = std::make_shared<Program>();
    program->rules.reserve(policies.size());
    program->blocks_unparsable = on_unparsable == config::OnUnparsable::block;
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
    Rules::List list;
    list.maker = program_.get();
    for (RuleIndex index = 0; index < program_->rules.size(); ++index) {
        const Rule& rule = program_->rules[index];
        if (!rule.concerns(principal)) continue;
        list.indices.push_back(index);
        list.may_block |= rule.fails_closed();
        list.may_limit |= rule.decides && rule.limit.has_value();
        // What may begin or end a transaction is known by what it is.
        list.need_facts |= rule.asks_for_facts() || rule.when.in_transaction.has_value();
        list.depend_on_session |= rule.when.in_transaction.has_value() || rule.sql.asks_for_schemas();
        list.name_beyond_ascii |= rule.sql.names_beyond_ascii();
        // It decides whatever comes, so nothing behind it is ever reached.
        if (rule.ends_search() && rule.is_unconditional()) break;
    }
    if (list.indices.empty()) return {};
    return Rules(std::make_shared<const Rules::List>(std::move(list)));
}

std::vector<RuleIndex> Engine::shortlist(const Rules& rules, const sql::Facts& facts) const {
    std::vector<RuleIndex> indices;
    std::copy_if(rules.list_->indices.begin(), rules.list_->indices.end(), std::back_inserter(indices),
                 [&](RuleIndex index) { return program_->rules[index].may_match(facts); });
    return indices;
}

Verdict Engine::judge(const Rules& rules, const Statement& statement, Shortlists& shortlists,
                      std::optional<RuleIndex> behind) const {
    Verdict verdict;
    if (rules.empty()) return verdict;
    PGSLUICE_CHECK(rules.list_->maker == program_.get());
    Evidence evidence(statement, program_->screen);
    const bool is_parsed = rules.need_facts() && evidence.facts() != nullptr;
    const auto& tried = is_parsed ? shortlists.of(*this, rules, *statement.facts) : rules.list_->indices;
    const bool may_block_unknown = statement.is_sql && program_->blocks_unparsable;
    for (const RuleIndex index : tried) {
        const Rule& rule = program_->rules[index];
        if (behind && (index <= *behind || rule.rewrite)) continue;
        const bool is_known = is_parsed || !rule.asks_for_facts();
        const bool blocks_unknown = !is_known && rule.fails_closed() && may_block_unknown;
        // Where such texts may pass, a limit for all statements still holds for their time and number.
        const bool passes_by = !is_known && !blocks_unknown && !(rule.limit && rule.sql.empty());
        if (passes_by || !rule.matches(evidence)) continue;
        if (!rule.decides) {
            verdict.hits.add(index);
            continue;
        }
        // Of limits the first counts, and what was to be rewritten in front of them has been.
        if ((rule.limit || rule.rewrite) && verdict.limit != nullptr) continue;
        // Within limits a statement passes if no rule behind blocks it.
        if (rule.limit && !blocks_unknown) {
            verdict.action = Action::limit;
            verdict.limit = &*rule.limit;
            verdict.rule = index;
            continue;
        }
        const bool is_limited = verdict.limit != nullptr && !rule.blocks;
        if (is_limited) break;
        verdict.rule = index;
        verdict.limit = nullptr;
        if (rule.blocks || blocks_unknown) {
            verdict.action = Action::block;
            verdict.error = &rule.error;
            verdict.is_unparsable = blocks_unknown;
        } else if (rule.rewrite) {
            verdict.action = Action::rewrite;
        }
        break;
    }
    return verdict;
}

std::vector<std::string> Engine::explain(const Principal& principal, const Statement& statement) const {
    std::vector<std::string> unmet;
    Evidence evidence(statement, program_->screen);
    for (const Rule& rule : program_->rules) {
        const char* key = rule.unmet_by(principal);
        if (key == nullptr) key = rule.unmet_by(evidence);
        unmet.emplace_back(key == nullptr ? "" : key);
    }
    return unmet;
}

std::variant<std::string, wire::SqlError> Engine::rewrite(RuleIndex rule, std::string_view text,
                                                          sql::Reading reading) const {
    auto made = program_->rules[rule].rewrite->apply(text, reading);
    if (auto* rewritten = std::get_if<std::string>(&made)) return std::move(*rewritten);
    return wire::error("42501", "policy \"" + name(rule) + "\" could not rewrite the statement",
                       "The parser says: " + std::get<sql::Unparsable>(made).why);
}

bool Engine::rewrites_beyond_ascii(RuleIndex rule) const {
    return program_->rules[rule].rewrite->is_beyond_ascii();
}

const std::string& Engine::name(RuleIndex rule) const {
    return program_->rules[rule].name;
}

}  // namespace pgsluice::policy
