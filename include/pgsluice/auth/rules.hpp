// Authentication rules: pg_hba.conf's idea in our configuration. The first rule that matches decides; none means
// reject.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <span>
#include <string>
#include <string_view>

namespace pgsluice::auth {

// What is known of a client when its rule is looked for: the connection in its final state (after TLS), and the names
// of its startup packet as they were truncated.
struct LoginFacts {
    Address address;
    bool encrypted = false;
    std::string_view database;
    std::string_view user;
};

// nullptr: no rule matches.
const config::AuthRule* match(std::span<const config::AuthRule> rules, const LoginFacts& facts);

// Whether a name proved by other means (certificate CN, owner of the client's process) may log in as `user`.
bool maps_to_user(const config::AuthRule& rule, std::string_view proved_name, std::string_view user);

// FATAL 28000, for the two ways of getting no method.
wire::SqlError no_rule_matches(const LoginFacts& facts);
wire::SqlError rejected_by_rule(const LoginFacts& facts);

// FATAL with PostgreSQL's text and SQLSTATE for a failure under `method` (auth_failed in src/backend/libpq/auth.c).
wire::SqlError authentication_failed(config::AuthMethod method, std::string_view user);

}  // namespace pgsluice::auth
