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
        return known.list_->indices == wanted.indices && known.list_->may_block == wanted.may_block;
    });
    if (found != lists_.end()) return *found;
    if (lists_.size() < capacity) lists_.push_back(rules);
    return rules;
}

}  // namespace pgsluice::policy
