#include <pgsluice/protocol/parameter_set.hpp>

#include <gtest/gtest.h>

#include <optional>

namespace pgsluice::protocol {
namespace {

const std::vector<Parameter> usual{
    {"DateStyle", "ISO, MDY", true}, {"TimeZone", "UTC", true}, {"search_path", "app", false}};

std::string value_of(const ParameterSet& set, ByteView name) {
    const Parameter* found = set.find(name);
    return found == nullptr ? "(none)" : found->value;
}

TEST(ParameterNames, are_the_same_in_any_case) {
    EXPECT_TRUE(same_name("TimeZone", "TIMEZONE"));
    EXPECT_TRUE(same_name("", ""));
    EXPECT_FALSE(same_name("TimeZone", "TimeZon"));
    EXPECT_FALSE(same_name("a_b", "a-b"));
    // Only ASCII letters have a case here.
    EXPECT_FALSE(same_name("\xC4", "\xE4"));
    EXPECT_FALSE(same_name("[", "{"));
    EXPECT_FALSE(same_name("@", "`"));
}

TEST(ParameterNames, that_describe_the_server_are_not_carried) {
    for (const char* name : {"server_version", "server_encoding", "integer_datetimes", "is_superuser",
                             "session_authorization", "in_hot_standby", "scram_iterations"}) {
        EXPECT_FALSE(is_carried(name)) << name;
    }
    for (const char* name : {"client_encoding", "DateStyle", "application_name", "default_transaction_read_only"}) {
        EXPECT_TRUE(is_carried(name)) << name;
    }
}

TEST(ParameterSet, finds_names_in_any_case_and_no_others) {
    const ParameterSet set(usual);
    EXPECT_EQ(value_of(set, "datestyle"), "ISO, MDY");
    EXPECT_EQ(value_of(set, "TIMEZONE"), "UTC");
    EXPECT_EQ(value_of(set, "search_path"), "app");
    for (const char* name : {"", "a", "Date", "DateStyles", "zzz", "search-path"}) {
        EXPECT_EQ(set.find(name), nullptr) << name;
    }
    EXPECT_EQ(ParameterSet().find("TimeZone"), nullptr);
}

TEST(ParameterList, finds_what_it_began_with_and_what_was_added_in_any_order) {
    ParameterList list(usual);
    for (const char* name : {"b", "Work_Mem", "a", "zz"}) list.add({name, std::string("of ") + name});
    EXPECT_EQ(list.find("WORK_MEM")->value, "of Work_Mem");
    EXPECT_EQ(list.find("A")->value, "of a");
    EXPECT_EQ(list.find("timezone")->value, "UTC");
    EXPECT_EQ(list.find("c"), nullptr);
    list.find("zz")->value = "changed";
    std::vector<std::string> names;
    for (const Parameter& each : list.all()) names.push_back(each.name);
    EXPECT_EQ(names, (std::vector<std::string>{"DateStyle", "TimeZone", "search_path", "b", "Work_Mem", "a", "zz"}));
    EXPECT_EQ(std::move(list).take().back(), (Parameter{"zz", "changed"}));
    EXPECT_EQ(ParameterList().find("a"), nullptr);
}

TEST(ParameterSet, keeps_the_spelling_that_it_was_given) {
    EXPECT_EQ(ParameterSet(usual).find("timezone")->name, "TimeZone");
    EXPECT_TRUE(ParameterSet(usual).find("timezone")->reported);
    EXPECT_FALSE(ParameterSet(usual).find("search_path")->reported);
}

TEST(ParameterSet, finds_each_of_many_in_whatever_order_they_came) {
    std::vector<Parameter> many;
    for (int i = 0; i < 100; ++i) {
        const int shuffled = i * 37 % 100;
        many.push_back({(i % 2 == 0 ? "NAME" : "name") + std::to_string(shuffled), std::to_string(shuffled), true});
    }
    const ParameterSet set(many);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(value_of(set, "Name" + std::to_string(i)), std::to_string(i));
}

TEST(ParameterSet, knows_the_encoding_of_what_is_not_ascii) {
    ParameterTable table;
    const auto utf8 = table.intern({{"client_encoding", "UTF8", true}, {"app.x", "\xC3\xA9"}, {"app.y", "y"}});
    EXPECT_EQ(utf8->find("app.x")->encoding, "UTF8");
    EXPECT_EQ(utf8->find("app.y")->encoding, "");
    const auto latin1 = table.with(utf8, "client_encoding", "LATIN1", true);
    EXPECT_EQ(latin1->find("app.x")->encoding, "UTF8");
    EXPECT_EQ(table.with(latin1, "app.x", "\xC3\xA9", false)->find("app.x")->encoding, "LATIN1");
    EXPECT_EQ(table.with(latin1, "app.x", "e", false)->find("app.x")->encoding, "");
}

TEST(ParameterTable, equal_settings_are_one_set) {
    ParameterTable table;
    const auto set = table.intern(usual);
    EXPECT_EQ(table.intern({usual[2], usual[0], usual[1]}), set);
    auto other = usual;
    other[1].value = "CET";
    EXPECT_NE(table.intern(other), set);
    other = usual;
    other[2].reported = true;
    EXPECT_NE(table.intern(other), set);
    EXPECT_NE(table.intern({usual[0], usual[1]}), set);
}

TEST(ParameterTable, a_setting_changed_to_what_it_is_changes_nothing) {
    ParameterTable table;
    const auto set = table.intern(usual);
    EXPECT_EQ(table.with(set, "timezone", "UTC", true), set);
}

TEST(ParameterTable, a_setting_that_changes_keeps_its_name_and_the_others) {
    ParameterTable table;
    const auto set = table.intern(usual);
    const auto changed = table.with(set, "timezone", "CET", false);
    EXPECT_EQ(changed->all().size(), usual.size());
    EXPECT_EQ(*changed->find("TimeZone"), (Parameter{"TimeZone", "CET", true}));
    EXPECT_EQ(value_of(*changed, "DateStyle"), "ISO, MDY");
    EXPECT_EQ(value_of(*set, "TimeZone"), "UTC") << "sets never change";
    EXPECT_EQ(table.with(changed, "TimeZone", "UTC", true), set);
}

TEST(ParameterTable, a_setting_that_is_new_is_added) {
    ParameterTable table;
    const auto added = table.with(table.intern(usual), "work_mem", "1MB", false);
    EXPECT_EQ(added->all().size(), usual.size() + 1);
    EXPECT_EQ(*added->find("WORK_MEM"), (Parameter{"work_mem", "1MB", false}));
    EXPECT_EQ(value_of(*added, "DateStyle"), "ISO, MDY");
}

TEST(ParameterTable, merges_what_one_set_reports_with_what_the_other_does_not) {
    ParameterTable table;
    const auto told = table.intern({{"TimeZone", "UTC", true}, {"work_mem", "1MB", false}});
    const auto wanted = table.intern({{"TimeZone", "CET", true}, {"lock_timeout", "1s", false}});
    EXPECT_EQ(table.merged(*told, *wanted), table.intern({{"TimeZone", "UTC", true}, {"lock_timeout", "1s", false}}));
}

TEST(ParameterTable, holds_no_set_that_nobody_uses) {
    ParameterTable table;
    std::weak_ptr<const ParameterSet> gone = table.intern(usual);
    EXPECT_TRUE(gone.expired());
    EXPECT_EQ(table.intern(usual)->all(), ParameterSet(usual).all());
}

TEST(ParameterTable, still_knows_a_set_after_many_others_have_gone) {
    ParameterTable table;
    const auto kept = table.intern(usual);
    for (int i = 0; i < 1000; ++i) table.intern({{"application_name", std::to_string(i), true}});
    EXPECT_EQ(table.intern(usual), kept);
}

TEST(ParameterTable, may_go_before_its_sets) {
    std::optional<ParameterTable> table(std::in_place);
    const auto set = table->intern(usual);
    table.reset();
    EXPECT_EQ(value_of(*set, "TimeZone"), "UTC");
}

}  // namespace
}  // namespace pgsluice::protocol
