#include <pgsluice/session/statement_limits.hpp>

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

using wire::BackendTag;
using wire::FrontendTag;

constexpr TimePoint at(int milliseconds) {
    return TimePoint{} + Milliseconds(milliseconds);
}
std::string text_of(const std::optional<wire::SqlError>& error) {
    if (!error) return "none";
    return std::string(error->code()) + ' ' + error->message + ' ' + error->detail;
}

class StatementLimitsTest : public testing::Test {
  protected:
    // The number of a call that is sent at 0 ms.
    std::uint32_t begin(const config::PolicyLimit& bounds) {
        auto limit = std::make_shared<policy::Limit>();
        limit->rule = "few";
        limit->bounds = bounds;
        Callee callee;
        callee.is_counted = limit->counts_result();
        callee.limit = std::move(limit);
        return calls.begin(std::move(callee), at(0), Microseconds(0));
    }
    bool keeps(std::uint32_t call, BackendTag tag, std::uint64_t bytes = 10) {
        last = limits.pass(call, tag, bytes, at(1));
        return last.is_kept;
    }
    bool keeps_row(std::uint32_t call) { return keeps(call, BackendTag::data_row); }

    Calls calls{true};
    StatementLimits limits{calls};
    StatementLimits::Passage last;
};

TEST_F(StatementLimitsTest, leave_alone_what_has_none) {
    const auto call = calls.begin({}, at(0), Microseconds(0));
    EXPECT_FALSE(limits.counts(0));
    EXPECT_FALSE(limits.counts(call));
    EXPECT_FALSE(limits.look_at(0, at(1'000'000)).cancels);
    EXPECT_FALSE(limits.look_at(call, at(1'000'000)).cancels);
    EXPECT_EQ(text_of(limits.error_of_failed(call, "57014")), "none");
    EXPECT_EQ(text_of(limits.error_of_answered(call)), "none");
    EXPECT_EQ(text_of(limits.error_of_answered(0)), "none");
}

TEST_F(StatementLimitsTest, of_duration_cancel_a_call_and_tell_of_it_once) {
    const auto call = begin({.max_duration = Milliseconds(100)});
    EXPECT_FALSE(limits.look_at(call, at(99)).cancels);
    const auto order = limits.look_at(call, at(100));
    EXPECT_TRUE(order.cancels);
    EXPECT_EQ(order.beyond, LimitKind::max_duration);
    EXPECT_TRUE(limits.is_cancelling());
    EXPECT_FALSE(limits.look_at(call, at(5000)).cancels) << "the request is still on its way";
}

TEST_F(StatementLimitsTest, cancel_again_each_second_what_a_request_has_missed) {
    const auto call = begin({.max_duration = Milliseconds(100)});
    limits.look_at(call, at(100));
    limits.end_cancel();
    EXPECT_FALSE(limits.look_at(call, at(1099)).cancels);
    const auto order = limits.look_at(call, at(1100));
    EXPECT_TRUE(order.cancels);
    EXPECT_FALSE(order.beyond);
    limits.end_cancel();
    EXPECT_FALSE(limits.look_at(call, at(2099)).cancels);
}

TEST_F(StatementLimitsTest, of_duration_begin_when_the_call_before_has_been_answered) {
    const auto first = begin({});
    const auto second = begin({.max_duration = Milliseconds(100)});
    calls.finish(first, at(500));
    EXPECT_FALSE(limits.look_at(second, at(599)).cancels);
    EXPECT_TRUE(limits.look_at(second, at(600)).cancels);
}

TEST_F(StatementLimitsTest, hold_what_a_request_on_its_way_could_hit) {
    const auto call = begin({.max_duration = Milliseconds(100)});
    EXPECT_FALSE(limits.holds(FrontendTag::query));
    limits.look_at(call, at(100));
    for (const auto tag :
         {FrontendTag::query, FrontendTag::parse, FrontendTag::bind, FrontendTag::execute, FrontendTag::function_call})
        EXPECT_TRUE(limits.holds(tag));
    for (const auto tag : {FrontendTag::sync, FrontendTag::flush, FrontendTag::close, FrontendTag::copy_data})
        EXPECT_FALSE(limits.holds(tag));
    limits.end_cancel();
    EXPECT_FALSE(limits.holds(FrontendTag::query));
}

TEST_F(StatementLimitsTest, of_rows_keep_so_many_and_nothing_of_the_result_behind_them) {
    const auto call = begin({.max_rows = 2});
    EXPECT_TRUE(limits.counts(call));
    EXPECT_TRUE(keeps(call, BackendTag::row_description));
    EXPECT_TRUE(keeps_row(call));
    EXPECT_TRUE(keeps_row(call));
    EXPECT_FALSE(limits.is_cancelling());
    EXPECT_FALSE(keeps_row(call));
    EXPECT_TRUE(last.order.cancels);
    EXPECT_EQ(last.order.beyond, LimitKind::max_rows);
    EXPECT_FALSE(keeps_row(call));
    EXPECT_FALSE(last.order.cancels || last.order.beyond);
    EXPECT_FALSE(keeps(call, BackendTag::portal_suspended));
}

TEST_F(StatementLimitsTest, of_bytes_count_whole_messages) {
    const auto call = begin({.max_bytes = 25});
    EXPECT_TRUE(keeps(call, BackendTag::copy_data));
    EXPECT_TRUE(keeps(call, BackendTag::row_description, 1000)) << "no part of the result";
    EXPECT_TRUE(keeps(call, BackendTag::copy_data, 15));
    EXPECT_FALSE(keeps(call, BackendTag::copy_data, 1));
    EXPECT_EQ(last.order.beyond, LimitKind::max_bytes);
}

TEST_F(StatementLimitsTest, let_the_servers_error_pass_and_add_none) {
    const auto call = begin({.max_rows = 1});
    keeps_row(call);
    keeps_row(call);
    EXPECT_TRUE(keeps(call, BackendTag::error_response));
    EXPECT_EQ(text_of(limits.error_of_answered(call)), "none");
}

TEST_F(StatementLimitsTest, cut_off_a_result_of_what_is_being_cancelled_already_and_do_not_cancel_it_again) {
    const auto call = begin({.max_duration = Milliseconds(100), .max_rows = 1});
    keeps_row(call);
    limits.look_at(call, at(100));
    EXPECT_FALSE(keeps_row(call));
    EXPECT_FALSE(last.order.cancels);
    EXPECT_EQ(last.order.beyond, LimitKind::max_rows);
}

TEST_F(StatementLimitsTest, explain_an_error_that_the_cancel_has_made_and_no_other) {
    const auto call = begin({.max_duration = Milliseconds(100)});
    EXPECT_EQ(text_of(limits.error_of_failed(call, "57014")), "none") << "somebody else has cancelled it";
    limits.look_at(call, at(100));
    EXPECT_EQ(text_of(limits.error_of_failed(call, "22012")), "none");
    EXPECT_EQ(text_of(limits.error_of_failed(call, "57014")),
              "57014 canceling statement due to policy \"few\" It has run for max_duration, 100 ms.");
}

TEST_F(StatementLimitsTest, tell_of_a_result_that_was_cut_off_though_the_server_has_answered_in_full) {
    const auto rows = begin({.max_rows = 1});
    keeps_row(rows);
    EXPECT_EQ(text_of(limits.error_of_answered(rows)), "none");
    keeps_row(rows);
    EXPECT_EQ(text_of(limits.error_of_answered(rows)),
              "54000 result is larger than policy \"few\" allows max_rows is 1.");
    const auto bytes = begin({.max_bytes = 5});
    keeps_row(bytes);
    EXPECT_EQ(text_of(limits.error_of_answered(bytes)),
              "54000 result is larger than policy \"few\" allows max_bytes is 5.");
}

TEST_F(StatementLimitsTest, of_duration_that_came_too_late_leave_the_answer_as_it_is) {
    const auto call = begin({.max_duration = Milliseconds(100)});
    limits.look_at(call, at(100));
    EXPECT_EQ(text_of(limits.error_of_answered(call)), "none");
}

}  // namespace
}  // namespace pgsluice::session
