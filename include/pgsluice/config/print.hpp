// The effective configuration as YAML, defaults filled in: what `pgsluice --check` prints.
#pragma once

#include <pgsluice/config/config.hpp>

#include <string>
#include <vector>

namespace pgsluice::config {

// Passwords read "***" and the users of a users_file are left to that file; load() takes the text otherwise as it
// stands. Values other than passwords are printed even where they came from ${file:} or the environment.
std::string print(const Config& config);

// The conditions of a policy on one line, as a file would have them: {statements: ["delete"], without_where: true};
// likewise what its action says (rewrite, limit). Empty where there are none.
std::string print_when(const Policy& policy);
std::string print_effect(const Policy& policy);

// A file that means `config`: only what differs from the defaults, and the passwords in the clear. For a configuration
// that was made rather than read: what ${...} filled in is not known any more. A long list that it has in several
// places is written once, and is an alias in the others.
std::string write(const Config& config);

// What print() says, key by key, in the same order: what `SHOW CONFIG` lists.
struct PrintedKey {
    std::string path;     // "routes[0].pool.size"
    std::string pattern;  // "routes[].pool.size", as in KeyInfo
    std::string value;
};
std::vector<PrintedKey> print_keys(const Config& config);

}  // namespace pgsluice::config
