// Combinations that are possible and hardly meant, in sections that have to do with each other.
#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string hash = "md5" + std::string(32, 'a');

class Doubts : public ::testing::Test {
  protected:
    Doubts() {
        for (const char* name : {"a.crt", "a.key", "ca.crt"}) folder.write(name, "");
    }
    std::vector<std::string> warnings() const {
        const std::string text = "listeners: " + listeners + "\nauth: " + auth + "\nclusters: " + clusters +
                                 "\nroutes: [ { name: all, pool: " + pool + " } ]\n";
        EXPECT_THAT(folder.problems(text), IsEmpty());
        return folder.warnings(text);
    }

    const Folder folder;
    std::string listeners = "[ { address: 127.0.0.1, port: 6000 } ]";
    std::string auth = "{ rules: [ { method: scram-sha-256 } ], users: [ { name: ann, password: x } ] }";
    std::string clusters = "{ main: { servers: [ { host: /run/postgresql } ] } }";
    std::string pool = "{}";
};

TEST_F(Doubts, there_are_none_about_what_is_usual) {
    EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(Doubts, more_rules_that_only_note_than_one_statement_has_room_for) {
    const auto with_rules = [this](int count) {
        std::string text = "listeners: " + listeners + "\nauth: " + auth + "\nclusters: " + clusters +
                           "\nroutes: [ { name: all } ]\npolicies:\n";
        for (int i = 0; i < count; ++i)
            text += "- { name: p" + std::to_string(i) + (i % 2 == 0 ? ", action: log }\n" : ", mode: shadow }\n");
        return folder.warnings(text + "- { name: decides, action: allow }\n");
    };
    EXPECT_THAT(with_rules(16), IsEmpty());
    EXPECT_THAT(with_rules(17), ElementsAre(HasSubstr("policies: 17 of them are in shadow mode or have action: log")));
}

TEST_F(Doubts, what_is_stored_for_a_password_is_none_to_log_in_with) {
    const auto query = [](const std::string& password) {
        return "query: { database: d, user: u, sql: select $1, password: '" + password + "' }";
    };
    const std::string verifier = "SCRAM-SHA-256$$4096:" + std::string(22, 'A') + "==$$" + std::string(43, 'A') +
                                 "=:" + std::string(43, 'A') + '=';
    const std::string rules = "{ rules: [ { method: scram-sha-256 } ], ";
    auth = rules + query(verifier) + " }";
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("auth.query.password: cannot log in: it is a SCRAM verifier")));
    auth = rules + query(hash) + " }";
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("auth.query.password: is an md5 hash")));
    auth = rules + query("secret") + " }";
    EXPECT_THAT(warnings(), IsEmpty());
    clusters = "{ main: { servers: [ { host: /run/postgresql } ], " + query(verifier) + " } }";
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("clusters.main.query.password: cannot log in")));
}

TEST_F(Doubts, a_query_for_users_wants_the_schema_of_what_it_names) {
    const auto query = [](const std::string& from) {
        return "query: { database: d, user: u, sql: 'SELECT * FROM " + from + "' }";
    };
    auth = "{ rules: [ { method: md5 } ], " + query("lookup($1)") + " }";
    EXPECT_THAT(warnings(), ElementsAre(AllOf(HasSubstr("auth.query.sql: "), HasSubstr("public.lookup"))));
    auth = "{ rules: [ { method: md5 } ], " + query("public.lookup($1)") + " }";
    EXPECT_THAT(warnings(), IsEmpty());
    clusters = "{ main: { servers: [ { host: /run/postgresql } ], " + query("users where u = $1") + " } }";
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("clusters.main.query.sql: ")));
}

TEST_F(Doubts, a_rule_about_passwords_wants_somebody_who_has_one) {
    for (const char* method : {"scram-sha-256", "md5", "password, from: [unix]"}) {
        auth = "{ rules: [ { method: peer, from: [unix] }, { method: " + std::string(method) + " } ] }";
        EXPECT_THAT(warnings(), ElementsAre(StartsWith("pgsluice.yaml:2:60: auth.rules[1].method: lets nobody in")));
    }
    auth = "{ rules: [ { method: md5, tls: refuse }, { method: md5 } ] }";
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("auth.rules[0]"))) << "once is enough";
}

TEST_F(Doubts, there_are_none_where_passwords_may_be_found) {
    auth = "{ rules: [ { method: reject } ] }";
    EXPECT_THAT(warnings(), IsEmpty());
    auth = "{ rules: [ { method: peer, from: [unix] } ] }";
    EXPECT_THAT(warnings(), IsEmpty());
    folder.write("users", "");
    auth = "{ rules: [ { method: md5 } ], users_file: users }";
    EXPECT_THAT(warnings(), IsEmpty()) << "it may be written yet";
    auth = "{ rules: [ { method: md5 } ], query: { database: d, user: u, sql: select $1 } }";
    EXPECT_THAT(warnings(), IsEmpty());
    auth = "{ rules: [ { method: md5 } ] }";
    clusters = "{ main: { servers: [ { host: /run/postgresql } ], users: [ { name: ann, password: x } ] } }";
    EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(Doubts, a_rule_that_wants_tls_wants_a_listener_that_has_it) {
    auth = "{ rules: [ { tls: require, method: password } ], users: [ { name: ann, password: x } ] }";
    EXPECT_THAT(warnings(), ElementsAre(StartsWith("pgsluice.yaml:2:25: auth.rules[0].tls: matches nobody")));
    listeners =
        "[ { unix: /run/a }, { address: \"::1\", tls: { mode: prefer, certificate: a.crt, private_key: a.key } } ]";
    EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(Doubts, an_md5_hash_wants_a_rule_that_takes_one) {
    const std::string users = "users: [ { name: ann, password: " + hash + " }, { name: bob, password: x } ] }";
    auth = "{ rules: [ { method: scram-sha-256 } ], " + users;
    EXPECT_THAT(warnings(),
                ElementsAre(StartsWith("pgsluice.yaml:2:79: auth.users[0].password: \"ann\" cannot log in")));
    for (const char* rules : {"{ method: md5, from: [10.0.0.0/8] }, { method: scram-sha-256 }",
                              "{ method: scram-sha-256, users: [bob] }", "{ method: peer, from: [unix] }"}) {
        auth = "{ rules: [ " + std::string(rules) + " ], " + users;
        EXPECT_THAT(warnings(), IsEmpty()) << rules;
    }
}

TEST_F(Doubts, md5_hashes_of_a_file_are_one_warning) {
    folder.write("users", "\"ann\" \"" + hash + "\"\n\"bob\" \"" + hash + "\"\n\"eve\" \"x\"\n");
    auth = "{ rules: [ { method: scram-sha-256 } ], users_file: users }";
    EXPECT_THAT(warnings(), ElementsAre(StartsWith("pgsluice.yaml:2:59: auth.users_file: \"ann\" and 1 more cannot")));
    auth = "{ rules: [ { method: scram-sha-256 } ] }";
    clusters = "{ main: { servers: [ { host: /run/postgresql } ], users_file: users } }";
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("clusters.main.users_file")));
}

TEST_F(Doubts, session_mode_fills_no_pool) {
    pool = "{ mode: session, min_size: 1 }";
    EXPECT_THAT(warnings(),
                ElementsAre(StartsWith("pgsluice.yaml:4:57: routes[0].pool.min_size: does nothing in session mode")));
    pool = "{ min_size: 1 }";
    EXPECT_THAT(warnings(), IsEmpty());
}

TEST_F(Doubts, a_reserve_is_opened_before_nobody_waits_any_more) {
    pool = "{ reserve_size: 1, reserve_timeout: 30s }";
    EXPECT_THAT(warnings(),
                ElementsAre(StartsWith("pgsluice.yaml:4:66: routes[0].pool.reserve_timeout: nobody waits")));
    pool = "{ reserve_size: 1, query_wait_timeout: 5s }";
    EXPECT_THAT(warnings(), ElementsAre(HasSubstr("routes[0].pool.reserve_size: nobody waits")));
    for (const char* fine : {"{ reserve_size: 1, reserve_timeout: 29s }", "{ reserve_timeout: 60s }",
                             "{ reserve_size: 1, reserve_timeout: 60s, query_wait_timeout: 0 }"}) {
        pool = fine;
        EXPECT_THAT(warnings(), IsEmpty()) << fine;
    }
}

TEST_F(Doubts, a_server_is_no_listener_of_ours) {
    struct Case {
        const char *listener, *server;
        bool is_own;
    };
    const Case cases[] = {
        {"address: 127.0.0.1", "127.0.0.1", true},  {"address: 127.0.0.1", "localhost", true},
        {"address: 127.0.0.1", "127.0.0.2", false}, {"address: 0.0.0.0", "127.0.0.2", true},
        {"address: \"::\"", "localhost", true},     {"address: 10.0.0.1", "10.0.0.1", true},
        {"address: 10.0.0.1", "10.0.0.2", false},   {"address: 10.0.0.1", "localhost", false},
        {"address: 0.0.0.0", "10.0.0.2", false},    {"unix: /run/p", "/run/p", true},
        {"unix: /run/p", "/run/postgresql", false}, {"address: 0.0.0.0", "/run/postgresql", false},
    };
    for (const auto& [listener, server, is_own] : cases) {
        SCOPED_TRACE(std::string(listener) + ' ' + server);
        listeners = "[ { " + std::string(listener) + ", port: 6000 } ]";
        const std::string places = "[ { host: \"" + std::string(server) + "\", port: ";
        clusters = "{ main: { tls: { ca: ca.crt }, servers: " + places + "6000 } ] } }";
        const auto found = warnings();
        if (is_own) {
            EXPECT_THAT(found, ElementsAre(HasSubstr("3:61: clusters.main.servers[0].host: is a listener of this")));
        } else {
            EXPECT_THAT(found, IsEmpty());
        }
        clusters = "{ main: { tls: { ca: ca.crt }, servers: " + places + "5432 } ] } }";
        EXPECT_THAT(warnings(), IsEmpty());
    }
}

TEST_F(Doubts, a_pool_keeps_no_more_servers_than_its_user_may_have) {
    const auto with = [this](const std::string& route, const std::string& limit) {
        return folder.warnings(
            "listeners: " + listeners + "\nauth: { rules: [ { method: trust, from: [unix] } ], users: " +
            "[ { name: ann, max_server_connections: 9 } ] }\nclusters: " + clusters + "\nroutes: [ { name: all, " +
            route + " } ]\nlimits: { server_connections_per_user: " + limit + " }\n");
    };
    EXPECT_THAT(with("pool: { min_size: 5 }", "4"),
                ElementsAre(StartsWith("pgsluice.yaml:4:42: routes[0].pool.min_size: is never reached: the pool's user "
                                       "may have 4 servers")));
    EXPECT_THAT(with("pool: { min_size: 5 }", "5"), IsEmpty());
    EXPECT_THAT(with("pool: { min_size: 5 }", "0"), IsEmpty()) << "no limit";
    EXPECT_THAT(with("user: ann, password: x, pool: { min_size: 9 }", "4"), IsEmpty()) << "a limit of its own";
    EXPECT_THAT(with("user: ann, password: x, pool: { min_size: 10 }", "40"), ElementsAre(HasSubstr("9 servers")));
}

class DoubtsOfPolicies : public Doubts {
  protected:
    std::vector<std::string> of_policy(const std::string& policy, const std::string& route = "") const {
        return folder.warnings("listeners: " + listeners + "\nauth: " + auth + "\nclusters: " + clusters +
                               "\nroutes: [ { name: all" + route + " } ]\npolicies:\n- { name: p, " + policy + " }\n");
    }
    static inline const std::string known = ", parameters: { search_path: app }";
};

TEST_F(DoubtsOfPolicies, a_schema_is_asked_for_where_the_search_path_is_not_known) {
    EXPECT_THAT(of_policy("when: { tables: [t, audit.*, b.*] }"),
                ElementsAre(StartsWith("pgsluice.yaml:6:34: policies[0].when.tables[1]: matches names of any schema")));
    EXPECT_THAT(of_policy("when: { functions: [app.f] }, action: allow"),
                ElementsAre(HasSubstr("when.functions[0]: matches no name that is written without a schema")));
    EXPECT_THAT(of_policy("when: { tables: [audit.*] }", known), IsEmpty());
    EXPECT_THAT(of_policy("when: { reads: [audit.*] }", known + ", pool: { mode: session }"),
                ElementsAre(HasSubstr("never known")));
    EXPECT_THAT(of_policy("when: { writes: [audit.*] }", known + ", pool: { session_state: ignore }"),
                ElementsAre(HasSubstr("never known")));
    for (const char* pattern : {"t", "'*.t'", "pg_catalog.pg_class", "'*'"})
        EXPECT_THAT(of_policy("when: { tables: [" + std::string(pattern) + "] }"), IsEmpty()) << pattern;
    EXPECT_THAT(of_policy("when: { tables: [audit.*], routes: [all] }", known), IsEmpty());
    EXPECT_THAT(of_policy("when: { tables: [audit.*] }", known + ", pool: { session_state: reject }"), IsEmpty());
}

TEST_F(DoubtsOfPolicies, rows_are_limited_of_statements_that_have_none) {
    EXPECT_THAT(of_policy("when: { statements: [insert, update] }, action: limit, limit: { max_rows: 5 }"),
                ElementsAre(AllOf(StartsWith("pgsluice.yaml:6:88: policies[0].limit.max_rows: cuts nothing off"),
                                  HasSubstr("RETURNING"))));
    EXPECT_THAT(of_policy("when: { statements: [ddl, set] }, action: limit, limit: { max_bytes: 5KiB }"),
                ElementsAre(HasSubstr("limit.max_bytes: cuts nothing off")));
    for (const char* words : {"[]", "[insert, select]", "[copy]"})
        EXPECT_THAT(
            of_policy("when: { statements: " + std::string(words) + " }, action: limit, limit: { max_rows: 5 }"),
            IsEmpty())
            << words;
    EXPECT_THAT(of_policy("when: { statements: [insert] }, action: limit, limit: { max_duration: 5s }"), IsEmpty());
}

}  // namespace
}  // namespace pgsluice::config::test
