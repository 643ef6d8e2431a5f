#include "fixture.hpp"
#include "support/allocations.hpp"

#include <pgsluice/policy/limit.hpp>

namespace pgsluice::policy {
namespace {

std::vector<BuildError> errors_of(const std::vector<config::Policy>& policies) {
    auto built = Engine::build(policies);
    if (auto* errors = std::get_if<std::vector<BuildError>>(&built)) return *errors;
    return {};
}

}  // namespace

TEST(Engine, without_rules_allows_and_has_nothing_to_ask) {
    const Engine engine;
    const Rules rules = engine.for_principal(ann());
    EXPECT_TRUE(rules.empty());
    EXPECT_FALSE(rules.may_block());
    EXPECT_FALSE(judge(engine, rules, "drop table t").blocks());
}

TEST(Engine, the_first_enforcing_match_decides) {
    const Engine engine = engine_of({rule("audit-drop", "audit", PolicyAction::allow), rule("drop", "drop"),
                                     rule("late", "drop table", PolicyAction::allow)});
    EXPECT_EQ(judged(engine, "drop table t"), "block by drop");
    EXPECT_EQ(judged(engine, "drop table audit"), "allow by audit-drop");
    EXPECT_EQ(judged(engine, "select 1"), "allow");
}

TEST(Engine, shadow_and_log_rules_note_and_decide_nothing) {
    const Engine engine = engine_of({rule("seen", "drop", PolicyAction::log),
                                     rule("dry", "drop", PolicyAction::block, PolicyMode::shadow), rule("drop", "drop"),
                                     rule("behind", "drop", PolicyAction::block, PolicyMode::shadow)});
    EXPECT_EQ(judged(engine, "drop table t"), "seen dry block by drop");
    EXPECT_EQ(judged(engine, "select 1"), "allow");
}

TEST(Engine, a_shadow_allow_does_not_exempt) {
    const Engine engine =
        engine_of({rule("dry", "drop", PolicyAction::allow, PolicyMode::shadow), rule("drop", "drop")});
    EXPECT_EQ(judged(engine, "drop table t"), "dry block by drop");
}

TEST(Engine, hits_are_bounded) {
    std::vector<config::Policy> policies(40, rule("dry", "x", PolicyAction::block, PolicyMode::shadow));
    const Engine engine = engine_of(policies);
    const Verdict verdict = judge(engine, engine.for_principal(ann()), "x");
    EXPECT_EQ(verdict.hits.size(), Hits::capacity);
    EXPECT_FALSE(verdict.blocks());
    EXPECT_FALSE(verdict.rule.has_value());
}

TEST(Engine, the_first_limit_counts_and_is_named_with_its_rule) {
    config::Policy bounded = rule("bounded", "slow", PolicyAction::limit);
    bounded.limit.max_duration = std::chrono::seconds(5);
    const Engine engine = engine_of({bounded, rule("behind", "slow", PolicyAction::limit)});
    const Rules rules = engine.for_principal(ann());
    EXPECT_TRUE(rules.may_limit());
    const Verdict verdict = judge(engine, rules, "slow");
    EXPECT_EQ(verdict.action, Action::limit);
    ASSERT_NE(verdict.limit, nullptr);
    EXPECT_EQ(verdict.limit->rule, "bounded");
    EXPECT_EQ(verdict.limit->bounds.max_duration, std::chrono::seconds(5));
    EXPECT_EQ(judge(engine, rules, "fast").limit, nullptr);
}

// They match where one thing fits, so they must not let pass what a rule behind blocks.
TEST(Engine, a_limit_opens_no_way_past_a_block_behind_it) {
    const Engine engine = engine_of({rule("bounded", "", PolicyAction::limit), rule("drop", "drop"),
                                     rule("fine", "fine", PolicyAction::allow), rule("late", "fine")});
    const Rules rules = engine.for_principal(ann());
    const Verdict blocked = judge(engine, rules, "drop");
    EXPECT_TRUE(blocked.blocks());
    EXPECT_EQ(blocked.rule, 1U);
    EXPECT_EQ(blocked.limit, nullptr);
    const Verdict allowed = judge(engine, rules, "fine");
    EXPECT_EQ(allowed.action, Action::limit);
    EXPECT_NE(allowed.limit, nullptr);
}

TEST(Engine, what_is_rewritten_is_judged_by_the_rules_behind_that_one) {
    config::Policy other = rule("other", "", PolicyAction::rewrite);
    other.rewrite.pattern = "a";
    const Engine engine = engine_of({rule("front", "b"), other, rule("behind", "drop")});
    const Rules rules = engine.for_principal(ann());
    Shortlists shortlists;
    EXPECT_EQ(judge(engine, rules, "drop").action, Action::rewrite);
    EXPECT_TRUE(engine.judge(rules, Statement{.text = "drop"}, shortlists, 1).blocks());
    EXPECT_FALSE(engine.judge(rules, Statement{.text = "b"}, shortlists, 1).blocks());
}

TEST(Engine, remembers_of_facts_what_may_match_and_does_not_keep_them) {
    config::Policy policy = rule("no_delete", "");
    policy.when.statements = {"delete"};
    const Engine engine = engine_of({policy});
    const Rules rules = engine.for_principal(ann());
    Shortlists shortlists;
    for (int i = 0; i < 3; ++i) {
        auto facts = std::make_shared<const sql::Facts>(std::get<sql::Facts>(sql::read_facts("delete from t", {})));
        const std::weak_ptr<const sql::Facts> watched = facts;
        EXPECT_TRUE(engine.judge(rules, Statement{.text = "delete from t", .facts = &facts}, shortlists).blocks());
        facts.reset();
        EXPECT_TRUE(watched.expired());
    }
}

TEST(Engine, a_limit_in_shadow_mode_limits_nothing) {
    const Engine engine = engine_of({rule("bounded", "slow", PolicyAction::limit, PolicyMode::shadow)});
    EXPECT_FALSE(engine.for_principal(ann()).may_limit());
    EXPECT_EQ(judged(engine, "slow"), "bounded allow");
}

TEST(Engine, a_block_carries_the_error_of_its_rule) {
    config::Policy worded = rule("worded", "drop");
    worded.sqlstate = "0A000";
    worded.message = "not here";
    worded.hint = "ask the owner";
    const Engine engine = engine_of({worded, rule("plain", "truncate")});
    const Rules rules = engine.for_principal(ann());

    const Verdict drop = judge(engine, rules, "drop table t");
    ASSERT_TRUE(drop.blocks());
    EXPECT_EQ(drop.error->severity, wire::Severity::error);
    EXPECT_EQ(drop.error->code(), "0A000");
    EXPECT_EQ(drop.error->message, "not here");
    EXPECT_EQ(drop.error->hint, "ask the owner");

    const Verdict truncate = judge(engine, rules, "truncate t");
    ASSERT_TRUE(truncate.blocks());
    EXPECT_EQ(truncate.error->code(), "42501");
    EXPECT_EQ(truncate.error->message, "blocked by policy \"plain\"");
    EXPECT_EQ(truncate.error->hint, "");

    EXPECT_EQ(judge(engine, rules, "select 1").error, nullptr);
}

TEST(Engine, reports_every_error_of_every_policy) {
    config::Policy doubly_wrong = rule("c", "[a");
    doubly_wrong.sqlstate = "42p01";
    config::Policy success = rule("d", "");
    success.sqlstate = "00000";
    const auto errors = errors_of({rule("a", "a(b"), rule("b", "fine"), doubly_wrong, success});
    ASSERT_EQ(errors.size(), 4U);
    EXPECT_EQ(errors[0].policy, 0U);
    EXPECT_EQ(errors[0].key, "when.pattern");
    EXPECT_EQ(errors[0].text, "missing ): a(b");
    EXPECT_EQ(errors[1].policy, 2U);
    EXPECT_EQ(errors[1].text, "missing ]: [a");
    EXPECT_EQ(errors[2].key, "sqlstate");
    EXPECT_EQ(errors[3].policy, 3U);
    EXPECT_EQ(errors[3].key, "sqlstate");
}

TEST(Engine, codes_that_are_no_errors_are_refused) {
    for (const char* sqlstate : {"", "4250", "425011", "4250a", "4250 ", "00000", "01000", "02000"}) {
        config::Policy policy = rule("p", "x");
        policy.sqlstate = sqlstate;
        EXPECT_EQ(errors_of({policy}).size(), 1U) << sqlstate;
    }
}

TEST(Engine, letting_a_statement_pass_allocates_nothing) {
    const Engine engine = engine_of({rule("a", "drop table"), rule("b", "(?i)truncate"),
                                     rule("c", "select", PolicyAction::log), rule("d", "select", PolicyAction::allow)});
    const Rules rules = engine.for_principal(ann());
    const std::string text = "select caf\xC3\xA9 from t where id = 17";
    judge(engine, rules, text);  // RE2 builds its states on the way
    const std::size_t before = test::allocations();
    const Verdict verdict = judge(engine, rules, text);
    EXPECT_EQ(test::allocations(), before);
    EXPECT_FALSE(verdict.blocks());
    EXPECT_EQ(verdict.hits.size(), 1U);
}

TEST(EngineDeathTest, rules_of_another_engine_are_a_bug) {
    const Engine one = engine_of({rule("a", "x")});
    const Engine other = engine_of({rule("a", "x")});
    EXPECT_DEATH(judge(other, one.for_principal(ann()), "x"), "invariant broken");
}

}  // namespace pgsluice::policy
