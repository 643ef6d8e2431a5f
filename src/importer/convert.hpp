// The steps of an import: each carries some sections over into the configuration.
#pragma once

#include "findings.hpp"
#include "ini.hpp"
#include "options.hpp"

#include <pgsluice/config/config.hpp>

#include <optional>
#include <string>
#include <vector>

namespace pgsluice::importer {

struct Entry;

// What the steps look at, and where they say what they find.
struct Source {
    const std::vector<Setting>& settings;
    const Options& options;
    Findings& findings;
    std::vector<config::User> users;  // of auth_file

    const config::User* find_user(const std::string& name) const;
    // A value of `entry`, or `otherwise` and a finding where it is no number.
    std::uint32_t number(const std::string& text, std::uint32_t otherwise, const Entry& entry,
                         std::string_view key) const;
    Milliseconds seconds(const std::string& text, Milliseconds otherwise, const Entry& entry,
                         std::string_view key) const;
    // `value`, or the nearest that there is here, and then a note. `option` is what PgBouncer calls it.
    std::uint32_t within(std::uint32_t value, std::uint32_t least, std::uint32_t most, const Place& place,
                         std::string_view option) const;
    Milliseconds at_most(Milliseconds value, Milliseconds most, const Place& place, std::string_view option) const;
    // The same for a number of [pgbouncer].
    std::uint32_t number_within(std::string_view option, std::uint32_t least, std::uint32_t most) const;
    std::uint16_t port(const std::string& text, std::uint16_t otherwise, const Entry& entry) const;
};

// A line of [databases], [users] or [peers]: KEY = name=value ...
struct Entry {
    std::string name;
    Pairs values;
    Place place;

    const std::string* find(std::string_view key) const;
    bool has(std::string_view key) const { return find(key) != nullptr; }
    std::string text(std::string_view key, std::string otherwise = {}) const;
};
// Those of a section. A line that PgBouncer would refuse, for its syntax or a key that is not in `known`, is reported.
std::vector<Entry> entries_of(const Source& source, const std::string& section,
                              const std::vector<std::string_view>& known);

void convert_process(const Source& source, config::Config& config);    // listeners, limits, timeouts, log, console
void convert_peers(const Source& source, config::Config& config);      // [peers]
void convert_databases(const Source& source, config::Config& config);  // [databases]: clusters, routes, their queries
void convert_users(const Source& source, config::Config& config);      // auth_file and [users]
void convert_rules(const Source& source, config::Config& config);      // auth_type and what it names; wants the rest

}  // namespace pgsluice::importer
