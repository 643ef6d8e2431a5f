#include "stencil_shelf.hpp"

#include "pattern_key.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace pgsluice::sql {
namespace {

constexpr std::size_t memory = 8 << 20;

struct Rig {
    Rig() { shelf.resize(memory); }

    const Facts* find(ByteView text) {
        const FactsRef* found = shelf.find(text, {});
        return found == nullptr ? nullptr : found->get();
    }
    // As the cache does with a text whose pattern it knows.
    void show(ByteView text, const FactsRef& facts) {
        if (find(text) != nullptr) return;
        PatternKey key;
        ASSERT_TRUE(key.build(text, {}));
        shelf.learn(text, {}, key.left_out(), facts);
    }

    StencilShelf shelf;
};

FactsRef some_facts(std::size_t text_size = 10) {
    Facts facts;
    facts.normalized = std::string(text_size, 'x');
    return std::make_shared<const Facts>(std::move(facts));
}

TEST(StencilShelf, finds_what_fits) {
    Rig rig;
    const FactsRef facts = some_facts();
    rig.show("select a from t where id = 1", facts);
    EXPECT_EQ(rig.find("select a from t where id = 2"), facts.get());
    EXPECT_EQ(rig.find("select b from t where id = 2"), nullptr);
    EXPECT_EQ(rig.find("select a from t where id = 2 or true"), nullptr);
}

TEST(StencilShelf, keeps_apart_what_begins_alike) {
    Rig rig;
    const FactsRef a = some_facts(), b = some_facts();
    rig.show("select 1 from a", a);
    rig.show("select 1 from b", b);
    EXPECT_EQ(rig.find("select 2 from a"), a.get());
    EXPECT_EQ(rig.find("select 2 from b"), nullptr);
}

TEST(StencilShelf, gives_a_place_to_who_comes_in_vain_again_and_again) {
    Rig rig;
    const FactsRef a = some_facts(), b = some_facts();
    rig.show("select 1 from a", a);
    for (int i = 0; i < 7; ++i) rig.show("select 1 from b", b);
    EXPECT_EQ(rig.find("select 1 from a"), a.get());
    for (int i = 0; i < 8; ++i) rig.show("select 1 from b", b);
    EXPECT_EQ(rig.find("select 1 from a"), nullptr);
    EXPECT_EQ(rig.find("select 1 from b"), b.get());
}

TEST(StencilShelf, takes_at_most_half_of_the_memory) {
    Rig rig;
    const std::size_t empty = rig.shelf.memory();
    for (int i = 0; i < 5000; ++i) rig.show("select a" + std::to_string(i) + " where 1", some_facts(3000));
    EXPECT_GT(rig.shelf.memory(), memory / 8);
    EXPECT_LE(rig.shelf.memory(), memory / 2);
    rig.show("select b where 1", some_facts(30000));
    EXPECT_EQ(rig.find("select b where 1"), nullptr);
    rig.shelf.resize(memory);
    EXPECT_EQ(rig.shelf.memory(), empty);
    rig.shelf.resize(0);
    EXPECT_EQ(rig.shelf.memory(), 0U);
    EXPECT_EQ(rig.find("select 1"), nullptr);
}

}  // namespace
}  // namespace pgsluice::sql
