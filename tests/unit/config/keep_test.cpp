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

// --- Listeners

class KeepListeners : public Keep {
  protected:
    KeepListeners() {
        for (const char* name : {"a.crt", "a.key"}) folder.write(name, "");
    }
    Config with(const std::string& listeners) const {
        Loaded loaded = folder.load("listeners:\n" + listeners + base.substr(base.find("auth:")));
        EXPECT_THAT(folder.lines(loaded.problems), IsEmpty());
        return loaded ? std::move(*loaded.config) : Config();
    }
    static std::vector<std::uint16_t> ports(const Config& config) {
        std::vector<std::uint16_t> out;
        for (const Listener& listener : config.listeners) out.push_back(listener.port);
        return out;
    }

    const std::string secure = "tls: { mode: require, certificate: a.crt, private_key: a.key }";
};

TEST_F(KeepListeners, an_address_that_has_to_wait_keeps_nobody_elses_tls_back) {
    const Config before = with("- { address: 127.0.0.1, port: 1 }\n- { address: 127.0.0.1, port: 2 }\n");
    Config after =
        with("- { address: 127.0.0.1, port: 1, " + secure + " }\n- { address: \"::1\", port: 3, " + secure + " }\n");
    EXPECT_THAT(keep_until_restart(before, after),
                ElementsAre("listeners: 127.0.0.1:2 is closed at a restart only, and stays as it is until then",
                            "listeners: [::1]:3 is opened at a restart only"));
    EXPECT_THAT(ports(after), ElementsAre(1, 2));
    EXPECT_EQ(after.listeners[0].tls.mode, ListenerTlsMode::require);
    EXPECT_EQ(after.listeners[1].tls.mode, ListenerTlsMode::disable);
}

TEST_F(KeepListeners, are_known_by_their_places_in_any_order) {
    const Config before = with("- { address: 127.0.0.1, port: 1 }\n- { address: 127.0.0.1, port: 2 }\n");
    Config after = with(
        "- { address: 127.0.0.1, port: 2, proxy_protocol: { from: [10.0.0.0/8] } }\n"
        "- { address: 127.0.0.1, port: 1, " +
        secure + " }\n");
    EXPECT_THAT(keep_until_restart(before, after), IsEmpty());
    EXPECT_THAT(ports(after), ElementsAre(1, 2));
    EXPECT_EQ(after.listeners[0].tls.mode, ListenerTlsMode::require);
    EXPECT_EQ(after.listeners[1].tls.mode, ListenerTlsMode::disable);
    EXPECT_EQ(after.listeners[1].proxy_protocol.from.size(), 1U);
}

TEST_F(KeepListeners, of_any_free_port_are_taken_one_by_one) {
    const std::string plain = "- { address: 127.0.0.1, port: 0 }\n";
    const Config before = with(plain + plain);
    Config after = with("- { address: 127.0.0.1, port: 0, " + secure + " }\n" + plain + plain);
    EXPECT_THAT(keep_until_restart(before, after), ElementsAre("listeners: 127.0.0.1:0 is opened at a restart only"));
    ASSERT_EQ(after.listeners.size(), 2U);
    EXPECT_EQ(after.listeners[0].tls.mode, ListenerTlsMode::require);
    EXPECT_EQ(after.listeners[1].tls.mode, ListenerTlsMode::disable);
}

TEST_F(KeepListeners, of_unix_keep_the_mode_of_their_file) {
    const Config before = with("- { unix: /run, port: 1 }\n");
    Config after = with("- { unix: /run, port: 1, mode: \"0700\" }\n");
    EXPECT_THAT(keep_until_restart(before, after),
                ElementsAre("listeners: /run/.s.PGSQL.1: mode has changed: it changes at a restart only"));
    EXPECT_EQ(after.listeners[0].unix_mode, 0770U);
}

}  // namespace
}  // namespace pgsluice::config::test
