#include <pgsluice/pool/accepted_settings.hpp>

#include <gtest/gtest.h>

namespace pgsluice::pool {
namespace {

TEST(AcceptedSettings, knows_a_setting_by_name_and_value_as_the_server_spells_it) {
    AcceptedSettings accepted;
    accepted.add({"datestyle", "german"}, {"German, DMY", true});
    ASSERT_NE(accepted.find({"datestyle", "german"}), nullptr);
    EXPECT_EQ(accepted.find({"datestyle", "german"})->value, "German, DMY");
    EXPECT_TRUE(accepted.find({"datestyle", "german"})->reported);
    EXPECT_EQ(accepted.find({"datestyle", "iso"}), nullptr);
    EXPECT_EQ(accepted.find({"timezone", "german"}), nullptr);
}

// Names and values do not run into each other.
TEST(AcceptedSettings, does_not_mistake_one_for_another) {
    AcceptedSettings accepted;
    accepted.add({"a", "bc"}, {"1", false});
    EXPECT_EQ(accepted.find({"ab", "c"}), nullptr);
    EXPECT_EQ(accepted.find({"abc", ""}), nullptr);
}

TEST(AcceptedSettings, the_last_answer_counts) {
    AcceptedSettings accepted;
    accepted.add({"a.b", "1"}, {"1", false});
    accepted.add({"a.b", "1"}, {"one", true});
    EXPECT_EQ(accepted.find({"a.b", "1"})->value, "one");
}

TEST(AcceptedSettings, starts_over_when_it_is_full) {
    AcceptedSettings accepted;
    for (std::size_t i = 0; i < AcceptedSettings::limit; ++i) {
        accepted.add({"application_name", std::to_string(i)}, {"", true});
    }
    EXPECT_NE(accepted.find({"application_name", "0"}), nullptr);
    accepted.add({"application_name", "one more"}, {"", true});
    EXPECT_EQ(accepted.find({"application_name", "0"}), nullptr);
    EXPECT_NE(accepted.find({"application_name", "one more"}), nullptr);
}

}  // namespace
}  // namespace pgsluice::pool
