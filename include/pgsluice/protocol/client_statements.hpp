// The prepared statements that one client knows by name. A name is unsettled from its Parse until the ParseComplete;
// `batch` says in which batch (messages up to a Sync) that Parse stood, and is 0 once it is settled.
#pragma once

#include <pgsluice/protocol/statement.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

namespace pgsluice::protocol {

class ClientStatements {
  public:
    struct Entry {
        StatementRef statement;
        std::uint32_t batch = 0;
    };

    // nullptr where the name is unknown. Valid until the next change.
    const Entry* find(ByteView name) const {
        const auto found = names_.find(name);
        return found == names_.end() ? nullptr : &found->second;
    }
    void add(ByteView name, StatementRef statement, std::uint32_t batch) {
        names_.insert_or_assign(std::string(name), Entry{std::move(statement), batch});
    }
    void remove(ByteView name) {
        if (const auto found = names_.find(name); found != names_.end()) names_.erase(found);
    }
    void settle(ByteView name) {
        if (const auto found = names_.find(name); found != names_.end()) found->second.batch = 0;
    }
    void clear() { names_ = {}; }
    std::size_t size() const { return names_.size(); }

  private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    boost::unordered_flat_map<std::string, Entry, Hash, std::equal_to<>> names_;
};

}  // namespace pgsluice::protocol
