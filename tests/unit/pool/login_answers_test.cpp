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

}  // namespace
}  // namespace pgsluice::pool
