#include <pgsluice/protocol/accepted_values.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pgsluice::protocol {
namespace {

using Parameters = std::vector<Parameter>;

class MustBeAwaited : public testing::Test {
  protected:
    bool is_awaited(Parameters has, Parameters wants) const {
        const ParameterSet present(std::move(has)), wanted(std::move(wants));
        return must_be_awaited({present, wanted}, accepted);
    }
    void succeed(Parameters has, Parameters wants) {
        const ParameterSet present(std::move(has)), wanted(std::move(wants));
        accepted.propose({present, wanted});
        accepted.accept_proposed();
    }

    AcceptedValues accepted;
};

TEST_F(MustBeAwaited, is_each_value_before_it_was_accepted_once) {
    const Parameter work_mem{"work_mem", "1MB"};
    EXPECT_TRUE(is_awaited({}, {work_mem}));
    succeed({}, {work_mem});
    EXPECT_FALSE(is_awaited({}, {work_mem}));
    EXPECT_FALSE(is_awaited({{"work_mem", "2MB"}}, {work_mem}));
    EXPECT_TRUE(is_awaited({}, {{"work_mem", "2MB"}}));
    EXPECT_TRUE(is_awaited({}, {{"temp_file_limit", "1MB"}}));
    EXPECT_TRUE(is_awaited({}, {work_mem, {"lock_timeout", "1s"}}));
}

TEST_F(MustBeAwaited, is_not_what_the_server_has) {
    const Parameter work_mem{"work_mem", "1MB"}, overriding{"TimeZone", "UTC", true, true};
    EXPECT_FALSE(is_awaited({work_mem}, {work_mem}));
    EXPECT_FALSE(is_awaited({{"TimeZone", "UTC", true}}, {overriding}));
    EXPECT_FALSE(is_awaited({{"role", "ann"}, work_mem}, {{"role", "ann"}}));
}

TEST_F(MustBeAwaited, is_a_value_whose_replay_has_not_succeeded) {
    const Parameter one{"app.one", "1"}, two{"app.two", "2"};
    const ParameterSet none, wants_one(Parameters{one}), wants_two(Parameters{two});
    accepted.propose({none, wants_one});
    EXPECT_TRUE(is_awaited({}, {one}));
    accepted.propose({none, wants_two});
    accepted.accept_proposed();
    EXPECT_TRUE(is_awaited({}, {one}));
    EXPECT_FALSE(is_awaited({}, {two}));
}

TEST_F(MustBeAwaited, is_what_the_server_had_when_others_were_accepted) {
    const Parameter set_by_itself{"log_statement", "all"}, work_mem{"work_mem", "1MB"};
    succeed({set_by_itself}, {set_by_itself, work_mem});
    EXPECT_TRUE(is_awaited({work_mem}, {set_by_itself, work_mem}));
}

TEST_F(MustBeAwaited, is_the_same_value_in_another_encoding) {
    const Parameter utf8{"app.name", "\xC3\xA9", false, false, "UTF8"},
        latin1{"app.name", "\xC3\xA9", false, false, "LATIN1"};
    succeed({}, {utf8});
    EXPECT_FALSE(is_awaited({}, {utf8}));
    EXPECT_TRUE(is_awaited({}, {latin1}));
}

TEST_F(MustBeAwaited, is_never_an_application_name_that_every_server_takes) {
    EXPECT_FALSE(is_awaited({}, {{"application_name", "batch 4711"}}));
    EXPECT_TRUE(is_awaited({}, {{"application_name", "\xFF"}}));
}

TEST_F(MustBeAwaited, is_what_decides_about_rights_and_names_each_time) {
    for (const Parameter& setting : {Parameter{"role", "ann"}, Parameter{"session_authorization", "ann"},
                                     Parameter{"search_path", "a"}, Parameter{"row_security", "off"}}) {
        succeed({}, {setting});
        EXPECT_TRUE(is_awaited({}, {setting})) << setting.name;
        EXPECT_TRUE(is_awaited({setting}, {})) << setting.name;
    }
    EXPECT_TRUE(is_awaited({{"client_encoding", "UTF8"}, {"search_path", "\xC3\xA9"}},
                           {{"client_encoding", "LATIN1"}, {"search_path", "\xC3\xA9"}}));
}

TEST_F(MustBeAwaited, is_what_a_server_may_refuse_though_it_accepted_it_before) {
    for (const char* name : {"default_table_access_method", "default_tablespace", "default_text_search_config",
                             "temp_buffers", "temp_tablespaces"}) {
        succeed({}, {{name, "x"}});
        EXPECT_TRUE(is_awaited({}, {{name, "x"}})) << name;
        EXPECT_FALSE(is_awaited({{name, "x"}}, {})) << name;
    }
}

TEST_F(MustBeAwaited, is_what_not_everybody_may_take_back) {
    for (const char* name :
         {"app.tenant", "plpgsql.variable_conflict", "log_statement", "track_functions", "session_replication_role",
          "lc_messages", "lo_compat_privileges", "zero_damaged_pages", "of_a_later_version"}) {
        EXPECT_TRUE(is_awaited({{name, "x"}}, {})) << name;
        succeed({}, {{name, "y"}});
        EXPECT_FALSE(is_awaited({{name, "x"}}, {{name, "y"}})) << name;
    }
    for (const char* name : {"datestyle", "TimeZone", "enable_seqscan", "work_mem", "xmloption", "lock_timeout"}) {
        EXPECT_FALSE(is_awaited({{name, "x"}}, {})) << name;
    }
}

// Whoever has set it, and whether or not it stays.
TEST_F(MustBeAwaited, is_a_replay_that_a_timeout_on_the_server_may_strike) {
    const Parameter work_mem{"work_mem", "1MB"};
    succeed({}, {work_mem});
    const auto is_awaited_beside = [&](const char* timeout, bool stays) {
        const Parameter limit{"statement_timeout", timeout};
        return is_awaited({limit}, stays ? Parameters{limit, work_mem} : Parameters{work_mem});
    };
    for (const bool stays : {false, true}) {
        EXPECT_TRUE(is_awaited_beside("1", stays));
        EXPECT_TRUE(is_awaited_beside("999", stays));
        EXPECT_TRUE(is_awaited_beside("999ms", stays));
        EXPECT_FALSE(is_awaited_beside("10s", stays));
        EXPECT_FALSE(is_awaited_beside("1000", stays));
        EXPECT_FALSE(is_awaited_beside("0", stays));
    }
}

TEST(AcceptedValues, are_bounded) {
    AcceptedValues accepted;
    const auto value = [](std::size_t i) { return Parameter{"app.user", std::to_string(i)}; };
    const ParameterSet none;
    for (std::size_t i = 0; i <= AcceptedValues::limit; ++i) {
        const ParameterSet wanted(Parameters{value(i)});
        accepted.propose({none, wanted});
        accepted.accept_proposed();
        ASSERT_TRUE(accepted.has(value(i)));
    }
    EXPECT_FALSE(accepted.has(value(0)));
}

}  // namespace
}  // namespace pgsluice::protocol
