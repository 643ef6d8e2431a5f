// The end of a dial that threw, as where memory runs out outside of any server's turn. What servers do to a dial:
// tests/e2e/test_connecting.py.
#include "server_dial.hpp"

#include "worker.hpp"

#include <pgsluice/base/log.hpp>

#include <gtest/gtest.h>

#include <map>
#include <new>

namespace pgsluice::daemon {
namespace {

// Keeps what the log is told of failed dials.
class Told final : public log::Backend {
  public:
    Told() { log::install(this); }
    ~Told() override { log::install(nullptr); }
    bool enabled(log::Level) const override { return true; }
    void write(const log::Record& record) override {
        if (record.event != "server_connect_failed") return;
        auto& fields = failures.emplace_back();
        for (const log::Field& field : record.fields) {
            const auto* text = std::get_if<std::string_view>(&field.value);
            if (text != nullptr) fields.emplace(field.key, *text);
        }
    }
    std::vector<std::map<std::string, std::string>> failures;
};

class Client final : public pool::Waiter, public pool::ServerUser {
  public:
    void on_granted(pool::Server&) override {}
    void on_refused(const wire::SqlError& why) override { refused_with = why.sqlstate.data(); }
    std::size_t on_server_bytes(pool::Server&, ByteView bytes) override { return bytes.size(); }
    void on_server_drained(pool::Server&) override {}
    void on_server_lost(pool::Server&) override {}
    std::string refused_with;
};

class ServerDial : public testing::Test {
  protected:
    void fail_one(bool pool_errors) {
        config::Config config;
        config.log.pool_errors = pool_errors;
        Worker worker(process_, WorkerIndex{0},
                      std::get<std::shared_ptr<const Snapshot>>(Snapshot::build(std::move(config))));
        auto target = std::make_shared<pool::Target>();
        target->route = "all";
        target->cluster.name = "main";
        target->database = "orders";
        target->user = "ann";
        target->settings.size = 1;
        pool::Pool& pool = worker.pool_for("key", target);
        EXPECT_EQ(pool.acquire(client, client), nullptr);
        end_dial(worker, pool, std::make_exception_ptr(std::bad_alloc()), {});
    }

    metrics::Registry registry_{{.version = "1"}};
    Process process_{registry_, 1};
    Client client;
    Told told;
};

TEST_F(ServerDial, that_threw_is_told_like_any_other_that_failed) {
    fail_one(true);
    EXPECT_TRUE(client.refused_with.starts_with("57P03"));
    const std::map<std::string, std::string> wanted{{"reason", "network"},  {"route", "all"}, {"cluster", "main"},
                                                    {"database", "orders"}, {"user", "ann"},  {"sqlstate", ""}};
    ASSERT_EQ(told.failures.size(), 1U);
    EXPECT_EQ(told.failures[0], wanted);
}

TEST_F(ServerDial, that_threw_is_not_told_without_pool_errors) {
    fail_one(false);
    EXPECT_TRUE(client.refused_with.starts_with("57P03"));
    EXPECT_TRUE(told.failures.empty());
}

}  // namespace
}  // namespace pgsluice::daemon
