// The prepared statements that stand on one server connection, least recently used first. A statement is unsettled
// while a Parse or Close of it is unanswered; `batch` says in which batch the last of them stood, and is 0 once all
// are.
#pragma once

#include <pgsluice/protocol/statement.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <list>

namespace pgsluice::protocol {

class ServerStatements {
  public:
    struct Entry {
        StatementRef statement;
        std::uint32_t batch = 0;
        std::uint32_t unanswered = 0;
        bool closed = false;    // gone for what follows in its batch; back, should that batch fail
        DescriptionRef said{};  // of the one that stands here; nullptr where it has not been described
    };

    // nullptr where it is not prepared here, and nothing about it is unanswered; else it becomes the most recently
    // used.
    const Entry* use(const Statement& statement) {
        const auto found = by_statement_.find(&statement);
        if (found == by_statement_.end()) return nullptr;
        if (!found->second->closed) by_use_.splice(by_use_.end(), by_use_, found->second);
        return &*found->second;
    }
    // Its Parse has been sent.
    void add(const StatementRef& statement, std::uint32_t batch) {
        Entry& entry = open(statement);
        entry.batch = batch;
        entry.said = nullptr;
        ++entry.unanswered;
    }
    // It has been described. Who is told the same shares it.
    DescriptionRef describe(const Statement& statement, DescriptionRef said) {
        const auto found = by_statement_.find(&statement);
        if (found == by_statement_.end()) return said;
        DescriptionRef& before = found->second->said;
        const bool is_same = before != nullptr && before->agrees_with(*said) && !before->parameter_types.empty();
        if (!is_same) before = std::move(said);
        return before;
    }
    // It stands there already.
    void restore(const StatementRef& statement) { open(statement); }
    // Its Close has been sent.
    void close(const Statement& statement, std::uint32_t batch) {
        const auto found = by_statement_.find(&statement);
        if (found == by_statement_.end() || found->second->closed) return;
        found->second->batch = batch;
        ++found->second->unanswered;
        shut(found->second);
    }
    // The least recently used, for a Close in `batch`; nullptr where the answers to earlier batches decide about all.
    StatementRef oldest(std::uint32_t batch) const {
        for (const Entry& entry : by_use_) {
            if (entry.batch == 0 || entry.batch == batch) return entry.statement;
        }
        return nullptr;
    }

    // Nobody will use it any more: it is the first to go.
    void retire(const Statement& statement) {
        const auto found = by_statement_.find(&statement);
        if (found == by_statement_.end() || found->second->closed) return;
        by_use_.splice(by_use_.begin(), by_use_, found->second);
    }

    // The Parse or Close has been done.
    void settle(const Statement& statement) { answer(statement); }
    // The Parse has not been done, newest first.
    void undo_add(const Statement& statement) {
        const auto found = by_statement_.find(&statement);
        if (found == by_statement_.end()) return;
        if (!found->second->closed) shut(found->second);
        answer(statement);
    }
    // The Close has not been done, newest first.
    void undo_close(const StatementRef& statement) {
        open(statement);
        answer(*statement);
    }
    const std::list<Entry>& by_use() const { return by_use_; }
    // DEALLOCATE ALL has been done: what was sent behind it stays.
    void forget_settled() {
        for (auto at = by_use_.begin(); at != by_use_.end();) {
            const auto entry = at++;
            if (entry->unanswered > 0) continue;
            by_statement_.erase(entry->statement.get());
            by_use_.erase(entry);
        }
    }
    void clear() {
        by_statement_.clear();
        by_use_.clear();
        closed_.clear();
    }
    std::size_t size() const { return by_use_.size(); }

  private:
    using Position = std::list<Entry>::iterator;

    Entry& open(const StatementRef& statement) {
        const auto found = by_statement_.find(statement.get());
        if (found == by_statement_.end()) {
            by_use_.push_back({statement});
            by_statement_.emplace(statement.get(), std::prev(by_use_.end()));
            return by_use_.back();
        }
        Entry& entry = *found->second;
        by_use_.splice(by_use_.end(), entry.closed ? closed_ : by_use_, found->second);
        entry.closed = false;
        return entry;
    }
    void shut(Position entry) {
        entry->closed = true;
        closed_.splice(closed_.end(), by_use_, entry);
    }
    void answer(const Statement& statement) {
        const auto found = by_statement_.find(&statement);
        if (found == by_statement_.end() || found->second->unanswered == 0) return;
        if (--found->second->unanswered > 0) return;
        found->second->batch = 0;
        if (!found->second->closed) return;
        const Position entry = found->second;
        by_statement_.erase(found);
        closed_.erase(entry);
    }

    std::list<Entry> by_use_;  // what stands there if all that is unanswered succeeds
    std::list<Entry> closed_;
    boost::unordered_flat_map<const Statement*, Position> by_statement_;
};

}  // namespace pgsluice::protocol
