#include <pgsluice/auth/rules.hpp>

#include <gtest/gtest.h>

namespace pgsluice::auth {
namespace {

using config::AuthMethod;
using config::AuthRule;
using config::TlsCondition;

LoginFacts facts(std::string_view address, bool encrypted, std::string_view database, std::string_view user) {
    return {Address::parse(address).value_or(Address{}), encrypted, database, user};
}

AuthRule rule(AuthMethod method) {
    AuthRule made;
    made.method = method;
    return made;
}

}  // namespace

TEST(Rules, none_match_where_there_are_none) {
    EXPECT_EQ(match({}, facts("10.0.0.1", true, "d", "u")), nullptr);
}

TEST(Rules, the_first_match_decides) {
    std::vector<AuthRule> rules{rule(AuthMethod::reject), rule(AuthMethod::scram_sha_256), rule(AuthMethod::trust)};
    rules[0].users = {"mallory"};
    EXPECT_EQ(match(rules, facts("10.0.0.1", false, "d", "mallory")), &rules[0]);
    EXPECT_EQ(match(rules, facts("10.0.0.1", false, "d", "alice")), &rules[1]);
}

TEST(Rules, match_by_network) {
    std::vector<AuthRule> rules{rule(AuthMethod::md5)};
    rules[0].from = {*Network::parse("10.0.0.0/8"), *Network::parse("unix")};
    EXPECT_NE(match(rules, facts("10.1.2.3", false, "d", "u")), nullptr);
    EXPECT_NE(match(rules, {Address{}, false, "d", "u"}), nullptr);
    EXPECT_EQ(match(rules, facts("11.1.2.3", false, "d", "u")), nullptr);
    EXPECT_EQ(match(rules, facts("::1", false, "d", "u")), nullptr);
}

// pg_hba.conf's host, hostssl and hostnossl against plain and TLS.
TEST(Rules, match_by_the_connection_as_it_is_now) {
    std::vector<AuthRule> rules{rule(AuthMethod::trust)};
    for (const auto& [condition, plain, encrypted] :
         {std::tuple(TlsCondition::any, true, true), std::tuple(TlsCondition::require, false, true),
          std::tuple(TlsCondition::refuse, true, false)}) {
        rules[0].tls = condition;
        EXPECT_EQ(match(rules, facts("10.0.0.1", false, "d", "u")) != nullptr, plain);
        EXPECT_EQ(match(rules, facts("10.0.0.1", true, "d", "u")) != nullptr, encrypted);
    }
}

TEST(Rules, match_names_byte_by_byte) {
    std::vector<AuthRule> rules{rule(AuthMethod::trust)};
    rules[0].databases = {"orders", "stock"};
    rules[0].users = {"*"};
    EXPECT_NE(match(rules, facts("10.0.0.1", false, "stock", "u")), nullptr);
    EXPECT_EQ(match(rules, facts("10.0.0.1", false, "Stock", "u")), nullptr);
    EXPECT_EQ(match(rules, facts("10.0.0.1", false, "stock ", "u")), nullptr);
}

TEST(Rules, map_a_proved_name_to_the_user) {
    AuthRule made = rule(AuthMethod::peer);
    EXPECT_TRUE(maps_to_user(made, "alice", "alice"));
    EXPECT_FALSE(maps_to_user(made, "alice", "bob"));
    EXPECT_FALSE(maps_to_user(made, "", ""));
    made.map = {{"root", "admin"}};
    EXPECT_TRUE(maps_to_user(made, "root", "admin"));
    EXPECT_FALSE(maps_to_user(made, "root", "root"));
    EXPECT_FALSE(maps_to_user(made, "alice", "alice"));
}

TEST(Rules, say_who_was_turned_away) {
    const auto none = no_rule_matches(facts("1.2.3.4", false, "d", "u"));
    EXPECT_EQ(none.code(), "28000");
    EXPECT_EQ(none.severity, wire::Severity::fatal);
    EXPECT_EQ(none.message,
              "no authentication rule matches host \"1.2.3.4\", user \"u\", database \"d\", no encryption");
    const auto rejected = rejected_by_rule(facts("::1", true, "d", "u"));
    EXPECT_EQ(rejected.code(), "28000");
    EXPECT_EQ(rejected.message,
              "an authentication rule rejects connection for host \"::1\", user \"u\", database \"d\", SSL encryption");
}

TEST(Rules, failures_are_worded_as_postgresql_does) {
    for (const auto method : {AuthMethod::password, AuthMethod::md5, AuthMethod::scram_sha_256}) {
        EXPECT_EQ(authentication_failed(method, "u").message, "password authentication failed for user \"u\"");
        EXPECT_EQ(authentication_failed(method, "u").code(), "28P01");
    }
    EXPECT_EQ(authentication_failed(AuthMethod::cert, "u").message, "certificate authentication failed for user \"u\"");
    EXPECT_EQ(authentication_failed(AuthMethod::peer, "u").message, "Peer authentication failed for user \"u\"");
    EXPECT_EQ(authentication_failed(AuthMethod::peer, "u").code(), "28000");
    for (const auto method : {AuthMethod::trust, AuthMethod::reject}) {
        EXPECT_EQ(authentication_failed(method, "u").code(), "28000");
    }
}

}  // namespace pgsluice::auth
