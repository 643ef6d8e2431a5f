// What pgsluice explain says of rules: the table of them, row by row.
#include "explain.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unit/daemon/one_route.hpp>

#include <memory>

namespace pgsluice::daemon {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::Not;

config::Policy about(const std::string& name, const std::string& table) {
    config::Policy policy;
    policy.name = name;
    policy.when.tables = {table};
    policy.mode = config::PolicyMode::shadow;
    return policy;
}

config::Policy moving(const std::string& from, const std::string& to) {
    config::Policy policy;
    policy.name = "moves";
    policy.action = config::PolicyAction::rewrite;
    policy.rewrite.tables = {{from, to}};
    return policy;
}

std::string explained(const std::vector<config::Policy>& policies, const std::string& sql) {
    config::Config config = test::one_route({{"db", 5432}});
    config.policies = policies;
    const auto made = Snapshot::build(std::move(config));
    const auto* snapshot = std::get_if<std::shared_ptr<const Snapshot>>(&made);
    if (snapshot == nullptr) return "no snapshot";
    ExplainRequest request;
    request.sql = sql;
    request.user = request.database = "app";
    request.search_path = "public";
    return explain(**snapshot, request).text;
}

TEST(Explain, asks_rules_behind_a_rewrite_about_what_it_makes) {
    const std::string text =
        explained({about("before", "old"), moving("old", "new"), about("of-old", "old"), about("of-new", "new")},
                  "select a from old");
    EXPECT_THAT(text, AllOf(ContainsRegex("before +matches\n"), ContainsRegex("moves +decides\n")));
    EXPECT_THAT(text, ContainsRegex("of-old +no match: when.tables\n"));
    EXPECT_THAT(text, ContainsRegex("of-new +matches\n"));
}

TEST(Explain, asks_every_rule_about_a_text_that_nothing_rewrites) {
    const std::string text =
        explained({moving("old", "new"), about("of-other", "other"), about("of-new", "new")}, "select a from other");
    EXPECT_THAT(text, ContainsRegex("of-other +matches\n"));
    EXPECT_THAT(text, Not(ContainsRegex("of-new +matches\n")));
}

}  // namespace
}  // namespace pgsluice::daemon
