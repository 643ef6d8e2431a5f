// SET of the console: one key of a configuration that is in force.
#include "folder.hpp"

#include <pgsluice/config/keys.hpp>
#include <pgsluice/config/print.hpp>
#include <pgsluice/config/set.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace pgsluice::config::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Why = NotSet::Why;

class Set : public testing::Test {
  protected:
    Set() {
        for (const char* name : {"a.crt", "a.key"}) folder_.write(name, "");
        folder_.write("userlist.txt", "\"filed\" \"hunter2\"\n");
        Loaded loaded = folder_.load(R"yaml(
listeners: [ { address: 127.0.0.1, tls: { mode: require, certificate: a.crt, private_key: a.key } }, { unix: /run } ]
auth:
  rules: [ { from: [unix], method: peer, map: { root: admin } }, { method: scram-sha-256 } ]
  users: [ { name: u, password: hunter2, timeouts: { query: 1s } } ]
  users_file: userlist.txt
  query: { cluster: main, database: d, user: q, password: hunter2, sql: "select $1" }
clusters:
  main: { servers: [ { host: /run/postgresql } ] }
  main.max_connecting: { servers: [ { host: /run } ] }
  "odd.name: 1": { servers: [ { host: /run } ], users: [ { name: v, password: hunter2 } ] }
routes:
  - { name: orders, cluster: main, match: { databases: [orders] }, password: hunter2, parameters: { jit: off }, pool: { min_size: 5 } }
  - { name: rest, cluster: "odd.name: 1", timeouts: { query: 3s } }
policies: [ { name: p, when: { pattern: drop } } ]
admin: { console: { users: [ u ] } }
)yaml");
        EXPECT_THAT(folder_.lines(loaded.problems), testing::IsEmpty());
        config = std::move(*loaded.config);
    }
    Config changed(const std::string& path, const std::string& value) {
        auto outcome = set(config, path, value);
        if (const auto* refused = std::get_if<NotSet>(&outcome)) {
            ADD_FAILURE() << refused->text;
            return {};
        }
        return std::get<Config>(std::move(outcome));
    }
    NotSet refused(const std::string& path, const std::string& value = "1") {
        auto outcome = set(config, path, value);
        if (auto* why = std::get_if<NotSet>(&outcome)) return *why;
        ADD_FAILURE() << path << " was set";
        return {};
    }
    Config config;

  private:
    Folder folder_;
};

TEST_F(Set, ChangesOneKeyAndNothingElse) {
    const Config after = changed("routes[1].pool.size", "7");
    EXPECT_EQ(after.routes[1].pool.size, 7U);
    EXPECT_EQ(after.routes[0].pool.size, 20U);
    EXPECT_EQ(after.path, config.path);
    EXPECT_EQ(after.files, config.files);
    EXPECT_TRUE(after.auth.source.users[0].password == config.auth.source.users[0].password);
    EXPECT_EQ(after.auth.source.users.size(), 2U);
    EXPECT_TRUE(after.routes[0].password == config.routes[0].password);
}

TEST_F(Set, ReadsValuesAsTheFileDoes) {
    EXPECT_EQ(changed("limits.login_timeout", "90s").limits.login_timeout, std::chrono::seconds(90));
    EXPECT_EQ(changed("limits.inspect_bytes", "64KiB").limits.inspect_bytes, 65536U);
    EXPECT_EQ(changed("timeouts.query", "0").timeouts.client.query, Milliseconds(0));
    EXPECT_EQ(changed("timeouts.keepalive.count", "3").timeouts.keepalive.count, 3U);
    EXPECT_EQ(changed("log.level", "debug").log.level, LogLevel::debug);
    EXPECT_FALSE(changed("log.connections", "false").log.connections);
    EXPECT_EQ(changed("routes[0].pool.max_pinned", "10%").routes[0].pool.max_pinned, 10U);
    EXPECT_EQ(changed("routes[0].timeouts.client_idle", "5m").routes[0].timeouts.client_idle, std::chrono::minutes(5));
    EXPECT_EQ(changed("clusters.odd.name: 1.max_connecting", "9").clusters[2].max_connecting, 9U);
    EXPECT_EQ(changed("clusters.main.max_connecting.max_connecting", "9").clusters[1].max_connecting, 9U);
    EXPECT_EQ(changed("clusters.main.max_connecting", "9").clusters[0].max_connecting, 9U);
}

TEST_F(Set, TellsWhatIsWrongWithAValue) {
    EXPECT_EQ(refused("timeouts.query", "10").text,
              "timeouts.query: \"10\" needs a unit; allowed is 0 (off) or 1ms to 365d, with a unit: ms, s, m, h or d");
    EXPECT_EQ(refused("timeouts.query", "10").why, Why::bad_value);
    EXPECT_EQ(refused("log.connections", "on").why, Why::bad_value);
    EXPECT_EQ(refused("routes[0].pool.mode", "").why, Why::bad_value);
}

TEST_F(Set, TellsWhatDoesNotGoWithTheOtherKeys) {
    EXPECT_EQ(refused("routes[0].pool.size", "3").why, Why::bad_value);
    EXPECT_EQ(refused("routes[0].pool.size", "3").text,
              "routes[0].pool.min_size: 5 is more than size; allowed is 0 to 3");
}

TEST_F(Set, KnowsNoOtherKeys) {
    for (const char* path :
         {"", ".", "limits", "limits.", "limits.nonsense", "limits.login_timeout.x", "limits[0].login_timeout",
          "routes[9].pool.size", "routes.pool.size", "routes[0]", "routes[0].pool", "routes[x].pool.size",
          "routes[0.pool.size", "clusters.other.max_connecting", "clusters.main", "clusters..max_connecting",
          "routes[18446744073709551616].pool.size", "log.level\n", "LOG.LEVEL"}) {
        EXPECT_EQ(refused(path).why, Why::unknown_key) << path;
    }
    EXPECT_THAT(refused("limits.login_timeuot").text, HasSubstr("did you mean \"limits.login_timeout\"?"));
}

TEST_F(Set, SetsWhatIsSettableAndNothingElse) {
    std::map<std::string, KeyInfo> known;
    for (KeyInfo& key : known_keys()) known.emplace(key.path, key);
    const std::string before = print(config);
    int settable = 0;
    for (const PrintedKey& key : print_keys(config)) {
        const auto found = known.find(key.pattern);
        if (found == known.end() && (key.value == "[]" || key.value == "{}")) continue;  // a section without keys
        if (found != known.end() && found->second.is_settable && found->second.changes != Changes::restart) {
            ++settable;
            EXPECT_EQ(print(changed(key.path, key.value)), before) << key.path;
            continue;
        }
        const bool is_restart = found != known.end() && found->second.changes == Changes::restart;
        EXPECT_EQ(refused(key.path, "hunter2").why, is_restart ? Why::restart_only : Why::files_only) << key.path;
        EXPECT_THAT(refused(key.path, "hunter2").text, Not(HasSubstr("hunter2")));
    }
    EXPECT_GT(settable, 40);
}

// What an administrator of the console may not give himself.
TEST_F(Set, LeavesToTheFilesWhoMayLogInWhatIsAllowedAndWhereItGoes) {
    for (const char* path :
         {"auth.users[0].password", "auth.users[0].name", "auth.users_file", "auth.rules[0].method", "auth.query.sql",
          "admin.console.users", "security.secret_files", "listeners[0].tls.mode", "clusters.main.servers[0].host",
          "clusters.main.tls.mode", "routes[0].password", "routes[0].connect_query", "routes[0].parameters",
          "routes[0].match.databases", "routes[0].cluster", "policies[0].mode", "log.file", "peers.id", "include"}) {
        const Why why = refused(path, "x").why;
        EXPECT_TRUE(why == Why::files_only || why == Why::restart_only) << path;
    }
}

}  // namespace
}  // namespace pgsluice::config::test
