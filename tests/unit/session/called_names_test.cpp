#include <pgsluice/session/called_names.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pgsluice::session {
namespace {

Callee traced(std::string id, std::shared_ptr<const policy::Limit> limit = nullptr) {
    return {nullptr, std::make_shared<const Remarks>(Remarks{std::move(id), ""}), std::move(limit)};
}

std::string trace_of(const Callee* callee) {
    return callee == nullptr ? "unknown" : std::string(callee->trace_id());
}

class CalledNamesTest : public testing::Test {
  protected:
    void prepare(ByteView name, const Callee& callee) { names.prepare(name, &callee); }
    void bind(ByteView name, const Callee& callee) { names.bind(name, &callee); }
    std::string bound(ByteView name) const { return trace_of(names.bound(name)); }
    std::string prepared(ByteView name) const { return trace_of(names.prepared(name)); }

    const std::shared_ptr<const policy::Limit> limit = std::make_shared<policy::Limit>();
    CalledNames names;
};

TEST_F(CalledNamesTest, stand_for_what_was_prepared_and_bound) {
    prepare("s", traced("a"));
    names.bind("p", names.prepared("s"));
    bind("", traced("b"));
    prepare("s", traced("c"));
    EXPECT_EQ(bound("p"), "a");
    EXPECT_EQ(bound(""), "b");
    EXPECT_EQ(prepared("s"), "c");
    EXPECT_EQ(prepared("other"), "unknown");
    EXPECT_EQ(bound("other"), "unknown");
}

TEST_F(CalledNamesTest, are_told_apart_by_as_many_bytes_as_postgresql_looks_at) {
    const std::string name(63, 'x');
    bind(name + "A", traced("a"));
    EXPECT_EQ(bound(name + "B"), "a");
    EXPECT_EQ(bound(name.substr(1)), "unknown");
}

TEST_F(CalledNamesTest, with_two_meanings_under_different_limits_have_none) {
    bind("p", traced("limited", limit));
    bind("p", traced("free"));
    EXPECT_EQ(bound("p"), "unknown");
    bind("p", traced("limited", limit));
    EXPECT_EQ(bound("p"), "unknown") << "it may still be the other one";
    names.close("Pp");
    bind("p", traced("free"));
    EXPECT_EQ(bound("p"), "free");
}

TEST_F(CalledNamesTest, that_stand_for_something_unknown_stay_unknown) {
    names.bind("p", nullptr);
    bind("p", traced("free"));
    EXPECT_EQ(bound("p"), "unknown");
}

TEST_F(CalledNamesTest, beyond_the_bound_do_not_push_out_those_that_are_known) {
    bind("p", traced("limited", limit));
    for (std::size_t each = 0; each < 2 * CalledNames::most_names; ++each)
        bind("p" + std::to_string(each), traced("a"));
    EXPECT_EQ(bound("p"), "limited");
    EXPECT_EQ(bound("p" + std::to_string(2 * CalledNames::most_names - 1)), "unknown");
}

// A client could keep by them whatever it likes to send.
TEST_F(CalledNamesTest, stand_for_no_more_than_so_many_bytes) {
    const std::string text(CalledNames::most_bytes / 4, 'x');
    const Callee large{nullptr, std::make_shared<const Remarks>(Remarks{"large", text}), nullptr};
    for (const char* name : {"a", "b", "c", "d", "e"}) prepare(name, large);
    EXPECT_EQ(prepared("c"), "large");
    EXPECT_EQ(prepared("d"), "unknown");
    prepare("", large);
    EXPECT_EQ(prepared(""), "large");
    bind("p", large);
    EXPECT_EQ(bound("p"), "large");
    names.close("Sa");
    prepare("f", large);
    EXPECT_EQ(prepared("f"), "large");
    names.note_statements_gone();
    names.settle(true);
    prepare("d", large);
    EXPECT_EQ(prepared("d"), "large");
}

TEST_F(CalledNamesTest, without_a_name_are_unknown_behind_a_failure) {
    prepare("", traced("a"));
    bind("", traced("a"));
    prepare("s", traced("b"));
    names.note_failure("22012");
    EXPECT_EQ(prepared(""), "unknown");
    EXPECT_EQ(bound(""), "unknown");
    EXPECT_EQ(prepared("s"), "b");
}

TEST_F(CalledNamesTest, of_portals_end_with_the_transaction) {
    prepare("s", traced("a"));
    bind("p", traced("a"));
    bind("", traced("a"));
    names.settle(true);
    EXPECT_EQ(bound("p"), "a");
    names.settle(false);
    EXPECT_EQ(bound("p"), "unknown");
    EXPECT_EQ(bound(""), "unknown");
    EXPECT_EQ(prepared("s"), "a");
}

TEST_F(CalledNamesTest, are_forgotten_by_a_close_of_their_own_kind) {
    for (const char* name : {"x", ""}) {
        prepare(name, traced("statement"));
        bind(name, traced("portal"));
        names.close("P" + std::string(name));
        EXPECT_EQ(bound(name), "unknown");
        EXPECT_EQ(prepared(name), "statement");
        names.close("S" + std::string(name));
        EXPECT_EQ(prepared(name), "unknown");
    }
    names.close("Sother");
}

TEST_F(CalledNamesTest, of_statements_that_are_gone_are_forgotten_when_nothing_is_unanswered) {
    prepare("s", traced("a"));
    prepare("", traced("a"));
    names.note_statements_gone();
    EXPECT_EQ(prepared("s"), "a");
    names.settle(true);
    EXPECT_EQ(prepared("s"), "unknown");
    EXPECT_EQ(prepared(""), "unknown");
    prepare("s", traced("b"));
    names.settle(true);
    EXPECT_EQ(prepared("s"), "b") << "once is enough";
}

TEST_F(CalledNamesTest, that_sql_may_have_given_to_others_are_unknown_until_they_are_closed) {
    for (const char* name : {"s", "t", ""}) {
        prepare(name, traced("statement"));
        bind(name, traced("portal"));
    }
    names.doubt_statement("s");
    EXPECT_EQ(prepared("s"), "unknown");
    EXPECT_EQ(prepared("t"), "statement");
    names.doubt_statements();
    EXPECT_EQ(prepared("t"), "unknown");
    EXPECT_EQ(prepared(""), "statement");
    EXPECT_EQ(bound("t"), "portal");
    names.doubt_portals();
    EXPECT_EQ(bound("t"), "unknown");
    prepare("t", traced("again"));
    EXPECT_EQ(prepared("t"), "unknown") << "it may be refused";
    names.close("St");
    prepare("t", traced("again"));
    EXPECT_EQ(prepared("t"), "again");
}

TEST_F(CalledNamesTest, that_turn_out_to_be_taken_are_unknown) {
    prepare("s", traced("statement"));
    bind("p", traced("portal"));
    names.note_failure("42P05");
    EXPECT_EQ(prepared("s"), "unknown");
    EXPECT_EQ(bound("p"), "portal");
    names.note_failure("42P03");
    EXPECT_EQ(bound("p"), "unknown");
}

}  // namespace
}  // namespace pgsluice::session
