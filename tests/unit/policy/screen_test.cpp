#include "screen.hpp"

#include "fixture.hpp"
#include "pattern.hpp"

namespace pgsluice::policy {

TEST(Screen, tells_when_no_pattern_matches) {
    const Screen screen({"drop table", "(?i)truncate", "delete.*from"});
    EXPECT_FALSE(screen.may_match("select 1"));
    EXPECT_FALSE(screen.may_match(""));
    EXPECT_TRUE(screen.may_match("drop table t"));
    EXPECT_TRUE(screen.may_match("TRUNCATE t"));
    EXPECT_TRUE(screen.may_match("delete\nfrom t"));
}

TEST(Screen, lets_everything_through_where_it_cannot_tell) {
    EXPECT_TRUE(Screen().may_match("x"));
    EXPECT_TRUE(Screen({"a"}).may_match("x")) << "one pattern is its own screen";
    const std::string wide = "[ab]{40}.{0,200}\\pL{20}";
    EXPECT_TRUE(Screen(std::vector<std::string>(200, wide)).may_match("x")) << "they do not fit together";
    EXPECT_TRUE(Screen({"a", "b"}).may_match(std::string(1 << 20, 'x'))) << "long text";
}

// Whatever the screen says, the verdict is that of the rules asked one by one.
TEST(Screen, never_changes_a_verdict) {
    const std::vector<std::string> patterns{"^select",           "x$",      "(?i)drop\\s+table", "caf\xC3\xA9",
                                            "\\bfrom\\b.*where", "a(?-s).b"};
    std::vector<config::Policy> policies;
    for (const std::string& pattern : patterns) policies.push_back(rule(pattern, pattern, PolicyAction::log));
    const Engine engine = engine_of(policies);
    for (const std::string text : {"select x", " select", "DROP  TABLE t", "caf\xC3\xA9", "caf\xE9", "from t\nwhere y",
                                   "a\nb", "a-b", "", "nothing", "select a-b from t where x"}) {
        std::string expected;
        for (const std::string& pattern : patterns) {
            auto alone = Pattern::compile(pattern);
            if (std::get<Pattern>(alone).found_in(text)) expected += pattern + ' ';
        }
        EXPECT_EQ(judged(engine, text), expected + "allow") << text;
    }
}

}  // namespace pgsluice::policy
