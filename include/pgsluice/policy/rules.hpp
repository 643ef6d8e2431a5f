// The rules that can match one principal's statements, picked out once so that a statement is judged by those alone.
// Immutable and cheap to copy. Belongs to the Engine that made it.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/policy/verdict.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace pgsluice::policy {

class Engine;

// Who sends statements, and where to. Views, used during the call only.
struct Principal {
    std::string_view user{}, database{}, application_name{}, route{};
    Address address{};
};

class Rules {
  public:
    Rules() = default;

    // Nothing can match: do not judge at all.
    bool empty() const { return list_ == nullptr; }
    // Some statement could be blocked. Where none could, text too long to be inspected may pass.
    bool may_block() const { return list_ != nullptr && list_->may_block; }

    // The very same list: true for equal lists that came through one RulesCache.
    friend bool operator==(const Rules& a, const Rules& b) { return a.list_ == b.list_; }

  private:
    friend class Engine;
    friend class RulesCache;
    struct List {
        const void* maker = nullptr;
        bool may_block = false;
        std::vector<RuleIndex> indices;
    };
    explicit Rules(std::shared_ptr<const List> list) : list_(std::move(list)) {}

    std::shared_ptr<const List> list_;
};

// Lets principals with the same rules share one list, since a worker may hold thousands of sessions and rules tell only
// a few kinds of them apart. One per worker, not locked.
class RulesCache {
  public:
    Rules for_principal(const Engine& engine, const Principal& principal);

    std::size_t size() const { return lists_.size(); }

  private:
    // Conditions combine, so in theory a configuration can tell very many kinds of principals apart; beyond this many,
    // lists are no longer shared.
    static constexpr std::size_t capacity = 256;
    std::vector<Rules> lists_;
};

}  // namespace pgsluice::policy
