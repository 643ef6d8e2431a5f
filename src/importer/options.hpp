// The section [pgbouncer]: every option of PgBouncer with its default, and what becomes of those that have no
// equivalent.
#pragma once

#include "findings.hpp"
#include "ini.hpp"

#include <pgsluice/base/time.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::importer {

class Options {
  public:
    // Reports unknown options and those whose value, not being the default, is lost.
    Options(const std::vector<Setting>& settings, Findings& findings);

    // The value, or PgBouncer's default. `name` is an option of the table.
    std::string text(std::string_view name) const;
    std::uint32_t number(std::string_view name) const;  // a broken one is reported, and counts as its default
    Milliseconds seconds(std::string_view name) const;
    bool flag(std::string_view name) const { return number(name) != 0; }

    // Whether the file has it, other than empty.
    bool is_set(std::string_view name) const;
    // Where it stands; where it does not, the file it would stand in.
    Place place(std::string_view name) const;

  private:
    const Setting* find(std::string_view name) const;
    void judge(const Setting& setting);

    std::vector<Setting> settings_;
    std::string file_;
    Findings& findings_;
};

// Values of connection strings are read like those of options.
std::uint32_t to_number(const std::string& text, std::uint32_t otherwise, const Place& place, const std::string& option,
                        Findings& findings);
Milliseconds to_seconds(const std::string& text, Milliseconds otherwise, const Place& place, const std::string& option,
                        Findings& findings);

}  // namespace pgsluice::importer
