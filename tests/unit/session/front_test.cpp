#include <pgsluice/session/front.hpp>

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

std::shared_ptr<const policy::Limit> limit_of(std::uint32_t at_a_time) {
    auto limit = std::make_shared<policy::Limit>();
    if (at_a_time > 0) limit->usage = std::make_shared<policy::Usage>(at_a_time, 0);
    return limit;
}

TEST(Front, comes_as_far_as_it_was_judged_and_noted) {
    Front front;
    EXPECT_FALSE(front.is_judged());
    front.note_judged();
    EXPECT_TRUE(front.is_judged());
    EXPECT_FALSE(front.is_noted());
    front.note_effect();
    front.note_judged();
    EXPECT_TRUE(front.is_noted()) << "one that comes again does not fall back";
}

TEST(Front, whose_effect_is_forgotten_is_noted_again_and_not_judged_again) {
    Front front;
    front.forget_effect();
    EXPECT_FALSE(front.is_judged());
    front.note_judged();
    front.note_effect();
    front.forget_effect();
    EXPECT_TRUE(front.is_judged());
    EXPECT_FALSE(front.is_noted());
}

TEST(FrontDeathTest, is_never_noted_before_the_policies_have_let_it_pass) {
    Front front;
    EXPECT_DEATH(front.note_effect(), "invariant broken");
}

TEST(Front, lets_one_call_have_its_facts) {
    Front front;
    front.keep_facts(std::make_shared<const sql::Facts>());
    EXPECT_NE(front.take_facts(), nullptr);
    EXPECT_EQ(front.take_facts(), nullptr);
}

TEST(Front, waits_for_turns_where_its_limit_counts_them) {
    Front front;
    EXPECT_FALSE(front.waits_for_turns());
    front.put_under(limit_of(0));
    EXPECT_FALSE(front.waits_for_turns());
    front.put_under(limit_of(1));
    EXPECT_TRUE(front.waits_for_turns());
}

TEST(Front, has_no_turn_that_it_did_not_ask_for) {
    Front front;
    front.give_turn_back();
    EXPECT_FALSE(front.is_queued());
    EXPECT_EQ(front.take_slot(), nullptr);
}

TEST(Front, that_has_been_taken_leaves_nothing_to_the_next) {
    const auto limit = limit_of(1);
    Front front;
    front.note_judged();
    front.note_effect();
    front.keep_facts(std::make_shared<const sql::Facts>());
    front.put_under(limit);
    front.replace_by(std::make_unique<const Bytes>("other"));
    front.turn().ask(*limit->usage, "", TimePoint{});
    front.forget();
    EXPECT_FALSE(front.is_judged());
    EXPECT_FALSE(front.is_noted());
    EXPECT_EQ(front.take_facts(), nullptr);
    EXPECT_EQ(front.limit(), nullptr);
    EXPECT_EQ(front.replacement(), nullptr);
    EXPECT_EQ(limit.use_count(), 1);
    Turn next;
    EXPECT_EQ(next.ask(*limit->usage, "", TimePoint{}), Turn::Answer::granted) << "its turn is free";
}

}  // namespace
}  // namespace pgsluice::session
