// What texts reset last: of custom settings and of role the server does not tell.
#include <pgsluice/sql/session_effect.hpp>

#include <gtest/gtest.h>

#include <string>

namespace pgsluice::sql {
namespace {

Resets after(std::initializer_list<const char*> texts) {
    Resets resets;
    for (const char* text : texts) resets.append(setting_names(text).resets);
    return resets;
}

TEST(Resets, are_told_by_a_tree_however_they_are_written) {
    for (const char* text : {"reset app.tenant", "RESET \"App\".tenant", "set app.tenant to default",
                             "set session app.tenant = default", "select set_config('app.tenant', null, false)",
                             "reset all", "discard all", "set app.tenant = 'x'; reset all"}) {
        EXPECT_TRUE(after({text}).has("app.tenant")) << text;
    }
    for (const char* text :
         {"reset role", "set role to default", "set session authorization default", "reset session authorization",
          "discard all", "set role none; reset role", "select set_config('role', null::text, false)"}) {
        EXPECT_TRUE(after({text}).has("role")) << text;
    }
}

TEST(Resets, are_no_values_and_none_of_the_transaction) {
    for (const char* text :
         {"set app.tenant = 'x'", "set local app.tenant to default", "select set_config('app.tenant', null, true)",
          "reset app.other", "reset work_mem", "discard plans", "reset all; set app.tenant = 'x'",
          "discard all; select set_config('app.tenant', '', false)", "do $$begin reset app.tenant; end$$"}) {
        EXPECT_FALSE(after({text}).has("app.tenant")) << text;
    }
    for (const char* text : {"set role none", "set session authorization app", "set local role to default", "reset all",
                             "discard temp", "reset role; set role none", "reset app.role"}) {
        EXPECT_FALSE(after({text}).has("role")) << text;
    }
}

TEST(Resets, are_those_of_the_last_text) {
    EXPECT_FALSE(after({"reset role", "set role none"}).has("role"));
    EXPECT_TRUE(after({"set role none", "reset role"}).has("role"));
    EXPECT_TRUE(after({"set app.tenant = 'x'", "reset all"}).has("app.tenant"));
    EXPECT_FALSE(after({"discard all", "set app.tenant = 'x'"}).has("app.tenant"));
    EXPECT_TRUE(after({"discard all", "set app.tenant = 'x'"}).has("app.other"));
}

TEST(Resets, end_where_a_parameter_names_the_setting) {
    SettingNames names = setting_names("select set_config($1, $2, false)");
    note_names_in_values(ByteView("\0\0\0\2\0\0\0\5app.a\0\0\0\1x", 18), names);
    Resets resets = after({"reset all"});
    resets.append(names.resets);
    EXPECT_FALSE(resets.has("app.a"));
    EXPECT_TRUE(resets.has("app.b"));
}

TEST(Resets, of_more_names_than_are_kept_are_forgotten) {
    Resets resets = after({"reset all"});
    for (int number = 0; number < 2000; ++number) resets.note_set("app.a" + std::to_string(number));
    EXPECT_FALSE(resets.has("app.a1"));
    EXPECT_FALSE(resets.has("app.b"));
}

}  // namespace
}  // namespace pgsluice::sql
