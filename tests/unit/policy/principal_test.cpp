// Which rules a principal is judged by.
#include "fixture.hpp"

namespace pgsluice::policy {

TEST(ForPrincipal, each_condition_must_hold) {
    config::Policy strict = rule("strict", "");
    strict.when.users = {"ann", "bob"};
    strict.when.databases = {"orders"};
    strict.when.applications = {"checkout"};
    strict.when.routes = {"main"};
    strict.when.from = {*Network::parse("10.0.0.0/8"), *Network::parse("unix")};
    const Engine engine = engine_of({strict});
    EXPECT_EQ(judged(engine, "x"), "block by strict");

    const auto judged_with = [&](auto change) {
        Principal other = ann();
        change(other);
        return judged(engine, "x", other);
    };
    EXPECT_EQ(judged_with([](Principal& p) { p.user = "bob"; }), "block by strict");
    EXPECT_EQ(judged_with([](Principal& p) { p.address = *Address::parse("10.2.3.4"); }), "block by strict");
    EXPECT_EQ(judged_with([](Principal& p) { p.user = "Ann"; }), "allow");
    EXPECT_EQ(judged_with([](Principal& p) { p.database = "billing"; }), "allow");
    EXPECT_EQ(judged_with([](Principal& p) { p.application_name = ""; }), "allow");
    EXPECT_EQ(judged_with([](Principal& p) { p.route = "reports"; }), "allow");
    EXPECT_EQ(judged_with([](Principal& p) { p.address = *Address::parse("::1"); }), "allow");
}

TEST(ForPrincipal, is_empty_when_no_rule_can_match) {
    config::Policy bobs = rule("bobs", "");
    bobs.when.users = {"bob"};
    const Engine engine = engine_of({bobs});
    EXPECT_TRUE(engine.for_principal(ann()).empty());
}

TEST(ForPrincipal, star_is_everybody) {
    config::Policy everyone = rule("all", "");
    everyone.when.users = {"*"};
    everyone.when.applications = {"*"};
    EXPECT_FALSE(engine_of({everyone}).for_principal(Principal{}).empty());
}

TEST(ForPrincipal, says_whether_anything_can_be_blocked) {
    const auto may_block = [](std::vector<config::Policy> policies) {
        const Engine engine = engine_of(policies);
        return engine.for_principal(ann()).may_block();
    };
    EXPECT_TRUE(may_block({rule("a", "x")}));
    EXPECT_TRUE(may_block({rule("a", "x", PolicyAction::limit)}));
    EXPECT_FALSE(may_block({rule("a", "x", PolicyAction::log), rule("b", "x", PolicyAction::allow)}));
    EXPECT_FALSE(may_block({rule("a", "x", PolicyAction::block, PolicyMode::shadow)}));
    EXPECT_FALSE(may_block({rule("exempt", "", PolicyAction::allow), rule("b", "x")}))
        << "what stands behind a rule that takes everything is never reached";
    EXPECT_TRUE(may_block({rule("dry", "", PolicyAction::allow, PolicyMode::shadow), rule("b", "x")}));
    EXPECT_TRUE(may_block({rule("seen", "", PolicyAction::log), rule("b", "x")}));
}

TEST(RulesCache, principals_with_the_same_rules_share_a_list) {
    config::Policy anns = rule("anns", "x");
    anns.when.users = {"ann", "bob"};
    const Engine engine = engine_of({anns, rule("all", "y")});
    RulesCache cache;
    Principal bob = ann(), eve = ann();
    bob.user = "bob";
    eve.user = "eve";
    const Rules first = cache.for_principal(engine, ann());
    EXPECT_EQ(first, cache.for_principal(engine, bob));
    EXPECT_FALSE(first == cache.for_principal(engine, eve));
    EXPECT_EQ(cache.size(), 2U);
    EXPECT_TRUE(judge(engine, first, "x").blocks());
}

TEST(RulesCache, keeps_nothing_for_principals_without_rules) {
    RulesCache cache;
    EXPECT_TRUE(cache.for_principal(Engine(), ann()).empty());
    EXPECT_EQ(cache.size(), 0U);
}

TEST(RulesCache, starts_again_with_a_new_engine) {
    RulesCache cache;
    const Engine before = engine_of({rule("a", "x")});
    const Engine after = engine_of({rule("a", "y")});
    const Rules old_rules = cache.for_principal(before, ann());
    const Rules new_rules = cache.for_principal(after, ann());
    EXPECT_FALSE(old_rules == new_rules);
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_TRUE(judge(before, old_rules, "x").blocks()) << "a session keeps the rules it began with";
    EXPECT_TRUE(judge(after, new_rules, "y").blocks());
}

TEST(RulesCache, is_bounded) {
    std::vector<config::Policy> policies;
    std::vector<std::string> names;
    for (int i = 0; i < 300; ++i) {
        names.push_back("user" + std::to_string(i));
        policies.push_back(rule(names.back(), "x"));
        policies.back().when.users = {names.back()};
    }
    const Engine engine = engine_of(policies);
    RulesCache cache;
    for (const std::string& name : names) {
        Principal principal = ann();
        principal.user = name;
        EXPECT_FALSE(cache.for_principal(engine, principal).empty());
    }
    EXPECT_EQ(cache.size(), 256U);
}

}  // namespace pgsluice::policy
