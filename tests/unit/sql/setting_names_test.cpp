// The names of custom settings, however they are written: in trees, in parameters, and in what no tree tells.
#include <pgsluice/sql/session_effect.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace pgsluice::sql {
namespace {

using enum SettingNames::Hidden;
using Names = std::vector<std::string>;

TEST(SettingNames, are_told_by_a_tree_however_they_are_written) {
    for (const char* text :
         {"set app.tenant = 'x'", "SET App.Tenant = 'x'", "set \"app\".\"tenant\" = 'x'", "set app . tenant = 'x'",
          "set app/**/./**/tenant='x'", "set app.\ntenant='x'", "set U&\"app\".U&\"ten\\0061nt\" = 'x'",
          "set \"App\".\"Tenant\" = 'x'", "set \"app.tenant\" = 'x'", "set local app.tenant = 'x'", "reset app.tenant",
          "select set_config('app.tenant', 'x', false)", "select set_config(E'app.ten\\x61nt', 'x', false)",
          "select set_config(U&'app.ten\\0061nt', 'x', false)",
          "select set_config('app.tenant'::text, 'x' || $1, false)", "/* a.b */ set app.tenant = 'x' -- c.d",
          "prepare p as select set_config('app.tenant', $1, false)"}) {
        const SettingNames names = setting_names(text);
        EXPECT_EQ(names.told, Names{"app.tenant"}) << text;
        EXPECT_EQ(names.hidden, none) << text;
        EXPECT_EQ(names.in_parameters, none) << text;
    }
}

TEST(SettingNames, of_other_settings_are_none) {
    for (const char* text : {"set work_mem = 1", "select set_config('work_mem', 'a.b', false)", "select a.b from a",
                             "listen a", "load 'a.b'", "select pg_advisory_lock(7)"}) {
        const SettingNames names = setting_names(text);
        EXPECT_EQ(names.told, Names{}) << text;
        EXPECT_EQ(names.hidden, none) << text;
        EXPECT_EQ(names.in_parameters, none) << text;
    }
}

TEST(SettingNames, are_cut_where_the_grammar_cuts_them) {
    EXPECT_EQ(setting_names("set app." + std::string(100, 'a') + " = 'x'").told, Names{"app." + std::string(63, 'a')});
    const SettingNames whole = setting_names("select set_config('app." + std::string(100, 'a') + "', 'x', false)");
    EXPECT_EQ(whole.told, Names{});
    EXPECT_EQ(whole.hidden, for_good) << "RESET cannot reach it";
}

TEST(SettingNames, are_hidden_where_they_are_put_together) {
    for (const char* text :
         {"select set_config('app.' || 'tenant', 'x', false)", "select set_config('app.' || $1, $2, false)",
          "select set_config('app.tenantry'::char(10), 'x', false)",
          "select set_config(name, value, false) from settings", "select set_config(variadic array['app.tenant'])",
          "set app.t\u00e9nant = 'x'", "prepare p as select set_config($1, 'x', false)"}) {
        EXPECT_EQ(setting_names(text).hidden, for_good) << text;
    }
    EXPECT_EQ(setting_names("select set_config('app.' || 'tenant', 'x', true)").hidden, until_end);
}

TEST(SettingNames, are_all_told_of_a_text_that_makes_many) {
    std::string text = "select 1";
    for (int i = 0; i < 80; ++i) text += ", set_config('a.b" + std::to_string(i) + "', 'x', false)";
    EXPECT_EQ(setting_names(text).told.size(), 80U);
    EXPECT_EQ(setting_names(text).hidden, none);
}

TEST(SettingNames, that_are_told_are_bounded) {
    std::string bound{"\0\0\1\x2c", 4};  // no formats, 300 values
    for (int i = 100; i < 400; ++i) bound += std::string{"\0\0\0\6", 4} + "a.b" + std::to_string(i);
    SettingNames in_values = setting_names("select set_config($1, $2, true)");
    note_names_in_values(bound, in_values);
    EXPECT_EQ(in_values.told.size(), 256U);
    EXPECT_EQ(in_values.hidden, until_end);
}

TEST(SettingNames, of_what_no_tree_tells_are_all_that_look_like_one) {
    const SettingNames names = setting_names("do $$ begin set App.Tenant = 'x.y'; a.b.c 1.5 d. e end $$");
    EXPECT_EQ(names.told, (Names{"app.tenant", "x.y", "a.b.c"}));
    EXPECT_EQ(names.hidden, none);
    EXPECT_EQ(names.in_parameters, none);
    EXPECT_EQ(setting_names("call p($1)").in_parameters, for_good);
    EXPECT_EQ(setting_names("call p()").in_parameters, none);
    EXPECT_EQ(setting_names("set what is a.b").told, Names{"a.b"});
    EXPECT_EQ(setting_names("set what is a.b").hidden, for_good);
    EXPECT_EQ(setting_names("set a.b = 'x';" + std::string(5000, ' ')).hidden, for_good);
    EXPECT_EQ(setting_names("create temp table reset_offsets();" + std::string(5000, ' ')).hidden, none);
}

TEST(SettingNames, that_are_mentioned_are_bounded) {
    std::string text = "do $$ ";
    for (int i = 0; i < 100; ++i) text += "a.b" + std::to_string(i) + " ";
    EXPECT_EQ(setting_names(text + "$$").told.size(), 64U);
    EXPECT_EQ(setting_names(text + "$$").hidden, for_good);
}

// Settings of one name, or of as many.
std::chrono::nanoseconds time_to_read_settings(bool are_distinct) {
    auto best = std::chrono::nanoseconds::max();
    for (int i = 0; i < 5; ++i) {
        std::string text = "set x = " + std::to_string(i + (are_distinct ? 10 : 20));
        for (int name = 100; text.size() < 4000; ++name)
            text += ";set a.b" + std::to_string(are_distinct ? name : 100) + "=1";
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_EQ(setting_names(text).told.empty(), false);
        best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - begin);
    }
    return best;
}

TEST(SettingNames, of_many_settings_cost_about_as_much_as_of_one) {
    EXPECT_LT(time_to_read_settings(true), 4 * time_to_read_settings(false));
}

std::string values(const Names& all) {
    std::string bytes{"\0\1\0\0", 4};
    bytes += static_cast<char>(all.size() >> 8);
    bytes += static_cast<char>(all.size());
    for (const std::string& each : all) bytes += std::string("\0\0\0", 3) + static_cast<char>(each.size()) + each;
    return bytes;
}

TEST(SettingNames, in_parameters_are_values_that_can_be_names) {
    SettingNames names = setting_names("select set_config($1, $2, false)");
    EXPECT_EQ(names.in_parameters, for_good);
    EXPECT_EQ(names.hidden, none);
    // As long as a letter's code, which stands in front of it.
    const std::string long_value = "app." + std::string(60, 'x') + "." + std::string(32, 'y');
    note_names_in_values(values({"App.Tenant", "1.5", "a b.c", "app.t\u00e9nant", long_value}), names);
    EXPECT_EQ(names.told, (Names{"app.tenant", "app.t\u00e9nant", long_value}));
    EXPECT_EQ(names.hidden, none);
}

TEST(SettingNames, in_parameters_are_hidden_where_they_are_too_many_to_be_looked_for) {
    const auto hidden = [](std::size_t count) {
        SettingNames names = setting_names("select set_config($1, $2, true)");
        note_names_in_values(values(Names(count, "app.tenant")), names);
        return names.hidden;
    };
    EXPECT_EQ(hidden(1024), none);
    EXPECT_EQ(hidden(1025), until_end);
}

TEST(SettingNames, in_parameters_are_hidden_where_the_values_are_not_all_there) {
    const std::string all = values({"app.tenant", "x"});
    for (std::size_t size = 0; size < all.size(); ++size) {
        SettingNames names = setting_names("select set_config($1, $2, true)");
        note_names_in_values(ByteView(all).substr(0, size), names);
        EXPECT_EQ(names.hidden, until_end) << size;
    }
    SettingNames others = setting_names("select set_config('a.b', $1, false)");
    note_names_in_values(all, others);
    EXPECT_EQ(others.told, Names{"a.b"});
}

}  // namespace
}  // namespace pgsluice::sql
