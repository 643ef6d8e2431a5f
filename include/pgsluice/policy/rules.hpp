// The rules that can match one principal's statements, picked out once so that a statement is judged by those alone.
// Immutable and cheap to copy. Belongs to the Engine that made it.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/policy/verdict.hpp>
#include <pgsluice/sql/facts.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
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
    // Some statement could be blocked, or pass in another way than it came. Where none could, text too long to be
    // inspected may pass.
    bool may_block() const { return list_ != nullptr && list_->may_block; }
    // Some statement could pass under limits.
    bool may_limit() const { return list_ != nullptr && list_->may_limit; }
    // Some rule looks at what a parser says of a statement (Statement::facts).
    bool need_facts() const { return list_ != nullptr && list_->need_facts; }
    // The verdict on one text may differ from time to time: by the state of its transaction, or where names lead.
    bool depend_on_session() const { return list_ != nullptr && list_->depend_on_session; }

    // Some rule names what is not ASCII, in UTF-8.
    bool name_beyond_ascii() const { return list_ != nullptr && list_->name_beyond_ascii; }

    // The same rules of the same engine: the verdict on whatever statement is the same.
    friend bool operator==(const Rules& a, const Rules& b) {
        if (a.list_ == b.list_) return true;
        return !a.empty() && !b.empty() && a.list_->maker == b.list_->maker && a.list_->indices == b.list_->indices;
    }

  private:
    friend class Engine;
    friend class RulesCache;
    friend class Shortlists;
    struct List {
        const void* maker = nullptr;
        bool may_block = false, may_limit = false, need_facts = false, depend_on_session = false;
        bool name_beyond_ascii = false;
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

// Of a list of rules those that statements with the same facts may match, so that a statement which comes again is
// tried against the few that are left. One per worker, not locked.
class Shortlists {
  public:
    const std::vector<RuleIndex>& of(const Engine& engine, const Rules& rules,
                                     const std::shared_ptr<const sql::Facts>& facts);

    std::size_t size() const { return lists_.size(); }

  private:
    static constexpr std::size_t capacity = 4096;
    using Key = std::pair<const void*, const void*>;
    // Holds what its key points to, so that nothing else comes to lie there. Of facts no more than the place: how much
    // of them is kept is for those who have a limit for it.
    struct Entry {
        Rules rules;
        std::weak_ptr<const sql::Facts> facts;
        std::vector<RuleIndex> indices;
    };
    boost::unordered_flat_map<Key, Entry> lists_;
};

}  // namespace pgsluice::policy
