#include "folder.hpp"

#include <pgsluice/config/print.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What is printed loads, and prints the same again.
void expect_stable(const Folder& folder, const Config& config) {
    const std::string printed = print(config);
    const Loaded again = folder.load(printed);
    ASSERT_TRUE(again) << testing::PrintToString(folder.lines(again.problems)) << printed;
    EXPECT_EQ(print(*again.config), printed);
}

TEST(Print, DefaultsLoadAgain) {
    const Folder folder;
    const Loaded loaded = folder.load(base);
    ASSERT_TRUE(loaded);
    expect_stable(folder, *loaded.config);
    EXPECT_THAT(print(*loaded.config), HasSubstr("\nworkers: auto\n"));
    EXPECT_THAT(print(*loaded.config), HasSubstr("\n  keepalive:\n    idle: 1m\n    interval: 10s\n    count: 6\n"));
    EXPECT_THAT(print(*loaded.config),
                HasSubstr("\nclusters:\n  main:\n    servers:\n      - host: \"/run/postgresql\"\n"));
}

TEST(Print, EverythingLoadsAgainButSecrets) {
    const Folder folder;
    folder.write("a.crt", "");
    folder.write("a.key", "");
    folder.write("userlist.txt", "\"filed\" \"hunter2\"\n");
    const Loaded loaded = folder.load(R"yaml(
listeners:
  - { address: "::", tls: { mode: require, certificate: a.crt, private_key: a.key } }
  - { unix: /run, mode: "0700" }
auth:
  rules: [ { from: [unix, 10.0.0.0/8, "::1"], users: ["a\"b\\", "c\n\x01"], method: scram-sha-256 }, { from: [unix], method: peer, map: { "x $y": z } } ]
  users: [ { name: u, password: hunter2, timeouts: { query: 0, client_idle: 90m } }, { name: nobody } ]
  users_file: userlist.txt
  query: { database: d, user: q, password: hunter2, sql: "select $1, '$$$$'" }
clusters: { "odd name: 1": { servers: [ { host: /run } ], users: [ { name: v, password: hunter2 } ] } }
routes:
  - { name: é, password: hunter2, parameters: { jit: off, "a.b": "$$HOME" }, pool: { lifetime: 1500ms } }
policies: [ { name: p, when: { pattern: '(?i)^\s*drop "$' } } ]
admin: { http: "" }
)yaml");
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    const std::string printed = print(*loaded.config);
    EXPECT_THAT(printed, Not(HasSubstr("hunter2")));
    EXPECT_THAT(printed, Not(HasSubstr("filed")));
    EXPECT_THAT(printed, HasSubstr("password: \"***\""));
    EXPECT_THAT(printed, HasSubstr("client_idle: 90m"));
    expect_stable(folder, *loaded.config);

    const Loaded again = folder.load(printed);
    ASSERT_TRUE(again);
    EXPECT_EQ(again.config->auth.rules[0].users, loaded.config->auth.rules[0].users);
    EXPECT_EQ(again.config->auth.source.query->sql, "select $1, '$$'");
    EXPECT_EQ(again.config->auth.source.users.size(), 3u);
    EXPECT_TRUE(again.config->auth.source.users[1].password.empty());
    EXPECT_EQ(again.config->clusters[0].name, "odd name: 1");
    EXPECT_EQ(again.config->routes[0].name, "é");
    EXPECT_EQ(again.config->routes[0].parameters, loaded.config->routes[0].parameters);
    EXPECT_EQ(again.config->policies[0].when.pattern, loaded.config->policies[0].when.pattern);
    EXPECT_TRUE(again.config->admin_http.address.empty());
}

// Nor would anybody load what was printed with a token that everybody knows: *** is too short for one.
TEST(Print, ATokenIsHiddenAndHasToBePutInAgain) {
    const Folder folder;
    const Loaded loaded = folder.load(base + "admin: { http: { token: hunter2hunter2hunter2 } }\n");
    ASSERT_TRUE(loaded);
    const std::string printed = print(*loaded.config);
    EXPECT_THAT(printed, Not(HasSubstr("hunter2")));
    EXPECT_THAT(printed, HasSubstr("token: \"***\"\n"));
    EXPECT_FALSE(folder.load(printed));
}

TEST(Print, WhatWasFilledInIsHidden) {
    const Folder folder;
    folder.write("word", "hunter2\n");
    const Loaded loaded = folder.load(R"yaml(
listeners: [ { address: 127.0.0.1 } ]
auth: { rules: [ { method: scram-sha-256 } ] }
clusters: { main: { servers: [ { host: /run/postgresql } ] } }
routes:
  - name: filled
    connect_query: "select set_config('my.token', '${file:word}', false)"
    parameters: { jit: off, my.token: "${file:word}" }
  - { name: plain, connect_query: "select 1", parameters: { jit: off } }
)yaml");
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    const std::string printed = print(*loaded.config);
    EXPECT_THAT(printed, Not(HasSubstr("hunter2")));
    EXPECT_THAT(printed, HasSubstr("connect_query: \"***\"\n"));
    EXPECT_THAT(printed, HasSubstr("parameters:\n      jit: \"***\"\n      \"my.token\": \"***\"\n"));
    EXPECT_THAT(printed, HasSubstr("connect_query: \"select 1\"\n"));
    EXPECT_THAT(printed, HasSubstr("parameters:\n      jit: \"off\"\n"));
    expect_stable(folder, *loaded.config);
}

TEST(Print, WhatEndsALineForSomebodyIsEscaped) {
    const Folder folder;
    const std::string odd = "a\x01\t\u0085\u2028\u202e\u00e9 b";
    Loaded loaded = folder.load(base);
    ASSERT_TRUE(loaded);
    loaded.config->routes[0].name = odd;
    const std::string printed = print(*loaded.config);
    EXPECT_THAT(printed, HasSubstr("name: \"a\\x01\\x09\\x85\\u2028\\u202e\u00e9 b\"\n"));
    const Loaded again = folder.load(printed);
    ASSERT_TRUE(again) << testing::PrintToString(folder.lines(again.problems));
    EXPECT_EQ(again.config->routes[0].name, odd);
}

TEST(Print, a_cluster_may_have_any_word_of_yaml_for_its_name) {
    const Folder folder;
    for (const std::string name : {"null", "Null", "NULL", "~", "true", "false", "yes", "no", "on", "off", "y", "n"}) {
        Loaded loaded = folder.load(base);
        ASSERT_TRUE(loaded);
        loaded.config->clusters[0].name = loaded.config->routes[0].cluster = name;
        expect_stable(folder, *loaded.config);
        const Loaded again = folder.load(print(*loaded.config));
        ASSERT_TRUE(again) << name;
        EXPECT_EQ(again.config->clusters[0].name, name);
    }
}

TEST(Write, OnlyWhatIsNotADefaultIsWrittenWithItsPasswords) {
    const Folder folder;
    Config config;
    config.listeners.resize(1);
    config.listeners[0].address = "127.0.0.1";
    config.listeners[0].port = 6432;
    config.limits.login_timeout = std::chrono::seconds(60);
    config.auth.rules.resize(1);
    config.auth.source.users.resize(1);
    config.auth.source.users[0].name = "app";
    config.auth.source.users[0].password = Secret("cost$ \"5\"");
    config.clusters.resize(1);
    config.clusters[0].name = "main";
    config.clusters[0].servers = {{"10.0.0.1", 5433}};
    config.routes.resize(1);
    config.routes[0].name = "all";
    config.routes[0].cluster = "main";
    config.routes[0].password = Secret("plain");

    const std::string written = write(config);
    EXPECT_EQ(written,
              "listeners:\n  - address: \"127.0.0.1\"\n    port: 6432\n"
              "limits:\n  login_timeout: 1m\n"
              "auth:\n  rules:\n    - method: reject\n"
              "  users:\n    - name: \"app\"\n      password: \"cost$$ \\\"5\\\"\"\n"
              "clusters:\n  main:\n    servers:\n      - host: \"10.0.0.1\"\n        port: 5433\n"
              "routes:\n  - name: \"all\"\n    cluster: \"main\"\n    password: \"plain\"\n");

    const Loaded again = folder.load(written);
    ASSERT_TRUE(again) << testing::PrintToString(folder.lines(again.problems));
    EXPECT_EQ(again.config->auth.source.users[0].password, Secret("cost$ \"5\""));
    EXPECT_EQ(write(*again.config), written);
}

TEST(PrintPolicy, says_its_conditions_and_its_effect_on_one_line) {
    const Folder folder;
    const auto loaded =
        folder.load(base +
                    "policies:\n"
                    "- { name: a, action: log }\n"
                    "- name: b\n"
                    "  when: { pattern: \"x\\ny\", users: [ann, bob], from: [10.0.0.0/8], without_where: true,\n"
                    "          in_transaction: false, tags: { route: \"/a*\", \"my key\": b } }\n"
                    "  action: limit\n"
                    "  limit: { max_rows: 5, per: user }\n"
                    "- { name: c, action: rewrite, rewrite: { tables: { a.t: b.t } } }\n");
    ASSERT_TRUE(loaded) << loaded.problems.at(0).to_string();
    const auto& policies = loaded.config->policies;
    EXPECT_EQ(print_when(policies[0]), "");
    EXPECT_EQ(print_effect(policies[0]), "");
    EXPECT_EQ(print_when(policies[1]),
              R"({pattern: "x\ny", users: ["ann", "bob"], from: ["10.0.0.0/8"], without_where: true, )"
              R"(in_transaction: false, tags: {"my key": "b", route: "/a*"}})");
    EXPECT_EQ(print_effect(policies[1]), "{max_rows: 5, per: user}");
    EXPECT_EQ(print_effect(policies[2]), R"({tables: {"a.t": "b.t"}})");
}

}  // namespace
}  // namespace pgsluice::config::test
