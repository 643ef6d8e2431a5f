#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using namespace std::chrono_literals;

TEST(Load, FillsInDefaults) {
    const Folder folder;
    const Loaded loaded = folder.load(base);
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    EXPECT_THAT(loaded.warnings, IsEmpty());
    const Config& config = *loaded.config;
    EXPECT_EQ(config.path, folder.path());
    EXPECT_THAT(config.files, ElementsAre(folder.path()));
    EXPECT_EQ(config.listeners.at(0).port, 5432);
    EXPECT_EQ(config.listeners.at(0).tls.mode, ListenerTlsMode::disable);
    EXPECT_EQ(config.workers, 0u);
    EXPECT_EQ(config.limits.message_bytes, 1073741822u);
    EXPECT_EQ(config.timeouts.connect, 5s);
    EXPECT_EQ(config.clusters.at(0).name, "main");
    EXPECT_EQ(config.clusters.at(0).tls.mode, ServerTlsMode::verify_full);
    EXPECT_EQ(config.routes.at(0).pool, Pool());
    EXPECT_FALSE(config.routes.at(0).password.has_value());
    EXPECT_EQ(config.admin_http.port, 9930);
}

TEST(Load, ReadsEverySection) {
    const Folder folder;
    folder.write("server.crt", "certificate");
    folder.write("server.key", "key");
    folder.write("ca.crt", "authority");
    folder.write("password", "secret\n");
    const Loaded loaded = folder.load(R"yaml(
listeners:
  - { address: "::", port: 0, tls: { mode: verify-full, certificate: server.crt, private_key: server.key, client_ca: ca.crt } }
  - { unix: run, port: 6432, mode: "0700" }
workers: 3
limits: { client_connections: 50, connections_per_user: 1, connections_per_database: 2, connections_per_address: 3,
          login_timeout: 5s, inspect_bytes: 2MiB, parse_inline: 8KiB, message_bytes: 512MiB }
timeouts: { query: 1s, transaction: 2s, idle_transaction: 3s, client_idle: 4s, connect: 5ms, connect_retry: 6s, cancel: 7s,
            abandoned: 12s, tcp_user: 8s, keepalive: { idle: 9s, interval: 10s, count: 11 } }
shutdown: { delay: 1s, timeout: 2m }
reload: { watch: true }
auth:
  rules:
    - { from: [10.0.0.0/8, "::1"], tls: require, databases: [orders], users: ["*"], method: cert, map: { CN: orders_rw } }
    - { from: [unix], method: peer }
  users:
    - { name: orders_rw, password: "${file:password}", timeouts: { query: 0 }, max_connections: 4 }
  query: { cluster: main, database: postgres, user: asker, password: "${file:password}", sql: "SELECT * FROM s.f($1)", cache: 1m }
clusters:
  main:
    servers: [ { host: 10.0.0.1, port: 5433 }, { host: db.internal } ]
    load_balance_hosts: random
    max_connections: 100
    max_connecting: 3
    tls: { mode: verify-ca, ca: ca.crt, certificate: server.crt, private_key: server.key }
    users: [ { name: app, password: "${file:password}" } ]
    query: { database: postgres, user: asker, sql: "SELECT $1" }
  other: { servers: [ { host: "::1" } ] }
routes:
  - name: orders
    match: { databases: [orders], users: ["*"], applications: [checkout], from: [10.0.0.0/8], sni: [orders.db.internal] }
    cluster: main
    database: orders_v2
    user: app
    password: "${file:password}"
    target_session_attrs: prefer-standby
    parameters: { statement_timeout: 30s, jit: off, work_mem: 64 }
    connect_query: select 1
    pool: { mode: statement, size: 5, min_size: 2, reserve_size: 1, reserve_timeout: 1s, query_wait_timeout: 2s,
            idle_timeout: 3s, lifetime: 4s, check_after_idle: 5s, max_prepared_statements: 6, session_state: ignore }
    timeouts: { transaction: 9s }
    max_connections: 7
policies:
  - { name: p, when: { pattern: "^drop", routes: [orders], databases: [a], users: [b], applications: [c], from: [unix],
              statements: [d], tables: [e], reads: [f], writes: [g], functions: [h], columns: [i], fingerprints: [j],
              tags: { k: l }, without_where: true, without_limit: true, in_transaction: false },
      action: log, sqlstate: "0A000", message: no, hint: try, mode: shadow }
policy_defaults: { on_unparsable: allow }
log: { level: debug, format: json, file: pgsluice.log, connections: false, disconnections: false, pool_errors: false }
admin: { http: { address: 127.0.0.2, port: 1 } }
metrics: { max_series: 5 }
insight: { max_queries: 70 }
security: { secret_files: enforce }
)yaml");
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    const Config& c = *loaded.config;
    EXPECT_EQ(c.listeners[0].address, "::");
    EXPECT_EQ(c.listeners[0].port, 0);
    EXPECT_EQ(c.listeners[0].tls, (ListenerTls{ListenerTlsMode::verify_full, folder.path("server.crt"),
                                               folder.path("server.key"), folder.path("ca.crt")}));
    EXPECT_EQ(c.listeners[1].unix_directory, folder.path("run"));
    EXPECT_EQ(c.listeners[1].unix_mode, 0700u);
    EXPECT_EQ(c.workers, 3u);
    EXPECT_EQ(c.limits.inspect_bytes, 2u << 20);
    EXPECT_EQ(c.timeouts.client.client_idle, 4s);
    EXPECT_EQ(c.timeouts.connect, 5ms);
    EXPECT_EQ(c.timeouts.abandoned, 12s);
    EXPECT_EQ(c.timeouts.keepalive.count, 11u);
    EXPECT_EQ(c.shutdown.timeout, 2min);
    EXPECT_TRUE(c.reload_watch);
    EXPECT_EQ(c.auth.rules[0].from.size(), 2u);
    EXPECT_EQ(c.auth.rules[0].tls, TlsCondition::require);
    EXPECT_EQ(c.auth.rules[0].map.at("CN"), "orders_rw");
    EXPECT_EQ(c.auth.rules[1].method, AuthMethod::peer);
    EXPECT_EQ(c.auth.source.users[0].password.reveal(), "secret");
    EXPECT_EQ(c.auth.source.users[0].timeouts.query, 0ms);
    EXPECT_EQ(c.auth.source.users[0].timeouts.transaction, std::nullopt);
    EXPECT_EQ(c.auth.source.query->sql, "SELECT * FROM s.f($1)");
    EXPECT_EQ(c.auth.source.query->cache, 1min);
    EXPECT_EQ(c.clusters[0].servers[0], (Endpoint{"10.0.0.1", 5433}));
    EXPECT_EQ(c.clusters[0].load_balance_hosts, LoadBalance::random);
    EXPECT_EQ(c.clusters[0].tls.mode, ServerTlsMode::verify_ca);
    EXPECT_EQ(c.clusters[0].source.query->cluster, "main");
    const Route& route = c.routes[0];
    EXPECT_EQ(route.match.sni, std::vector<std::string>{"orders.db.internal"});
    EXPECT_EQ(route.password->reveal(), "secret");
    EXPECT_EQ(route.target_session_attrs, TargetSessionAttrs::prefer_standby);
    EXPECT_THAT(route.parameters,
                ElementsAre(Pair("statement_timeout", "30s"), Pair("jit", "off"), Pair("work_mem", "64")));
    EXPECT_EQ(route.pool.mode, PoolMode::statement);
    EXPECT_EQ(route.pool.max_prepared_statements, 6u);
    EXPECT_EQ(route.timeouts.transaction, 9s);
    EXPECT_EQ(c.policies[0].action, PolicyAction::log);
    EXPECT_EQ(c.policies[0].mode, PolicyMode::shadow);
    EXPECT_EQ(c.policies[0].message, "no");
    EXPECT_EQ(c.policies[0].when.statements, std::vector<std::string>{"d"});
    EXPECT_EQ(c.policies[0].when.columns, std::vector<std::string>{"i"});
    EXPECT_EQ(c.policies[0].when.tags.at("k"), "l");
    EXPECT_TRUE(c.policies[0].when.without_where);
    EXPECT_EQ(c.policies[0].when.in_transaction, false);
    EXPECT_EQ(c.on_unparsable, OnUnparsable::allow);
    EXPECT_EQ(c.log.file, folder.path("pgsluice.log"));
    EXPECT_EQ(c.admin_http.address, "127.0.0.2");
    EXPECT_EQ(c.metrics_max_series, 5u);
    EXPECT_EQ(c.insight_max_queries, 70u);
    EXPECT_EQ(c.secret_files, SecretFiles::enforce);
    EXPECT_THAT(folder.lines(loaded.warnings),
                ElementsAre(HasSubstr("clusters.main.tls.mode: \"verify-ca\" does not")));
    EXPECT_THAT(c.files, ElementsAre(folder.path(), folder.path("password"), folder.path("server.crt"),
                                     folder.path("server.key"), folder.path("ca.crt")));
}

TEST(Load, ReportsEveryProblemAtOnceInTheOrderOfTheFile) {
    const Folder folder;
    EXPECT_THAT(
        folder.problems("listeners:\n"
                        "  - { address: localhost, prot: 5432 }\n"
                        "auth: { rules: [ { method: scram } ] }\n"
                        "clusters:\n"
                        "  main:\n"
                        "    servers: [ { host: a, port: 70000 } ]\n"
                        "routes:\n"
                        "  - name: all\n"
                        "    cluster: mian\n"
                        "    pool: { size: 2, min_size: 3, idle_timeout: 30 }\n"),
        ElementsAre(HasSubstr("pgsluice.yaml:2:16: listeners[0].address: \"localhost\" is not an IP address"),
                    "pgsluice.yaml:2:27: listeners[0].prot: unknown key, did you mean \"port\"?",
                    HasSubstr("pgsluice.yaml:3:28: auth.rules[0].method: \"scram\" is unknown; allowed is trust"),
                    HasSubstr("pgsluice.yaml:6:33: clusters.main.servers[0].port: \"70000\" is out of range"),
                    "pgsluice.yaml:9:14: routes[0].cluster: there is no cluster \"mian\", did you mean \"main\"?",
                    "pgsluice.yaml:10:32: routes[0].pool.min_size: 3 is more than size; allowed is 0 to 2",
                    HasSubstr("pgsluice.yaml:10:49: routes[0].pool.idle_timeout: \"30\" needs a unit")));
}

TEST(Load, AnUnreadableFileIsOneProblem) {
    const Folder folder;
    const Loaded loaded = load(folder.path("missing.yaml"));
    EXPECT_FALSE(loaded);
    EXPECT_THAT(folder.lines(loaded.problems),
                ElementsAre("missing.yaml:1:1: cannot read missing.yaml: No such file or directory"));
    EXPECT_THAT(folder.lines(load(folder.path("")).problems), ElementsAre(HasSubstr("not a regular file")));
}

TEST(Load, AnEmptyFileSaysWhatIsNeeded) {
    const Folder folder;
    EXPECT_THAT(folder.problems("# nothing\n"),
                ElementsAre(HasSubstr("pgsluice.yaml:1:1: needs at least one item under \"listeners\""),
                            HasSubstr("\"clusters\""), HasSubstr("\"auth.rules\""), HasSubstr("\"routes\"")));
}

TEST(Load, TheOnlyClusterIsTheDefault) {
    const Folder folder;
    const Loaded loaded = folder.load(
        "listeners: [ { address: 127.0.0.1 } ]\n"
        "auth: { rules: [ { method: scram-sha-256 } ], query: { database: d, user: u, sql: select $1 } }\n"
        "clusters: { main: { servers: [ { host: /run } ] } }\n"
        "routes: [ { name: all } ]\n");
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    EXPECT_EQ(loaded.config->routes[0].cluster, "main");
    EXPECT_EQ(loaded.config->auth.source.query->cluster, "main");
}

TEST(Load, TellsAProblemInOneLineWhateverTheKeysAre) {
    const Folder folder;
    EXPECT_THAT(folder.problems(base + "\"a\\nb\": 1\n"), ElementsAre(HasSubstr(R"(5:1: a\x0ab: unknown key)")));
}

}  // namespace
}  // namespace pgsluice::config::test
