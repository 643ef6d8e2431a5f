// Reads what PgBouncer is configured with (its ini file, and the hba, ident and user files that it names) and says the
// same as a configuration of pgsluice, together with everything that is not quite the same. PgBouncer's documentation
// ("config.md") is the source of names, defaults and meanings; options up to version 1.25 are known.
#pragma once

#include <pgsluice/config/config.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice::importer {

enum class Weight : std::uint8_t {
    note,       // works, a little differently
    not_done,   // could not be carried over, and what it did is missing or refused now
    less_safe,  // a protection that PgBouncer gave and pgsluice, so configured, would not
    broken,     // PgBouncer would not start with this either, or the file could not be read
};

struct Finding {
    std::string file;
    int line = 0;  // from 1; 0: the file as a whole
    std::string option;
    Weight weight = Weight::note;
    std::string text;

    std::string to_string() const;  // WEIGHT: FILE:LINE: option: text; one line, never a password
    friend bool operator==(const Finding&, const Finding&) = default;
};

struct Imported {
    config::Config config;  // not checked: files that it names may be missing
    std::vector<Finding> findings;

    bool has(Weight weight) const;
};

// Blocking; relative paths of the ini files are looked for in the working directory, as PgBouncer does, then beside the
// file that names them. What is not done refuses rather than lets in; what is less safe is only said.
Imported import_pgbouncer(const std::string& ini);

// The configuration as YAML, with its passwords, below a comment that lists the findings.
std::string yaml(const Imported& imported, const std::string& ini);

}  // namespace pgsluice::importer
