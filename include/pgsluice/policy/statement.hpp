// One statement as it is judged: its text, and what decides beside the text about what it does.
#pragma once

#include <pgsluice/sql/facts.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace pgsluice::policy {

// Asked only where a rule's answer depends on it, which is rare and not free.
class PathSource {
  public:
    // As SHOW search_path prints it; nullopt: not known.
    virtual std::optional<std::string_view> search_path() const = 0;

  protected:
    ~PathSource() = default;
};

// Views, used during the call only.
struct Statement {
    std::string_view text;
    // nullptr, or pointing to none, where the text cannot be parsed. Not looked at where Rules::need_facts() is false.
    const std::shared_ptr<const sql::Facts>* facts = nullptr;
    std::optional<bool> in_transaction{};  // nullopt: not known, which meets either condition
    const PathSource* path = nullptr;      // nullptr: not known
    std::string_view server_user{};        // what "$user" stands for
    // A replication command is none (protocol::is_replication_command): there is nothing that rules on facts could ask
    // of it, so that its text cannot be parsed is no reason to block it.
    bool is_sql = true;
};

}  // namespace pgsluice::policy
