#include <pgsluice/pool/login_answers.hpp>

#include <gtest/gtest.h>

namespace pgsluice::pool {
namespace {

const wire::Setting tokyo{"timezone", "asia/tokyo"};

LoginAnswers::Greeting version(std::string number) {
    return {{{"server_version", std::move(number)}}, std::make_shared<const protocol::ParameterSet>()};
}

TEST(LoginAnswers, are_none_before_a_server_has_logged_in) {
    LoginAnswers answers;
    answers.accept(0, tokyo, {"Asia/Tokyo", true});
    EXPECT_EQ(answers.greeting(0), nullptr);
    EXPECT_EQ(answers.find(0, tokyo), std::nullopt);
}

TEST(LoginAnswers, are_those_of_the_server_that_logged_in_last) {
    LoginAnswers answers;
    answers.learn(1, version("15.1"));
    answers.accept(1, tokyo, {"Asia/Tokyo", true});
    answers.learn(1, version("15.2"));
    EXPECT_EQ(answers.greeting(1)->reported.front().second, "15.2");
    EXPECT_EQ(answers.find(1, tokyo)->value, "Asia/Tokyo");
}

TEST(LoginAnswers, of_other_servers_do_not_count) {
    LoginAnswers answers;
    answers.learn(1, version("15.1"));
    answers.accept(1, tokyo, {"Asia/Tokyo", true});
    EXPECT_EQ(answers.greeting(2), nullptr);
    EXPECT_EQ(answers.find(2, tokyo), std::nullopt);
    answers.accept(2, tokyo, {"other", true});
    EXPECT_EQ(answers.find(1, tokyo)->value, "Asia/Tokyo");
}

// Two workers adopt a reload at different times, and the slower one's server logs in last.
TEST(LoginAnswers, are_forgotten_when_a_server_of_another_target_logs_in) {
    LoginAnswers answers;
    answers.learn(1, version("15.1"));
    answers.accept(1, tokyo, {"Asia/Tokyo", true});
    answers.learn(2, version("16.0"));
    EXPECT_EQ(answers.greeting(1), nullptr);
    answers.learn(1, version("15.1"));
    EXPECT_NE(answers.greeting(1), nullptr);
    EXPECT_EQ(answers.find(1, tokyo), std::nullopt);
}

LoginAnswers::Greeting standby(std::string value) {
    return {{{"in_hot_standby", std::move(value)}}, std::make_shared<const protocol::ParameterSet>()};
}

// Another server of the cluster may be what this one was.
TEST(LoginAnswers, follow_a_promotion_of_the_server_that_they_are_of) {
    LoginAnswers answers;
    answers.note_standby(1, "on", "off");
    answers.learn(1, standby("on"));
    answers.note_standby(2, "on", "off");
    answers.note_standby(1, "off", "on");
    EXPECT_EQ(answers.greeting(1)->reported.front().second, "on");
    answers.note_standby(1, "on", "off");
    EXPECT_EQ(answers.greeting(1)->reported.front().second, "off");
    EXPECT_EQ(answers.defaults_noted(), 0U);
}

LoginAnswers::Greeting date_style(std::string value) {
    return {{{"DateStyle", value}},
            std::make_shared<const protocol::ParameterSet>(
                std::vector<protocol::Parameter>{{"DateStyle", value, true}, {"work_mem", "4MB", false}})};
}

std::string told(const LoginAnswers& answers) {
    const auto greeting = answers.greeting(1);
    return greeting->reported.front().second + '/' + greeting->baseline->find("DateStyle")->value;
}

TEST(LoginAnswers, follow_a_server_that_has_another_default_now) {
    LoginAnswers answers;
    answers.learn(1, date_style("ISO, MDY"));
    answers.accept(1, {"DateStyle", "German"}, {"German, MDY", true});
    answers.note_default(1, "DateStyle", "ISO, MDY", "ISO, DMY");
    EXPECT_EQ(told(answers), "ISO, DMY/ISO, DMY");
    EXPECT_EQ(answers.find(1, {"DateStyle", "German"}), std::nullopt);
    EXPECT_EQ(answers.defaults_since(0), (std::vector<wire::Setting>{{"DateStyle", "ISO, DMY"}}));
    EXPECT_TRUE(answers.defaults_since(answers.defaults_noted()).empty());
}

TEST(LoginAnswers, do_not_follow_a_server_that_had_another_default_before) {
    LoginAnswers answers;
    answers.learn(1, date_style("ISO, MDY"));
    answers.note_default(1, "DateStyle", "German, DMY", "ISO, DMY");
    answers.note_default(2, "DateStyle", "ISO, MDY", "ISO, DMY");
    answers.note_default(1, "work_mem", "4MB", "5MB");
    EXPECT_EQ(told(answers), "ISO, MDY/ISO, MDY");
    EXPECT_EQ(answers.defaults_noted(), 0U);
}

TEST(LoginAnswers, keep_the_last_default_of_a_setting_once) {
    LoginAnswers answers;
    answers.learn(1, date_style("ISO, MDY"));
    answers.note_default(1, "DateStyle", "ISO, MDY", "ISO, DMY");
    // Another server, which tells the same.
    answers.note_default(1, "DateStyle", "ISO, MDY", "ISO, DMY");
    EXPECT_EQ(answers.defaults_noted(), 1U);
    answers.note_default(1, "DateStyle", "ISO, DMY", "SQL, DMY");
    EXPECT_EQ(answers.defaults_since(1), (std::vector<wire::Setting>{{"DateStyle", "SQL, DMY"}}));
    EXPECT_EQ(answers.defaults_since(0).size(), 1U);
}

TEST(LoginAnswers, tell_those_who_are_there_what_a_new_server_has_told_first) {
    LoginAnswers answers;
    answers.learn(1, date_style("ISO, MDY"));
    answers.learn(1, date_style("ISO, DMY"));
    answers.note_default(1, "DateStyle", "ISO, MDY", "ISO, DMY");
    EXPECT_EQ(answers.defaults_since(0), (std::vector<wire::Setting>{{"DateStyle", "ISO, DMY"}}));
}

TEST(LoginAnswers, that_are_forgotten_are_learned_again) {
    LoginAnswers answers;
    answers.learn(1, date_style("ISO, MDY"));
    answers.accept(1, tokyo, {"Asia/Tokyo", true});
    answers.forget();
    EXPECT_EQ(answers.greeting(1), nullptr);
    answers.learn(1, date_style("ISO, DMY"));
    EXPECT_EQ(told(answers), "ISO, DMY/ISO, DMY");
    EXPECT_EQ(answers.find(1, tokyo), std::nullopt);
}

TEST(LoginAnswers, are_doubtful_until_the_next_server_has_logged_in) {
    LoginAnswers answers;
    answers.learn(1, date_style("ISO, MDY"));
    answers.doubt();
    EXPECT_TRUE(answers.is_doubtful());
    EXPECT_NE(answers.greeting(1), nullptr);
    answers.learn(1, date_style("ISO, MDY"));
    EXPECT_FALSE(answers.is_doubtful());
}

}  // namespace
}  // namespace pgsluice::pool
