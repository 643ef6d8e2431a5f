// What the command line can ask for. Each returns the process' exit code.
#pragma once

#include "explain.hpp"

#include <cstdint>
#include <string>

namespace pgsluice::daemon {

constexpr int exit_clean = 0;
constexpr int exit_failed = 1;
constexpr int exit_bad_configuration = 2;

int run_daemon(const std::string& path, const std::string& version);
int check_configuration(const std::string& path);
// Clean or failed, whatever is the reason: who asks wants to know no more.
int ask_health(const std::string& path, bool ready);
int hash_password(std::uint32_t iterations);
int explain_statement(const std::string& path, ExplainRequest request);   // sql "-": from standard input
int import_pgbouncer(const std::string& ini, const std::string& output);  // output empty: standard output

}  // namespace pgsluice::daemon
