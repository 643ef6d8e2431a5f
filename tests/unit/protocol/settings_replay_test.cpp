#include "ledger.hpp"

#include <pgsluice/protocol/settings_replay.hpp>

namespace pgsluice::protocol {
namespace {

namespace server = test::server;
using Parameters = std::vector<Parameter>;

const std::string parse_set = "Parse \"pgsluice_set\" \"select where pg_catalog.set_config($1, $2, false) is null\"\n";

std::string set(const std::string& name, const std::string& value) {
    return "Bind \"\" \"pgsluice_set\" \"" + name + "\" \"" + value + "\"\nExecute \"\" 0\n";
}
std::string reset(const std::string& quoted_name) {
    return "Close S \"pgsluice_reset\"\nParse \"pgsluice_reset\" \"reset " + quoted_name +
           "\"\nBind \"\" \"pgsluice_reset\"\nExecute \"\" 0\n";
}

class SettingsReplay : public testing::Test {
  protected:
    std::string replay(Parameters has, Parameters wants) {
        Bytes messages;
        count = append_replay(messages, ledger.exchange, reserved,
                              {ParameterSet(std::move(has)), ParameterSet(std::move(wants))});
        return test::describe_client(messages);
    }

    Ledger ledger;
    ReservedStatements reserved;
    std::size_t count = 0;
};

TEST_F(SettingsReplay, sends_nothing_where_nothing_differs) {
    EXPECT_EQ(replay({{"TimeZone", "UTC", true}, {"work_mem", "1MB"}}, {{"work_mem", "1MB"}, {"timezone", "UTC"}}), "");
    EXPECT_EQ(count, 0U);
    EXPECT_TRUE(ledger.exchange.at_rest());
    EXPECT_FALSE(reserved.set_config);
}

TEST_F(SettingsReplay, sets_what_replaces_a_startup_value_though_the_server_has_it_by_itself) {
    const Parameter by_itself{"TimeZone", "UTC", true}, set_here{"TimeZone", "UTC", true, true};
    EXPECT_EQ(replay({by_itself}, {set_here}), parse_set + set("TimeZone", "UTC") + "Sync\n");
    EXPECT_EQ(replay({set_here}, {set_here}), "");
    EXPECT_EQ(replay({set_here}, {by_itself}), "");
}

TEST_F(SettingsReplay, sets_what_differs_in_a_batch_of_its_own) {
    EXPECT_EQ(replay({{"TimeZone", "UTC", true}, {"DateStyle", "ISO", true}},
                     {{"TimeZone", "CET", true}, {"DateStyle", "ISO", true}, {"work_mem", "1MB"}}),
              parse_set + set("TimeZone", "CET") + set("work_mem", "1MB") + "Sync\n");
    EXPECT_EQ(count, 2U);
}

TEST_F(SettingsReplay, a_date_style_in_part_is_applied_to_that_of_a_fresh_connection) {
    EXPECT_EQ(replay({{"DateStyle", "ISO, DMY", true}}, {{"datestyle", "ISO"}}),
              reset("\"DateStyle\"") + parse_set + set("datestyle", "ISO") + "Sync\n");
    EXPECT_EQ(replay({{"DateStyle", "ISO, DMY", true}}, {{"DateStyle", "ISO, MDY", true}}),
              set("DateStyle", "ISO, MDY") + "Sync\n");
}

// What a superuser has set nobody else can take back, and only the session's user can take on a role.
TEST_F(SettingsReplay, rights_come_off_first_and_go_on_last) {
    EXPECT_EQ(replay({{"log_statement", "all"}, {"role", "ann"}, {"session_authorization", "ann"}},
                     {{"role", "bob"}, {"session_authorization", "bob"}, {"work_mem", "1MB"}}),
              reset("\"role\"") + reset("\"session_authorization\"") + reset("\"log_statement\"") + parse_set +
                  set("work_mem", "1MB") + set("session_authorization", "bob") + set("role", "bob") + "Sync\n");
}

TEST_F(SettingsReplay, rights_that_stay_come_off_for_what_differs) {
    EXPECT_EQ(replay({{"role", "ann"}}, {{"role", "ann"}, {"work_mem", "1MB"}}),
              reset("\"role\"") + parse_set + set("work_mem", "1MB") + set("role", "ann") + "Sync\n");
}

TEST_F(SettingsReplay, rights_that_stay_are_left_on_where_nothing_is_to_be_set) {
    const Parameter ann{"role", "ann"};
    EXPECT_EQ(replay({ann, {"TimeZone", "UTC", true, true}}, {ann, {"TimeZone", "UTC", true}}), "");
    EXPECT_EQ(count, 0U);
}

TEST_F(SettingsReplay, sets_the_encoding_ahead_of_values_that_are_in_it) {
    EXPECT_EQ(replay({{"client_encoding", "UTF8", true}}, {{"app.x", "\xE9"}, {"client_encoding", "LATIN1", true}}),
              parse_set + set("client_encoding", "LATIN1") + set("app.x", "\\xe9") + "Sync\n");
    EXPECT_EQ(count, 2U);
}

TEST_F(SettingsReplay, names_what_it_resets_in_the_encoding_of_whoever_set_it) {
    EXPECT_EQ(replay({{"app.\xE9", "x"}, {"client_encoding", "LATIN1", true}}, {{"client_encoding", "UTF8", true}}),
              reset("\"app\".\"\\xe9\"") + parse_set + set("client_encoding", "UTF8") + "Sync\n");
}

TEST_F(SettingsReplay, takes_the_same_bytes_in_two_encodings_for_two_values) {
    const Parameter utf8{"client_encoding", "UTF8", true}, latin1{"client_encoding", "LATIN1", true};
    const Parameter path{"search_path", "\xC3\xA9"};
    EXPECT_EQ(replay({utf8, path}, {latin1, path}),
              parse_set + set("client_encoding", "LATIN1") + set("search_path", "\xC3\xA9") + "Sync\n");
    EXPECT_EQ(replay({utf8, path}, {utf8, path}), "");
    EXPECT_EQ(replay({utf8, {"search_path", "a"}}, {latin1, {"search_path", "a"}}),
              set("client_encoding", "LATIN1") + "Sync\n");
}

TEST_F(SettingsReplay, takes_the_same_name_in_two_encodings_for_two_settings) {
    EXPECT_EQ(replay({{"client_encoding", "UTF8", true}, {"app.\xC3\xA9", "x"}},
                     {{"client_encoding", "LATIN1", true}, {"app.\xC3\xA9", "x"}}),
              reset("\"app\".\"\xC3\xA9\"") + parse_set + set("client_encoding", "LATIN1") + set("app.\xC3\xA9", "x") +
                  "Sync\n");
}

TEST_F(SettingsReplay, puts_the_encoding_back_behind_a_value_that_is_in_another) {
    const Parameter latin1{"client_encoding", "LATIN1", true};
    EXPECT_EQ(replay({latin1}, {latin1, {"app.x", "\xC3\xA9", false, false, "UTF8"}, {"work_mem", "1MB"}}),
              parse_set + set("client_encoding", "UTF8") + set("app.x", "\xC3\xA9") + set("work_mem", "1MB") +
                  set("client_encoding", "LATIN1") + "Sync\n");
}

TEST_F(SettingsReplay, sets_no_encoding_for_a_name_in_a_transaction_that_begins_as_anothers) {
    const Parameter latin1{"client_encoding", "LATIN1", true};
    EXPECT_EQ(replay({latin1, {"app.\xC3\xA9", "x", false, false, "UTF8"}, {"default_transaction_read_only", "on"}},
                     {latin1}),
              reset("\"default_transaction_read_only\"") + "Sync\n" + parse_set + set("client_encoding", "UTF8") +
                  reset("\"app\".\"\xC3\xA9\"") + set("client_encoding", "LATIN1") + "Sync\n");
}

TEST_F(SettingsReplay, prepares_its_statement_anew_where_another_may_have_its_name) {
    reserved.doubtful = true;
    EXPECT_EQ(replay({}, {{"TimeZone", "CET"}}),
              "Close S \"pgsluice_set\"\n" + parse_set + set("TimeZone", "CET") + "Sync\n");
}

TEST_F(SettingsReplay, prepares_its_statement_once_for_each_server) {
    replay({{"TimeZone", "UTC", true}}, {{"TimeZone", "CET", true}});
    EXPECT_TRUE(reserved.set_config);
    EXPECT_EQ(replay({{"TimeZone", "CET", true}}, {{"TimeZone", "UTC", true}}), set("TimeZone", "UTC") + "Sync\n");
}

TEST_F(SettingsReplay, resets_what_the_client_never_set_and_does_so_first) {
    EXPECT_EQ(replay({{"TimeZone", "UTC", true}, {"work_mem", "1MB"}}, {{"TimeZone", "CET", true}}),
              reset("\"work_mem\"") + parse_set + set("TimeZone", "CET") + "Sync\n");
    EXPECT_EQ(count, 2U);
}

TEST_F(SettingsReplay, sets_nothing_in_a_transaction_that_begins_as_anothers) {
    const Parameter deferrable{"default_transaction_deferrable", "on"},
        read_only{"default_transaction_read_only", "on"};
    EXPECT_EQ(replay({deferrable, read_only}, {{"work_mem", "1MB"}}),
              reset("\"default_transaction_deferrable\"") + reset("\"default_transaction_read_only\"") + "Sync\n" +
                  parse_set + set("work_mem", "1MB") + "Sync\n");
    EXPECT_EQ(
        replay({read_only}, {{"default_transaction_read_only", "off"}}),
        reset("\"default_transaction_read_only\"") + "Sync\n" + set("default_transaction_read_only", "off") + "Sync\n");
    EXPECT_EQ(replay({read_only}, {read_only, {"work_mem", "1MB"}}), set("work_mem", "1MB") + "Sync\n");
}

TEST_F(SettingsReplay, waits_for_no_snapshot_of_a_deferrable_transaction_that_its_client_wants_too) {
    const Parameter deferrable{"default_transaction_deferrable", "on"};
    EXPECT_EQ(replay({deferrable}, {deferrable, {"work_mem", "1MB"}}),
              reset("\"default_transaction_deferrable\"") + "Sync\n" + parse_set +
                  set("default_transaction_deferrable", "on") + set("work_mem", "1MB") + "Sync\n");
    EXPECT_EQ(replay({deferrable}, {deferrable}), "");
}

TEST_F(SettingsReplay, quotes_every_part_of_a_name) {
    EXPECT_EQ(replay({{"my.Setting", "1"}}, {}), reset("\"my\".\"Setting\"") + "Sync\n");
    EXPECT_EQ(replay({{"my\"; drop table t; --", "1"}}, {}), reset("\"my\"\"; drop table t; --\"") + "Sync\n");
}

TEST_F(SettingsReplay, keeps_values_out_of_the_text) {
    EXPECT_EQ(replay({}, {{"search_path", "'); drop table t; --"}}),
              parse_set + set("search_path", "'); drop table t; --") + "Sync\n");
    EXPECT_EQ(replay({}, {{"search_path", ""}}), set("search_path", "") + "Sync\n");
}

TEST_F(SettingsReplay, swallows_every_reply) {
    replay({{"TimeZone", "UTC", true}, {"work_mem", "1MB"}}, {{"TimeZone", "CET", true}});
    ledger.owe(Asked::query);
    EXPECT_TRUE(ledger.exchange.is_replaying());
    const Bytes resets = server::close_complete() + server::parse_complete() + server::bind_complete() +
                         server::command_complete("RESET");
    const Bytes sets =
        server::parse_complete() + server::bind_complete() + server::command_complete("SELECT 0") + server::ready();
    const std::string told = ledger.settle(resets + sets);
    EXPECT_EQ(told.find("forward"), std::string::npos) << told;
    EXPECT_EQ(told.find("lost_sync"), std::string::npos) << told;
    EXPECT_FALSE(ledger.exchange.is_replaying());
    EXPECT_EQ(ledger.settle(server::command_complete("SELECT 1") + server::ready()),
              "forward CommandComplete \"SELECT 1\"\nforward ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
}

TEST_F(SettingsReplay, shows_a_setting_that_the_server_refuses) {
    replay({}, {{"work_mem", "much"}});
    EXPECT_EQ(
        ledger.settle(server::parse_complete() + server::bind_complete() + server::error("22023", "invalid value")),
        "swallow ParseComplete\nswallow BindComplete\nreplay_failed ErrorResponse ERROR 22023 \"invalid value\"\n");
    EXPECT_EQ(ledger.settle(server::ready()), "swallow ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
}

}  // namespace
}  // namespace pgsluice::protocol
