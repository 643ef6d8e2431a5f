// Reads a configuration file into a validated Config, or says everything that is wrong with it.
#pragma once

#include <pgsluice/config/config.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pgsluice::config {

// One thing that is wrong, or deserves a warning. Lines and columns count from 1; where a whole file is meant they are
// 1:1. Never holds a secret or a value that was read from ${env:}, ${file:} or ${credential:}.
struct Problem {
    std::string file;
    int line = 1, column = 1;
    std::string key_path;  // routes[0].pool.size; empty where a whole file is meant
    std::string text;      // what is wrong, and what is allowed

    std::string to_string() const;  // FILE:LINE:COLUMN: key.path: text; one line
    friend bool operator==(const Problem&, const Problem&) = default;
};

struct Loaded {
    std::optional<Config> config;  // present exactly when there are no problems
    std::vector<Problem> problems;
    std::vector<Problem> warnings;  // in either case

    explicit operator bool() const { return config.has_value(); }
};

// What is wrong with a policy and only a higher layer can tell, since it compiles them.
struct PolicyFinding {
    std::size_t policy;  // position in the list
    std::string key;     // below the policy: "when.pattern", "when.statements[1]"
    std::string text;    // may quote the value
};
using JudgePolicies = std::function<std::vector<PolicyFinding>(const std::vector<Policy>&)>;

// Reads `path`, what it includes and the secret files that it names, blocking. Relative paths inside are relative to
// the folder of `path`. Reports by value, all problems at once; throws only std::bad_alloc. What `judge` finds becomes
// problems at the lines where the values stand.
Loaded load(const std::string& path, const JudgePolicies& judge = {});

struct LoadedEndpoint {
    std::optional<AdminHttp> admin_http;  // present exactly when there are no problems
    std::vector<Problem> problems;        // with what says where the endpoint is
};

// Where the endpoint of metrics and health is, and whether by TLS; the token is left out. What is wrong elsewhere in
// the files does not matter: a process that has refused them goes on, and is asked about its health.
LoadedEndpoint load_endpoint(const std::string& path);

}  // namespace pgsluice::config
