#include "scope.hpp"

#include <algorithm>

namespace pgsluice::sql {

Scope Scope::of_query(const Scope* around) {
    Scope scope(around);
    scope.beyond_from_ = around;
    return scope;
}

Scope Scope::of_join(const Scope* around) {
    Scope scope(around);
    scope.beyond_from_ = around->beyond_from_;
    return scope;
}

void Scope::add(Entry entry) {
    switch (entry.source) {
        case Entry::Source::derived: has_derived_ = true; break;
        case Entry::Source::unknown: has_unknown_ = true; break;
        case Entry::Source::relation:
            has_many_ = has_many_ || (!only_relation_.empty() && only_relation_ != entry.relation);
            only_relation_ = entry.relation;
    }
    entries_.push_back(entry);
}

bool Scope::sees_cte(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
        if (std::find(scope->ctes_.begin(), scope->ctes_.end(), name) != scope->ctes_.end()) return true;
    }
    return false;
}

const Entry* Scope::find(std::string_view alias) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
        const auto found = std::find_if(scope->entries_.begin(), scope->entries_.end(),
                                        [alias](const Entry& entry) { return entry.alias == alias; });
        if (found != scope->entries_.end()) return &*found;
    }
    return nullptr;
}

Scope::Owner Scope::owner_of_column() const {
    std::string_view relation;
    bool has_derived = false;
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent_) {
        const std::string_view here = scope->only_relation_;
        const bool differs = !relation.empty() && !here.empty() && relation != here;
        if (scope->has_unknown_ || scope->has_many_ || differs) return {};
        if (!here.empty()) relation = here;
        has_derived = has_derived || scope->has_derived_;
    }
    return {.exists = !relation.empty() || !has_derived, .relation = relation};
}

}  // namespace pgsluice::sql
