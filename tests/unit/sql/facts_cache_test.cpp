#include "support/allocations.hpp"

#include <pgsluice/sql/facts_cache.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pgsluice::sql {
namespace {

// Says which text was read, and that "bad" does not parse.
std::variant<Facts, Unparsable> read(ByteView text, Reading) {
    if (text.find("bad") != ByteView::npos) return Unparsable{"bad"};
    Facts facts;
    facts.statements = 1;
    facts.normalized = text;
    facts.relations = {{.schema = "", .name = "a_relation_with_a_long_name", .is_read = true}};
    return facts;
}

struct Rig {
    explicit Rig(FactsCache::Limits limits = {}) : cache({1, 2}, limits, read) {}
    const FactsRef& operator()(ByteView text) { return cache.facts_of(text, {}); }
    const FactsCache::Counts& counts() const { return cache.counts(); }
    FactsCache cache;
};

std::string numbered(const char* text, int number) {
    return text + std::to_string(number);
}

TEST(FactsCache, parses_a_text_once) {
    Rig rig;
    const FactsRef first = rig("select a");
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first->normalized, "select a");
    for (int i = 0; i < 5; ++i) EXPECT_EQ(rig("select a"), first);
    EXPECT_EQ(rig.counts().parses, 1U);
    EXPECT_EQ(rig.counts().pattern_hits, 1U);
    EXPECT_EQ(rig.counts().exact_hits, 4U);
}

TEST(FactsCache, knows_why_a_text_could_not_be_parsed) {
    Rig rig;
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(rig("select bad"), nullptr);
        EXPECT_EQ(rig.cache.why_unparsable("select bad", {}), "bad");
    }
    EXPECT_EQ(rig.counts().parses, 1U);
    for (int i = 0; i < 1000; ++i) rig(numbered("select bad", i));
    EXPECT_EQ(rig.cache.why_unparsable("select bad", {}), "bad") << "it is asked again where that was forgotten";
    EXPECT_EQ(rig.counts().parses, 1002U);
    EXPECT_EQ(rig.cache.why_unparsable("select a", {}), "");
}

TEST(FactsCache, parses_texts_of_one_pattern_once) {
    Rig rig;
    const FactsRef first = rig("select * from t where id = 1");
    EXPECT_EQ(rig("select * from t where id = 2"), first);
    EXPECT_EQ(rig("select *\nfrom t /* x */ where id = 3"), first);
    EXPECT_NE(rig("select * from t where id = '3'"), first);
    EXPECT_EQ(rig.counts().parses, 2U);
    EXPECT_EQ(rig.counts().pattern_hits, 2U);
}

TEST(FactsCache, keeps_apart_what_servers_read_differently) {
    Rig rig;
    const FactsRef standard = rig.cache.facts_of("select 'a'", {.standard_conforming_strings = true});
    EXPECT_NE(rig.cache.facts_of("select 'a'", {.standard_conforming_strings = false}), standard);
    EXPECT_EQ(rig.counts().parses, 2U);
}

TEST(FactsCache, remembers_what_does_not_parse_by_its_exact_text) {
    Rig rig;
    for (const char* text : {"bad 1", "select 'bad", "bad {"}) {
        for (int i = 0; i < 3; ++i) EXPECT_EQ(rig(text), nullptr) << text;
    }
    EXPECT_EQ(rig.counts().parses, 3U);
    EXPECT_EQ(rig.counts().exact_hits, 6U);
    EXPECT_EQ(rig.counts().unparsable, 9U);
    EXPECT_EQ(rig("bad 2"), nullptr);
    EXPECT_EQ(rig.counts().parses, 4U);
}

TEST(FactsCache, does_not_parse_what_is_too_long) {
    Rig rig({.longest_text = 10});
    EXPECT_NE(rig("select 123"), nullptr);
    EXPECT_EQ(rig("select 1234"), nullptr);
    EXPECT_EQ(rig.counts().parses, 1U);
    EXPECT_EQ(rig.counts().unparsable, 1U);
}

TEST(FactsCache, keeps_within_its_memory) {
    Rig rig({.memory = 64 << 10});
    for (int i = 0; i < 2000; ++i) {
        for (int twice = 0; twice < 3; ++twice) rig(numbered("select a", i));
        EXPECT_LE(rig.cache.memory(), std::size_t{64} << 10);
    }
    EXPECT_EQ(rig.counts().parses, 2000U);
    EXPECT_GT(rig.counts().evictions, 1000U);
    EXPECT_GT(rig.cache.memory(), std::size_t{32} << 10);
}

TEST(FactsCache, forgets_the_least_recently_used_first) {
    Rig rig({.memory = 64 << 10});
    for (int i = 0; i < 2000; ++i) {
        rig("select wanted");
        rig(numbered("select a", i));
    }
    EXPECT_EQ(rig.counts().parses, 2001U);
    rig("select a1999");
    EXPECT_EQ(rig.counts().parses, 2001U);
    rig("select a0");
    EXPECT_EQ(rig.counts().parses, 2002U);
}

TEST(FactsCache, gives_no_room_to_texts_that_come_once) {
    Rig rig({.memory = 64 << 10});
    for (int i = 1000; i < 1003; ++i) rig(numbered("select a from t where id = ", i));
    const std::size_t before = rig.cache.memory();
    for (int i = 0; i < 1000; ++i) {
        rig(numbered("select a from t where id = ", i));
        rig("move " + std::to_string(i) + " from c");
    }
    EXPECT_EQ(rig.cache.memory(), before);
    EXPECT_EQ(rig.counts().evictions, 0U);
}

TEST(FactsCache, keeps_patterns_whatever_exact_texts_come) {
    Rig rig({.memory = 64 << 10});
    for (int i = 0; i < 10; ++i) rig(numbered("select a from t where b", i));
    for (int i = 0; i < 2000; ++i) {
        for (int twice = 0; twice < 2; ++twice) rig(numbered("select b from t where id = 1.", i));
    }
    for (int i = 0; i < 10; ++i) rig(numbered("select a from t  where b", i));
    EXPECT_EQ(rig.counts().parses, 11U);
    EXPECT_GT(rig.counts().evictions, 1000U);
}

TEST(FactsCache, shrinks_at_once_to_a_lower_limit) {
    Rig rig;
    for (int i = 0; i < 3000; ++i) rig(numbered("select a", i));
    const FactsRef held = rig("select a2999");
    EXPECT_GT(rig.cache.memory(), std::size_t{1} << 20);
    rig.cache.set_limits({.memory = 100 << 10});
    EXPECT_LE(rig.cache.memory(), std::size_t{100} << 10);
    EXPECT_GT(rig.cache.memory(), std::size_t{50} << 10);
    EXPECT_EQ(rig("select a2999"), held);
    rig.cache.set_limits({.memory = 0});
    EXPECT_EQ(rig.cache.memory(), 0U);
    EXPECT_EQ(held->normalized, "select a2999");
    EXPECT_NE(rig("select a2999"), nullptr);
}

TEST(FactsCache, answers_without_memory) {
    Rig rig({.memory = 0});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(rig("select 1")->normalized, "select 1");
    EXPECT_EQ(rig.counts().parses, 3U);
}

TEST(FactsCache, allocates_nothing_for_what_it_knows) {
    Rig rig;
    std::vector<std::string> texts;
    texts.reserve(100);
    for (int i = 0; i < 100; ++i) texts.push_back(numbered("select a, 'some text' from a_table where id = ", i));
    rig("select a");
    rig("select a");
    for (int i = 100; i < 102; ++i) rig(numbered("select a, 'some text' from a_table where id = ", i));
    const std::size_t before = test::allocations();
    for (const std::string& text : texts) {
        rig(text);
        rig("select a");
    }
    EXPECT_EQ(test::allocations(), before);
    EXPECT_EQ(rig.counts().parses, 2U);
    EXPECT_EQ(rig.counts().exact_hits, 100U);
}

TEST(FactsCache, knows_nearly_what_it_takes) {
    const std::size_t calls = test::allocations();
    Rig rig;
    for (int i = 0; i < 1000; ++i) rig(numbered("select a", i));
    EXPECT_GT(test::allocations() - calls, 3000U);
    // Facts, two strings and an entry with its key: what the sizes alone come to.
    const std::size_t least = sizeof(Facts) + sizeof(Relation) + 28 + sizeof(FactsRef) + sizeof(std::string);
    EXPECT_GT(rig.cache.memory(), 1000 * least);
    EXPECT_LT(rig.cache.memory(), 1000 * least * 2 + (8 << 20) / 128 * 2);
}

}  // namespace
}  // namespace pgsluice::sql
