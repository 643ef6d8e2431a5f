// What a reload finds changed and cannot change.
#include "folder.hpp"

#include <pgsluice/config/keep.hpp>
#include <pgsluice/config/keys.hpp>
#include <pgsluice/config/print.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Keep : public ::testing::Test {
  protected:
    Config read(const std::string& sections) const {
        Loaded loaded = folder.load(base + sections);
        EXPECT_THAT(folder.lines(loaded.problems), IsEmpty());
        return loaded ? std::move(*loaded.config) : Config();
    }

    const Folder folder;
};

TEST_F(Keep, what_changes_at_a_restart_only_stays_and_is_told) {
    const Config before = read("workers: 2\nlog: { level: info }\n");
    Config after = read("workers: 3\nlog: { level: debug }\n");
    EXPECT_THAT(keep_until_restart(before, after), ElementsAre("workers has changed: it changes at a restart only"));
    EXPECT_EQ(after.workers, 2U);
    EXPECT_EQ(after.log.level, LogLevel::debug);
    EXPECT_THAT(keep_until_restart(before, after), IsEmpty()) << "it says what is in force";
}

TEST_F(Keep, the_endpoint_stays_where_it_is_with_a_new_token) {
    const Config before = read("admin: { http: { address: 127.0.0.1, port: 9930, token: 0123456789abcdef } }\n");
    Config after = read("admin: { http: { address: \"::1\", port: 9931, token: fedcba9876543210 } }\n");
    EXPECT_THAT(keep_until_restart(before, after),
                ElementsAre("admin.http.address has changed: it changes at a restart only",
                            "admin.http.port has changed: it changes at a restart only"));
    EXPECT_EQ(after.admin_http.address, "127.0.0.1");
    EXPECT_EQ(after.admin_http.port, 9930);
    EXPECT_EQ(after.admin_http.token, Secret("fedcba9876543210"));
}

// Those of listeners are matched by their place.
TEST_F(Keep, holds_for_every_key_of_that_kind_and_no_other) {
    const std::map<std::string, std::string> values{
        {"workers", "workers: 7\nadmin: { http: { unix: /run/a } }"},
        {"admin.http.address", "admin: { http: { address: \"::1\", unix: /run/a } }"},
        {"admin.http.port", "admin: { http: { port: 9931, unix: /run/a } }"},
        {"admin.http.unix", "admin: { http: { unix: /run/b } }"},
        {"admin.http.mode", "admin: { http: { mode: \"0770\", unix: /run/a } }"},
        {"admin.console.unix", "admin: { http: { unix: /run/a }, console: { unix: /run/console } }"},
    };
    const Config before = read("admin: { http: { unix: /run/a } }\n");
    for (const KeyInfo& key : known_keys()) {
        if (key.changes != Changes::restart || key.path.starts_with("listeners[]")) continue;
        const auto value = values.find(key.path);
        ASSERT_NE(value, values.end()) << key.path;
        Config after = read(value->second + '\n');
        EXPECT_THAT(keep_until_restart(before, after),
                    ElementsAre(key.path + " has changed: it changes at a restart only"));
        EXPECT_EQ(print(after), print(before));
    }
    Config after = read("metrics: { max_series: 5 }\nadmin: { http: { unix: /run/a }, console: { database: c } }\n");
    EXPECT_THAT(keep_until_restart(before, after), IsEmpty());
    EXPECT_EQ(after.metrics_max_series, 5U);
    EXPECT_EQ(after.console.database, "c");
}

}  // namespace
}  // namespace pgsluice::config::test
