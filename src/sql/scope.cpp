#include "scope.hpp"

#include <algorithm>

namespace pgsluice::sql {
namespace {

constexpr std::size_t few = 16;  // that are gone through one by one

}  // namespace

Scope::Scope(const Scope* parent) : beyond_from_(this) {
    if (parent == nullptr) return;
    entries_around_ = parent->entries_.empty() ? parent->entries_around_ : parent;
    ctes_around_ = parent->ctes_.empty() ? parent->ctes_around_ : parent;
    has_derived_ = parent->has_derived_;
    has_many_ = parent->has_many_;
    only_relation_ = parent->only_relation_;
}

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
        case Entry::Source::unknown: has_many_ = true; break;
        case Entry::Source::relation:
            has_many_ = has_many_ || (!only_relation_.empty() && only_relation_ != entry.relation);
            only_relation_ = entry.relation;
    }
    entries_.push_back(entry);
    if (entries_.size() <= few) return;
    for (std::size_t i = by_alias_.empty() ? 0 : entries_.size() - 1; i < entries_.size(); ++i) {
        by_alias_.try_emplace(entries_[i].alias, i);
    }
}

bool Scope::sees_cte(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->ctes_around_) {
        if (scope->ctes_.contains(name)) return true;
    }
    return false;
}

const Entry* Scope::find_here(std::string_view alias) const {
    if (!by_alias_.empty()) {
        const auto found = by_alias_.find(alias);
        return found == by_alias_.end() ? nullptr : &entries_[found->second];
    }
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [alias](const Entry& entry) { return entry.alias == alias; });
    return found == entries_.end() ? nullptr : &*found;
}

const Entry* Scope::find(std::string_view alias) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->entries_around_) {
        if (const Entry* found = scope->find_here(alias)) return found;
    }
    return nullptr;
}

Scope::Owner Scope::owner_of_column() const {
    if (has_many_) return {};
    return {.exists = !only_relation_.empty() || !has_derived_, .relation = only_relation_};
}

}  // namespace pgsluice::sql
