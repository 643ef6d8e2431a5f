// The section [pgbouncer]: every option of PgBouncer with its default, and what becomes of those that have no
// equivalent.
#pragma once

#include "findings.hpp"
#include "ini.hpp"

#include <pgsluice/base/time.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::importer {

class Options {
  public:
    // Reports unknown options, those whose value, not being the default, is lost, and numbers that are none.
    // `file` is the main one.
    Options(std::string file, const std::vector<Setting>& settings, Findings& findings);

    // The value, or PgBouncer's default; one that is no number counts as that too. `name` is an option of the table.
    std::string text(std::string_view name) const;
    std::string word(std::string_view name) const;  // in lower case, for those of a few words
    std::uint32_t number(std::string_view name) const;
    Milliseconds seconds(std::string_view name) const;
    std::string file(std::string_view name) const;  // where it is found; empty where it is not set
    bool flag(std::string_view name) const { return number(name) != 0; }

    // Whether the file has it, other than empty.
    bool is_set(std::string_view name) const;
    // Where it stands; where it does not, the main file.
    Place place(std::string_view name) const;

  private:
    const Setting* find(std::string_view name) const;
    void judge(const Setting& setting);
    void judge_ignored_parameters(const Setting& setting);

    std::vector<Setting> settings_;
    std::string file_;
    Findings& findings_;
};

// As PgBouncer reads them: 16, 0x10 and 020 are the same. nullopt: no number.
std::optional<std::uint32_t> to_number(const std::string& text);
std::optional<Milliseconds> to_seconds(const std::string& text);  // at most a year
bool is_longer_than_a_year(const std::string& seconds);

// For a note about a value that is out of our range.
std::string becomes_most(Milliseconds nearest);

}  // namespace pgsluice::importer
