#include "lookup_findings.hpp"

#include <pgsluice/auth/scram_keys.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pgsluice::daemon {
namespace {

TEST(LookupFindings, an_outage_is_of_one_query) {
    LookupFindings findings;
    EXPECT_FALSE(findings.fails("a"));
    findings.note_outcome("a", true);
    findings.note_outcome("b", false);
    EXPECT_TRUE(findings.fails("a"));
    EXPECT_FALSE(findings.fails("b"));
    findings.note_outcome("a", false);
    EXPECT_FALSE(findings.fails("a"));
}

TEST(LookupFindings, a_user_has_one_vote_however_often_it_is_asked_for) {
    LookupFindings findings;
    EXPECT_EQ(findings.usual_iterations("a"), std::nullopt);
    findings.note_iterations("a", "ann", 4096);
    findings.note_iterations("a", "bob", 4096);
    for (int i = 0; i < 20; ++i) findings.note_iterations("a", "tenant", 50000);
    EXPECT_EQ(findings.usual_iterations("a"), 4096U);
    findings.note_iterations("a", "ann", 50000);
    EXPECT_EQ(findings.usual_iterations("a"), 50000U) << "the vote has moved";
}

TEST(LookupFindings, who_is_there_no_more_has_no_vote) {
    LookupFindings findings;
    findings.note_iterations("a", "ann", 8192);
    findings.note_iterations("a", "bob", 9000);
    findings.note_iterations("a", "ann", std::nullopt);
    EXPECT_EQ(findings.usual_iterations("a"), 9000U);
    findings.note_iterations("a", "bob", std::nullopt);
    EXPECT_EQ(findings.usual_iterations("a"), std::nullopt);
}

TEST(LookupFindings, more_iterations_than_are_computed_have_no_vote) {
    LookupFindings findings;
    findings.note_iterations("a", "tenant", auth::scram_iterations_limit + 1);
    EXPECT_EQ(findings.usual_iterations("a"), std::nullopt);
    findings.note_iterations("a", "tenant", auth::scram_iterations_limit);
    EXPECT_EQ(findings.usual_iterations("a"), auth::scram_iterations_limit);
    findings.note_iterations("a", "tenant", auth::scram_iterations_limit + 1);
    EXPECT_EQ(findings.usual_iterations("a"), std::nullopt);
}

TEST(LookupFindings, votes_are_of_one_query) {
    LookupFindings findings;
    findings.note_iterations("a", "ann", 4096);
    findings.note_iterations("b", "ann", 8192);
    EXPECT_EQ(findings.usual_iterations("a"), 4096U);
    EXPECT_EQ(findings.usual_iterations("b"), 8192U);
}

TEST(LookupFindings, are_bounded) {
    LookupFindings findings;
    for (std::size_t i = 0; i < LookupFindings::most_votes; ++i)
        findings.note_iterations("a", "user " + std::to_string(i), i % 2 == 0 ? 4096 : 8192);
    for (int i = 0; i < 100; ++i) findings.note_iterations("a", "late " + std::to_string(i), 8192);
    EXPECT_EQ(findings.usual_iterations("a"), 4096U);
    findings.note_outcome("b", true);
    findings.keep_only({"b", "c"});
    EXPECT_EQ(findings.usual_iterations("a"), std::nullopt);
    EXPECT_TRUE(findings.fails("b"));
}

}  // namespace
}  // namespace pgsluice::daemon
