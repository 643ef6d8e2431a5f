// The prepared statements that one client knows by name. A name is unsettled while a Parse or Close of it is
// unanswered; `batch` says in which batch (messages up to a Sync) the last of them stood, and is 0 once all are
// answered.
#pragma once

#include <pgsluice/protocol/statement.hpp>

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace pgsluice::protocol {

class ClientStatements {
  public:
    struct Entry {
        StatementRef statement;
        std::uint32_t batch = 0;
        std::uint32_t unanswered = 0;
        bool closed = false;    // gone for what follows in its batch; back, should that batch fail
        DescriptionRef told{};  // what it was told of the statement; nullptr where it has not asked
    };

    // nullptr where the name is unknown. Valid until the next change.
    const Entry* find(ByteView name) const {
        const auto found = names_.find(name);
        return found == names_.end() ? nullptr : &found->second;
    }
    // Its Parse has been sent, and it stood for nothing.
    void add(ByteView name, StatementRef statement, std::uint32_t batch) {
        const auto found = names_.find(name);
        const std::uint32_t before = found == names_.end() ? 0 : found->second.unanswered;
        remove(name);
        Entry entry{std::move(statement), batch, before + 1};
        bytes_ += cost_of(*names_.try_emplace(std::string(name), std::move(entry)).first);
    }
    void remove(ByteView name) {
        const auto found = names_.find(name);
        if (found == names_.end()) return;
        bytes_ -= cost_of(*found);
        names_.erase(found);
    }
    // Its Close has been sent: it is gone as far as its batch goes.
    void close(ByteView name, std::uint32_t batch) {
        const auto found = names_.find(name);
        if (found == names_.end()) return;
        found->second.batch = batch;
        found->second.closed = true;
        ++found->second.unanswered;
    }
    // The Parse or Close has been done.
    void settle(ByteView name) { answer(name); }
    // The Parse has not been done, newest first: its name stands for nothing, as before.
    void undo_add(ByteView name) {
        const auto found = names_.find(name);
        if (found == names_.end()) return;
        found->second.closed = true;
        answer(name);
    }
    // It has been described to the client, when its name stood for that statement.
    void tell(ByteView name, const StatementRef& statement, DescriptionRef told) {
        const auto found = names_.find(name);
        if (found == names_.end() || found->second.statement != statement) return;
        bytes_ -= cost_of(*found);
        found->second.told = std::move(told);
        bytes_ += cost_of(*found);
    }
    // The Close has not been done, newest first: its name stands for `statement` again, which it was told that of.
    void undo_close(ByteView name, StatementRef statement, DescriptionRef told) {
        const auto found = names_.find(name);
        if (found == names_.end()) return;
        bytes_ -= cost_of(*found);
        found->second.statement = std::move(statement);
        found->second.told = std::move(told);
        bytes_ += cost_of(*found);
        found->second.closed = false;
        answer(name);
    }
    // DEALLOCATE ALL has been done: what was prepared before it is gone, what was sent behind it stays.
    void forget_settled() {
        boost::unordered::erase_if(names_, [this](const auto& each) {
            if (each.second.unanswered > 0) return false;
            bytes_ -= cost_of(each);
            return true;
        });
    }
    // Of those names the ones that are known. Closed ones are among them until their Close has been answered: it may
    // not be done.
    struct Mentioned {
        std::string name;
        StatementRef statement;   // nullptr: only the name matters
        std::uint32_t batch = 0;  // as in Entry
        bool closed = false;
    };
    std::vector<Mentioned> known_of(const std::vector<std::string>& names) const;
    // Of the same text, whatever it meant when it was parsed; nullptr where there is none.
    const std::string* name_of(const Statement& statement) const {
        const auto found = std::find_if(names_.begin(), names_.end(), [&](const auto& each) {
            return each.second.statement->text == statement.text;
        });
        return found == names_.end() ? nullptr : &found->first;
    }
    // Portals that run DEALLOCATE of a name, by their names. They end with their transaction.
    bool has_deallocating_portals() const { return !deallocating_.empty(); }
    bool has_too_many_portals() const { return deallocating_.size() >= most_portals; }
    // The name that running the portal deallocates; none: it does not.
    ByteView deallocated_by_portal(ByteView portal) const {
        const auto found = deallocating_.find(portal);
        return found == deallocating_.end() ? ByteView() : ByteView(found->second);
    }
    void bind_deallocation(ByteView portal, ByteView name) {
        deallocating_.insert_or_assign(std::string(portal), name);
    }
    void unbind(ByteView portal) {
        if (const auto found = deallocating_.find(portal); found != deallocating_.end()) deallocating_.erase(found);
    }
    void forget_portals() { deallocating_.clear(); }
    std::size_t size() const { return names_.size(); }
    // What a name and its text take in memory beside their own bytes: an entry here, a Statement, its own name, what
    // the allocator adds to each of them, and room for tables to grow.
    static constexpr std::size_t overhead = 512;
    // What the names keep in memory, as if no other client shared the texts.
    std::size_t bytes() const { return bytes_; }

  private:
    static constexpr std::size_t most_portals = 1000;

    void answer(ByteView name) {
        const auto found = names_.find(name);
        if (found == names_.end() || found->second.unanswered == 0) return;
        if (--found->second.unanswered > 0) return;
        found->second.batch = 0;
        if (found->second.closed) remove(name);
    }
    static std::size_t cost_of(const std::pair<const std::string, Entry>& each) {
        const DescriptionRef& told = each.second.told;
        const std::size_t types = told == nullptr ? 0 : told->parameter_types.size();
        return each.first.size() + each.second.statement->text.size() + types + overhead;
    }

    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    boost::unordered_flat_map<std::string, Entry, Hash, std::equal_to<>> names_;
    boost::unordered_flat_map<std::string, std::string, Hash, std::equal_to<>> deallocating_;
    std::size_t bytes_ = 0;
};

}  // namespace pgsluice::protocol
