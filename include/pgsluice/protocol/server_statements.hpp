// The prepared statements that stand on one server connection, least recently used first. A statement is entered when
// its Parse is sent; it is unsettled, and `batch` not 0, until the ParseComplete.
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
    };

    // nullptr where it is not prepared here; else it becomes the most recently used.
    const Entry* use(const Statement& statement) {
        const auto found = by_statement_.find(&statement);
        if (found == by_statement_.end()) return nullptr;
        by_use_.splice(by_use_.end(), by_use_, found->second);
        return &*found->second;
    }
    void add(StatementRef statement, std::uint32_t batch) {
        const Statement* key = statement.get();
        by_use_.push_back({std::move(statement), batch});
        by_statement_.insert_or_assign(key, std::prev(by_use_.end()));
    }
    void settle(const Statement& statement) {
        if (const auto found = by_statement_.find(&statement); found != by_statement_.end()) found->second->batch = 0;
    }
    void remove(const Statement& statement) {
        const auto found = by_statement_.find(&statement);
        if (found == by_statement_.end()) return;
        by_use_.erase(found->second);
        by_statement_.erase(found);
    }
    const std::list<Entry>& by_use() const { return by_use_; }
    // Takes the least recently used statement out.
    StatementRef evict() {
        StatementRef oldest = std::move(by_use_.front().statement);
        by_statement_.erase(oldest.get());
        by_use_.pop_front();
        return oldest;
    }
    // DEALLOCATE ALL has been done: what was sent behind it stays.
    void forget_settled() {
        for (auto at = by_use_.begin(); at != by_use_.end();) {
            const auto entry = at++;
            if (entry->batch != 0) continue;
            by_statement_.erase(entry->statement.get());
            by_use_.erase(entry);
        }
    }
    void clear() {
        by_statement_.clear();
        by_use_.clear();
    }
    std::size_t size() const { return by_use_.size(); }

  private:
    std::list<Entry> by_use_;
    boost::unordered_flat_map<const Statement*, std::list<Entry>::iterator> by_statement_;
};

}  // namespace pgsluice::protocol
