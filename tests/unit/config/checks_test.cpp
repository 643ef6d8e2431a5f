// Combinations that are impossible, and ones that are a warning. A case replaces one line of a configuration that
// loads.
#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Lines 1 to 4 of the configuration; an empty one is left as in `base`.
struct Case {
    int line;
    const char* text;
    const char* finding;  // how the one problem (or warning) begins
};

void PrintTo(const Case& c, std::ostream* out) {
    *out << words_of(c.text);
}

std::string with(const Case& c) {
    std::string out, rest = base;
    for (int line = 1; line <= 4; ++line) {
        const auto end = rest.find('\n');
        out += (line == c.line ? c.text : rest.substr(0, end)) + '\n';
        rest.erase(0, end + 1);
    }
    return out;
}

class Impossible : public ::testing::TestWithParam<Case> {};

TEST_P(Impossible, IsOneProblemAtItsPlace) {
    const Folder folder;
    for (const char* name : {"a.crt", "a.key", "ca.crt"}) folder.write(name, "");
    EXPECT_THAT(folder.problems(with(GetParam())),
                ElementsAre(StartsWith(std::string("pgsluice.yaml:") + GetParam().finding)));
}

const std::string long_folder = '/' + std::string(93, 'x');  // with "/.s.PGSQL.5432" 108 bytes
const std::string long_listener = "listeners: [ { unix: " + long_folder + " } ]";
const std::string long_server = "clusters: { main: { servers: [ { host: " + long_folder + " } ] } }";

INSTANTIATE_TEST_SUITE_P(
    Listeners, Impossible,
    ::testing::Values(
        Case{1, "listeners: []", "1:12: listeners: needs at least one item under \"listeners\""},
        Case{1, "workers: 1", "1:1: needs at least one item under \"listeners\""},
        Case{1, "listeners: [ { port: 5432 } ]",
             "1:14: listeners[0]: needs either the key \"address\" or the key \"unix\""},
        Case{1, "listeners: [ { address: \"::1\", unix: /run } ]", "1:14: listeners[0]: needs either the key"},
        Case{1, "listeners: [ { address: \"::1\", mode: \"0700\" } ]",
             "1:38: listeners[0].mode: a file mode is for Unix sockets only"},
        Case{1, "listeners: [ { unix: /run, port: 0 } ]", "1:34: listeners[0].port: 0 (any free port) is for TCP only"},
        Case{1, long_listener.c_str(), "1:22: listeners[0].unix: the path of the socket, "},
        Case{1, "listeners: [ { address: \"::1\" }, { address: \"::1\" } ]",
             "1:34: listeners[1]: another listener has this address and port"},
        Case{1, "listeners: [ { unix: /run }, { unix: /run/ } ]", "1:30: listeners[1]: another listener has this"},
        Case{1, "listeners: [ { unix: /run, tls: { mode: require, certificate: a.crt, private_key: a.key } } ]",
             "1:33: listeners[0].tls: a Unix socket has no TLS"},
        Case{1, "listeners: [ { address: \"::1\", tls: { mode: require } } ]",
             "1:45: listeners[0].tls.mode: \"require\" needs certificate and private_key"},
        Case{1, "listeners: [ { address: \"::1\", tls: { mode: prefer, certificate: a.crt } } ]",
             "1:45: listeners[0].tls.mode: \"prefer\" needs certificate and private_key"},
        Case{1, "listeners: [ { address: \"::1\", tls: { certificate: a.crt, private_key: a.key } } ]",
             "1:37: listeners[0].tls: needs the key \"mode\": without it TLS is off"},
        Case{1, "listeners: [ { address: \"::1\", tls: { mode: verify-ca, certificate: a.crt, private_key: a.key } } ]",
             "1:45: listeners[0].tls.mode: \"verify-ca\" needs client_ca"},
        Case{1,
             "listeners: [ { address: \"::1\", tls: { mode: verify-full, certificate: a.crt, private_key: a.key } } ]",
             "1:45: listeners[0].tls.mode: \"verify-full\" needs client_ca"},
        Case{
            1,
            "listeners: [ { address: \"::1\", tls: { mode: require, certificate: missing.crt, private_key: a.key } } ]",
            "1:67: listeners[0].tls.certificate: cannot read missing.crt: No such file or directory"},
        Case{1, "listeners: [ { address: \"::1\", proxy_protocol: { from: [balancer] } } ]",
             "1:57: listeners[0].proxy_protocol.from[0]: \"balancer\" is not"}));

INSTANTIATE_TEST_SUITE_P(
    Auth, Impossible,
    ::testing::Values(
        Case{2, "auth: { rules: [] }", "2:7: auth: needs at least one item under \"auth.rules\""},
        Case{2, "auth: { rules: [ { from: [unix] } ] }", "2:18: auth.rules[0]: needs the key \"method\""},
        Case{2, "auth: { rules: [ { method: cert } ] }", "2:28: auth.rules[0].method: \"cert\" needs TLS"},
        Case{2, "auth: { rules: [ { method: peer } ] }",
             "2:28: auth.rules[0].method: \"peer\" works over Unix sockets only"},
        Case{2, "auth: { rules: [ { from: [unix, 10.0.0.0/8], method: peer } ] }",
             "2:54: auth.rules[0].method: \"peer\" works over Unix sockets only"},
        Case{2, "auth: { rules: [ { method: md5, map: { a: b } } ] }",
             "2:38: auth.rules[0].map: a map is for the methods cert and peer"},
        Case{2, "auth: { rules: [ { method: md5 } ], users: [ { name: a }, { name: b }, { name: a } ] }",
             "2:80: auth.users[2].name: another user has the name \"a\""},
        Case{2, "auth: { rules: [ { method: md5 } ], users: [ { password: x } ] }",
             "2:46: auth.users[0]: needs the key \"name\""},
        Case{2, "auth: { rules: [ { method: md5 } ], query: { database: d, user: u } }",
             "2:44: auth.query: needs the key \"sql\""},
        Case{2, "auth: { rules: [ { method: md5 } ], query: { database: d, user: u, sql: select 1 } }",
             "2:73: auth.query.sql: must use $1"},
        Case{2, "auth: { rules: [ { method: md5 } ], query: { cluster: x, database: d, user: u, sql: $1 } }",
             "2:55: auth.query.cluster: there is no cluster \"x\"; allowed is main"}));

INSTANTIATE_TEST_SUITE_P(
    Clusters, Impossible,
    ::testing::Values(Case{3, "clusters: {}", "3:11: clusters: needs at least one entry"},
                      Case{3, "clusters: { main: {} }", "3:19: clusters.main: needs the key \"servers\""},
                      Case{3, "clusters: { main: { servers: [] } }",
                           "3:30: clusters.main.servers: needs at least one server"},
                      Case{3, "clusters: { main: { servers: [ { port: 1 } ] } }",
                           "3:32: clusters.main.servers[0]: needs the key \"host\""},
                      Case{3, "clusters: { main: { servers: [ { host: a, port: 0 } ] } }",
                           "3:49: clusters.main.servers[0].port: \"0\" is out of range"},
                      Case{3, "clusters: { main: { servers: [ { host: \"a:5432\" } ] } }",
                           "3:40: clusters.main.servers[0].host: \"a:5432\" is not a host"},
                      Case{3, "clusters: { main: { servers: [ { host: \"[::1]\" } ] } }",
                           "3:40: clusters.main.servers[0].host: \"[::1]\" is not a host"},
                      Case{3, "clusters: { main: { servers: [ { host: \"a,b\" } ] } }",
                           "3:40: clusters.main.servers[0].host: \"a,b\" is not a host; allowed is one host"},
                      Case{3, long_server.c_str(),
                           "3:40: clusters.main.servers[0].host: the path of the socket in this folder is longer"},
                      Case{3, "clusters: { main: { servers: [ { host: a }, { host: a, port: 5432 } ] } }",
                           "3:45: clusters.main.servers[1]: the server is listed before"},
                      Case{3, "clusters: { main: { servers: [ { host: a } ], tls: { certificate: a.crt } } }",
                           "3:52: clusters.main.tls: needs certificate and private_key, or neither"},
                      Case{3, "clusters: { main: { servers: [ { host: a } ], users: [ { name: u }, { name: u } ] } }",
                           "3:77: clusters.main.users[1].name: another user has the name"},
                      Case{3, "clusters: { main: { servers: [ { host: a } ], load_balance_hosts: on } }",
                           "3:67: clusters.main.load_balance_hosts: \"on\" is unknown; allowed is disable or random"},
                      Case{3,
                           "clusters: { main: { servers: [ { host: a } ] }, m2: { servers: [ { host: b } ] } "
                           "}\npolicies: []\nlog: {}\nauth2: {}",
                           "6:1: auth2: unknown key"}));

INSTANTIATE_TEST_SUITE_P(
    Peers, Impossible,
    ::testing::Values(
        Case{4, "routes: [ { name: a } ]\npeers: { members: [ { id: 1, host: a } ] }",
             "5:8: peers: needs the key \"id\": which of the members this one is"},
        Case{4, "routes: [ { name: a } ]\npeers: { id: 32 }",
             "5:14: peers.id: \"32\" is out of range; allowed is 0 to 31"},
        Case{4, "routes: [ { name: a } ]\npeers: { id: 1, members: [ { id: 0, host: a } ] }",
             "5:34: peers.members[0].id: \"0\" is out of range; allowed is 1 to 31"},
        Case{4, "routes: [ { name: a } ]\npeers: { id: 1, members: [ { id: 2, host: a }, { id: 2, host: b } ] }",
             "5:54: peers.members[1].id: another member has the id 2"},
        Case{4, "routes: [ { name: a } ]\npeers: { id: 1, members: [ { id: 2, host: 'a:5432' } ] }",
             "5:43: peers.members[0].host: \"a:5432\" is not a host"},
        Case{4, "routes: [ { name: a } ]\npeers: { id: 1, tls: { mode: prefer } }",
             "5:30: peers.tls.mode: \"prefer\" is unknown"},
        Case{4, "routes: [ { name: a } ]\npeers: { id: 1, tls: { certificate: a.crt } }",
             "5:22: peers.tls: needs certificate and private_key, or neither"}));

INSTANTIATE_TEST_SUITE_P(
    Routes, Impossible,
    ::testing::Values(
        Case{4, "routes: []", "4:9: routes: needs at least one item"},
        Case{4, "routes: [ { cluster: main } ]", "4:11: routes[0]: needs the key \"name\""},
        Case{4, "routes: [ { name: a, match: { users: [x] } }, { name: a } ]",
             "4:55: routes[1].name: another route has the name \"a\""},
        Case{4, "routes: [ { name: a, cluster: mian } ]",
             "4:31: routes[0].cluster: there is no cluster \"mian\", did you mean \"main\"?"},
        Case{4, "routes: [ { name: a, pool: { size: 5, min_size: 6 } } ]",
             "4:49: routes[0].pool.min_size: 6 is more than size; allowed is 0 to 5"},
        Case{4, "routes: [ { name: a, pool: { session_state: forget } } ]",
             "4:45: routes[0].pool.session_state: \"forget\" is unknown; allowed is preserve, reject or ignore"},
        Case{4, "routes: [ { name: a, pool: { max_pinned: 101% } } ]",
             "4:42: routes[0].pool.max_pinned: \"101%\" is out of range; allowed is 0% to 100%"},
        Case{4, "routes: [ { name: a, pool: { max_pinned: 50 } } ]",
             "4:42: routes[0].pool.max_pinned: \"50\" is not a percentage; allowed is 0% to 100%"},
        Case{4, "routes: [ { name: a, pool: { custom_settings: keep } } ]",
             "4:47: routes[0].pool.custom_settings: \"keep\" is unknown; allowed is affinity, close or share"},
        Case{4, "routes: [ { name: a, target_session_attrs: read_write } ]",
             "4:44: routes[0].target_session_attrs: \"read_write\" is unknown; allowed is any, read-write"},
        Case{4, "routes: [ { name: a, parameters: { user: x } } ]",
             "4:36: routes[0].parameters.user: is no parameter; the route has the key \"user\""},
        Case{4, "routes: [ { name: a, parameters: { replication: true } } ]",
             "4:36: routes[0].parameters.replication: cannot be set for a pool"},
        Case{4, "routes: [ { name: a, parameters: { \"a b\": x } } ]",
             "4:36: routes[0].parameters.a b: is not the name of a parameter"},
        Case{4, "routes: [ { name: a, parameters: { work_mem: [] } } ]",
             "4:36: routes[0].parameters.work_mem: must be a text"},
        Case{4, "routes: [ { name: a, timeouts: { connect: 1s } } ]",
             "4:34: routes[0].timeouts.connect: unknown key"}));

INSTANTIATE_TEST_SUITE_P(
    Policies, Impossible,
    ::testing::Values(Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, action: rewrite } ]",
                           "5:13: policies[0]: changes nothing"},
                      Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, rewrite: { limit: 5 } } ]",
                           "5:33: policies[0].rewrite: is for action: rewrite alone"},
                      Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, action: limit, limit: {} } ]",
                           "5:46: policies[0].limit: limits nothing"},
                      Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, sample_one_in: 5 } ]",
                           "5:39: policies[0].sample_one_in: is for action: log alone"},
                      Case{4, "routes: [ { name: a } ]\naudit: { file: no/such/folder/audit.log }",
                           "5:16: audit.file: cannot write "},
                      Case{4, "routes: [ { name: a } ]\naudit: { file: / }",
                           "5:16: audit.file: cannot write /: it is a folder"},
                      Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, limit: { max_duration: 5s } } ]",
                           "5:31: policies[0].limit: is for action: limit alone"},
                      Case{4,
                           "routes: [ { name: a } ]\npolicies: [ { name: p, when: { users: [x, y] } }, "
                           "{ name: q, action: log, when: { users: [y], statements: [drop] } } ]",
                           "5:51: policies[1]: can never match: policy \"p\" before it decides"},
                      Case{4,
                           "routes: [ { name: a } ]\npolicies: [ { name: p, when: { from: [unix] } }, "
                           "{ name: q, when: { from: [unix], pattern: x } } ]",
                           "5:50: policies[1]: can never match"},
                      Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, mode: shadow }, { name: p } ]",
                           "5:48: policies[1].name: another policy has the name \"p\""},
                      Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, sqlstate: \"00000\" } ]",
                           "5:34: policies[0].sqlstate: \"00000\" is not an error code"},
                      Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, sqlstate: 01000 } ]",
                           "5:34: policies[0].sqlstate: \"01000\" is not an error code"},
                      Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, sqlstate: 4250 } ]",
                           "5:34: policies[0].sqlstate: \"4250\" is not an error code"},
                      Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, sqlstate: 0a000 } ]",
                           "5:34: policies[0].sqlstate: \"0a000\" is not an error code"},
                      Case{4, "routes: [ { name: orders } ]\npolicies: [ { name: p, when: { routes: [order] } } ]",
                           "5:41: policies[0].when.routes[0]: there is no route \"order\", did you mean \"orders\"?"}));

const std::string long_path = "routes: [ { name: a } ]\nadmin: { http: { unix: /" + std::string(107, 'x') + " } }";

INSTANTIATE_TEST_SUITE_P(
    Admin, Impossible,
    ::testing::Values(Case{4, "routes: [ { name: a } ]\nadmin: { http: { token: 0123456789abcde } }",
                           "5:25: admin.http.token: is too short for a token; allowed are at least 16 characters"},
                      Case{4, "routes: [ { name: a } ]\nadmin: { http: { token: \"0123456789 abcdef\" } }",
                           "5:25: admin.http.token: does not fit a header"},
                      Case{4, "routes: [ { name: a } ]\nadmin: { http: { token: 0123456789abcdé } }",
                           "5:25: admin.http.token: does not fit a header"},
                      Case{4, "routes: [ { name: a } ]\nadmin: { http: { mode: \"0700\" } }",
                           "5:24: admin.http.mode: a file mode is for Unix sockets only"},
                      Case{4, "routes: [ { name: a } ]\nadmin: { http: { tls: { certificate: a.crt } } }",
                           "5:23: admin.http.tls: needs certificate and private_key, or neither"},
                      Case{4, long_path.c_str(),
                           "5:24: admin.http.unix: the path of the socket is longer than 107 bytes"}));

class Doubtful : public ::testing::TestWithParam<Case> {};

TEST_P(Doubtful, IsAWarningAtItsPlace) {
    const Folder folder;
    const std::string text = with(GetParam());
    EXPECT_THAT(folder.problems(text), IsEmpty());
    EXPECT_THAT(folder.warnings(text), ElementsAre(StartsWith(std::string("pgsluice.yaml:") + GetParam().finding)));
}

INSTANTIATE_TEST_SUITE_P(
    Each, Doubtful,
    ::testing::Values(
        Case{4, "routes: [ { name: a, match: { databases: [b, pgbouncer] } } ]\nadmin: { console: { users: [ann] } }",
             "4:46: routes[0].match.databases[1]: leads to the console"},
        Case{2, "auth: { rules: [ { method: trust } ] }", "2:28: auth.rules[0].method: \"trust\" lets anybody in"},
        Case{2, "auth: { rules: [ { from: [unix, 127.0.0.0/7], method: trust } ] }",
             "2:55: auth.rules[0].method: \"trust\" lets anybody in"},
        Case{2, "auth: { rules: [ { method: password } ], users: [ { name: a } ] }",
             "2:28: auth.rules[0].method: \"password\" without tls: require"},
        Case{2,
             "auth: { rules: [ { users: [\"*\"], method: md5 }, { from: [unix], method: reject } ], users: [ { name: "
             "a } ] }",
             "2:49: auth.rules[1]: never used"},
        Case{3, "clusters: { main: { servers: [ { host: db.internal } ], tls: { mode: require } } }",
             "3:70: clusters.main.tls.mode: \"require\" does not protect"},
        Case{4, "routes: [ { name: a, match: { databases: [\"*\"] } }, { name: b } ]",
             "4:53: routes[1]: never used: a route before it"},
        Case{4, "routes: [ { name: a } ]\nadmin: { http: { address: 0.0.0.0, token: 0123456789abcdef } }",
             "5:43: admin.http.token: crosses the network in the clear"},
        Case{4, "routes: [ { name: a, log: { audit: true } } ]",
             "4:36: routes[0].log.audit: audits nothing: audit.file names no file"},
        Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p } ]", "5:13: policies[0]: blocks every statement"}));

class Harmless : public ::testing::TestWithParam<Case> {};

TEST_P(Harmless, IsNoWarning) {
    const Folder folder;
    const std::string text = with(GetParam());
    EXPECT_THAT(folder.problems(text), IsEmpty());
    EXPECT_THAT(folder.warnings(text), IsEmpty());
}

const std::string longest_folder = '/' + std::string(92, 'x');  // with "/.s.PGSQL.5432" 107 bytes
const std::string longest_listener = "listeners: [ { unix: " + longest_folder + " } ]";
const std::string longest_path =
    "routes: [ { name: a } ]\nadmin: { http: { unix: /" + std::string(106, 'x') + ", mode: \"0600\" } }";

INSTANTIATE_TEST_SUITE_P(
    Each, Harmless,
    ::testing::Values(
        Case{4, "routes: [ { name: a, match: { databases: [pgbouncer, pgsluice] } } ]", ""},
        Case{1, longest_listener.c_str(), ""}, Case{4, longest_path.c_str(), ""},
        Case{4, "routes: [ { name: a } ]\nadmin: { http: { address: \"::1\", token: 0123456789abcdef } }", ""},
        Case{1, "listeners: [ { address: \"::1\", port: 0 }, { address: \"::1\", port: 0 } ]", ""},
        Case{2, "auth: { rules: [ { from: [unix, 127.0.0.0/8, \"::1\"], method: trust } ] }", ""},
        Case{2, "auth: { rules: [ { from: [unix], method: peer, map: { root: app } } ] }", ""},
        Case{3,
             "clusters: { main: { servers: [ { host: localhost, port: 1 }, { host: \"::1\" }, { host: 127.0.0.9 } "
             "], tls: { mode: disable } } }",
             ""},
        Case{4,
             "routes: [ { name: a } ]\npolicies: [ { name: p, action: allow, when: { pattern: x } }, "
             "{ name: rest } ]",
             ""},
        Case{4, "routes: [ { name: a } ]\npolicies: [ { name: p, when: { users: [x] } } ]", ""},
        Case{4,
             "routes: [ { name: a } ]\npolicies: [ { name: p, when: { users: [x] } }, { name: q, when: { users: [y] } "
             "}, "
             "{ name: r, when: { statements: [drop] } }, { name: s, when: { tables: [t] } } ]",
             ""},
        Case{4,
             "routes: [ { name: a } ]\npolicies: [ { name: p, action: limit, limit: { max_rows: 5 } }, "
             "{ name: r, action: rewrite, rewrite: { limit: 5 } }, { name: q, when: { users: [x] } } ]",
             ""},
        Case{4,
             "routes: [ { name: a } ]\npolicies: [ { name: p, mode: shadow, when: { users: [x] } }, "
             "{ name: q, when: { users: [x] } } ]",
             ""},
        Case{4, "routes: [ { name: a, parameters: { \"pg_stat_statements.track\": none, jit: true } } ]", ""}));

TEST(Checks, SeveralClustersLeaveNoDefault) {
    const Folder folder;
    EXPECT_THAT(folder.problems(with(
                    {3, "clusters: { a: { servers: [ { host: /x } ] }, b: { servers: [ { host: /x } ] } }\n", ""})),
                ElementsAre(StartsWith(
                    "pgsluice.yaml:5:33: routes[0].cluster: there is no cluster \"main\"; allowed is a or b")));
    EXPECT_THAT(
        folder.problems("listeners: [ { address: 127.0.0.1 } ]\nauth: { rules: [ { method: md5 } ] }\n"
                        "clusters: { a: { servers: [ { host: /x } ] }, b: { servers: [ { host: /x } ] } }\n"
                        "routes: [ { name: all } ]\n"),
        ElementsAre("pgsluice.yaml:4:11: routes[0]: needs the key \"cluster\": there is more than one, a or b"));
}

TEST(Checks, CertNeedsOneListenerThatAsksForCertificates) {
    const Folder folder;
    for (const char* name : {"a.crt", "a.key", "ca.crt"}) folder.write(name, "");
    const std::string tls = "tls: { mode: require, certificate: a.crt, private_key: a.key";
    const std::string rest = base.substr(base.find("clusters"));
    const std::string rule = "auth: { rules: [ { method: cert } ] }\n";
    EXPECT_THAT(
        folder.problems("listeners: [ { address: 0.0.0.0, " + tls + ", client_ca: ca.crt } } ]\n" + rule + rest),
        IsEmpty());
    EXPECT_THAT(folder.problems("listeners: [ { address: 0.0.0.0, " + tls + " } } ]\n" + rule + rest),
                Contains(StartsWith("pgsluice.yaml:2:28: auth.rules[0].method")));
}

}  // namespace
}  // namespace pgsluice::config::test
