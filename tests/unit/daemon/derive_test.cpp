#include "derive.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <future>

namespace pgsluice::daemon {
namespace {

constexpr auto patience = std::chrono::seconds(10);

auth::Derivation wanted(const std::string& password) {
    return {Secret(password), "salt", 4096};
}

struct DeriveTest : testing::Test {
    ~DeriveTest() override { let_go(); }

    void keep_helpers_busy() {
        for (int helper = 0; helper < 2; ++helper) boost::asio::post(process_.helpers, [gone = gone_] { gone.wait(); });
    }
    void let_go() {
        if (!has_let_go_) let_go_.set_value();
        has_let_go_ = true;
    }
    std::optional<auth::ScramKeys> derive_within(Milliseconds time, const std::string& password) {
        std::optional<auth::ScramKeys> keys;
        boost::asio::co_spawn(io_, derive(process_, io_, wanted(password), std::chrono::steady_clock::now() + time),
                              [&](const std::exception_ptr&, std::optional<auth::ScramKeys> made) { keys = made; });
        io_.restart();
        io_.run_for(patience);
        return keys;
    }

    boost::asio::io_context io_{1};
    metrics::Registry registry_{{.version = "1"}};
    std::promise<void> let_go_;
    std::shared_future<void> gone_{let_go_.get_future()};
    bool has_let_go_ = false;
    Process process_{registry_, 1};
};

TEST_F(DeriveTest, gives_the_keys_and_keeps_them) {
    const auto keys = derive_within(patience, "secret");
    ASSERT_TRUE(keys.has_value());
    EXPECT_EQ(keys->client_key, auth::derive(wanted("secret")).client_key);
    EXPECT_TRUE(process_.keys.find(wanted("secret")).has_value());
}

TEST_F(DeriveTest, ends_at_the_deadline_while_the_helpers_are_busy) {
    keep_helpers_busy();
    const auto began = std::chrono::steady_clock::now();
    EXPECT_FALSE(derive_within(Milliseconds(50), "secret").has_value());
    EXPECT_LT(std::chrono::steady_clock::now() - began, patience / 2);
}

TEST_F(DeriveTest, what_has_not_begun_by_the_deadline_is_not_computed) {
    keep_helpers_busy();
    EXPECT_FALSE(derive_within(Milliseconds(20), "late").has_value());
    let_go();
    // Behind it in the queue.
    EXPECT_TRUE(derive_within(patience, "next").has_value());
    process_.helpers.join();
    EXPECT_FALSE(process_.keys.find(wanted("late")).has_value());
}

}  // namespace
}  // namespace pgsluice::daemon
