// What explain() knows of a session's search_path, and what it says where rules depend on it and it is not known.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/policy/engine.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgsluice::daemon {

class GivenPath final : public policy::PathSource {
  public:
    explicit GivenPath(std::optional<std::string> path) : path_(std::move(path)) {}
    std::optional<std::string_view> search_path() const override { return path_; }

  private:
    std::optional<std::string> path_;
};

// `told`, or what a session that has set nothing has of its route (Session::search_path); nullopt: not known.
std::optional<std::string> path_of(const std::optional<std::string>& told, const config::Route& route);

// Asks the engine again, with one name at a time and with a path that leads nowhere, which of the names a rule meets
// only since nothing is known of the path. What it is given must outlive it.
class UnknownPath {
  public:
    UnknownPath(const policy::Engine& engine, const policy::Principal& principal, const policy::Statement& statement);

    // Goes on the sentence about a rule, whose condition under `unmet` is not met. Empty where the rule says the same
    // whatever the path is, or where that is known.
    std::string note(std::size_t rule, const config::Policy& policy, const std::string& unmet) const;

  private:
    std::vector<std::string> unmet(const sql::Facts& facts, bool is_path_known) const;
    template <class Named>
    void try_each(const sql::Facts& facts, std::vector<Named> sql::Facts::*names);

    const policy::Engine& engine_;
    const policy::Principal& principal_;
    const policy::Statement& statement_;
    std::vector<std::string> unmet_nowhere_;                 // by rule, were the path known
    std::map<std::size_t, std::vector<std::string>> names_;  // by rule
    bool has_unqualified_ = false;
};

}  // namespace pgsluice::daemon
