#include <pgsluice/policy/engine.hpp>
#include <pgsluice/policy/rules.hpp>

#include <algorithm>

namespace pgsluice::policy {

Rules RulesCache::for_principal(const Engine& engine, const Principal& principal) {
    Rules rules = engine.for_principal(principal);
    if (rules.empty()) return rules;
    const Rules::List& wanted = *rules.list_;
    // After a reload the lists of the engine before are of no use to new sessions.
    if (!lists_.empty() && lists_.front().list_->maker != wanted.maker) lists_.clear();
    const auto found = std::find_if(lists_.begin(), lists_.end(), [&](const Rules& known) {
        // What else a list says follows from the rules in it.
        return known.list_->indices == wanted.indices;
    });
    if (found != lists_.end()) return *found;
    if (lists_.size() < capacity) lists_.push_back(rules);
    return rules;
}

const std::vector<RuleIndex>& Shortlists::of(const Engine& engine, const Rules& rules,
                                             const std::shared_ptr<const sql::Facts>& facts) {
    const Key key{rules.list_.get(), facts.get()};
    const auto found = lists_.find(key);
    if (found != lists_.end()) return found->second.indices;
    if (lists_.size() >= capacity) lists_.clear();
    return lists_.emplace(key, Entry{rules, facts, engine.shortlist(rules, *facts)}).first->second.indices;
}

}  // namespace pgsluice::policy
