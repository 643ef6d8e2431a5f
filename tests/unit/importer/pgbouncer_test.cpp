// A whole PgBouncer, as configuration of ours.
#include "import_case.hpp"

namespace pgsluice::importer::test {
namespace {

using config::AuthMethod;
using config::ListenerTlsMode;
using config::PoolMode;
using config::ServerTlsMode;
using config::test::Folder;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

TEST_F(Import, DefaultsAreThoseOfPgBouncer) {
    const auto& config = options("");
    EXPECT_THAT(imported.findings, IsEmpty());
    EXPECT_EQ(config.listeners.at(0).port, 6432);
    EXPECT_EQ(config.limits.client_connections, 100U);
    EXPECT_EQ(config.limits.login_timeout, std::chrono::seconds(60));
    EXPECT_EQ(config.timeouts.connect, std::chrono::seconds(15));
    EXPECT_EQ(config.auth.rules.at(0).method, AuthMethod::md5);
    EXPECT_EQ(config.clusters.at(0).tls.mode, ServerTlsMode::prefer);
    EXPECT_EQ(config.routes.at(0).pool.mode, PoolMode::session);
    EXPECT_EQ(config.routes.at(0).pool.query_wait_timeout, std::chrono::seconds(120));
}

TEST_F(Import, WhatIsWrittenLoadsAndMeansTheSame) {
    users("\"app\" \"secret\"\n");
    read("a = host=/run/x dbname=b user=app password='it''s $5' pool_size=7\n* = host=/run/x",
         "auth_file = users.txt\npool_mode = transaction\nadmin_users = root\n[users]\napp = query_timeout=1.5\n");
    const auto loaded = folder.load(yaml(imported, "pgbouncer.ini"));
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    EXPECT_EQ(loaded.config->routes.at(0).password, Secret("it's $5"));
    EXPECT_EQ(loaded.config->routes[0].pool.size, 7U);
    EXPECT_EQ(loaded.config->auth.source.users.at(0).password, Secret("secret"));
    EXPECT_EQ(loaded.config->auth.source.users[0].timeouts.query, Milliseconds(1500));
}

TEST_F(Import, TheYamlRepeatsTheFindingsInItsHead) {
    read("a = host=h user=u password=hunter2", "disable_pqexec = 1");
    const std::string text = yaml(imported, "pgbouncer.ini");
    EXPECT_THAT(text, HasSubstr("#   less safe: " + folder.path("pgbouncer.ini") + ":6: disable_pqexec: "));
    EXPECT_EQ(imported.findings.size(), 1U);
}

TEST_F(Import, NoFindingShowsAPassword) {
    read("a = host=h user=u password=x hunter2=1\nb = password='hunter2 open", "");
    ASSERT_EQ(imported.findings.size(), 2U);
    for (const Finding& found : imported.findings) EXPECT_THAT(found.to_string(), Not(HasSubstr("hunter2")));
}

// --- listeners, limits, timeouts -------------------------------------------------------------------------------------

TEST_F(Import, AddressesAndTheSocketAreListeners) {
    const auto& config = options(
        "listen_addr = *, 10.0.0.1\nlisten_port = 5433\nunix_socket_dir = /run/p\n"
        "unix_socket_mode = 0750\n");
    std::vector<std::string> where;
    for (const auto& listener : config.listeners) where.push_back(listener.address + listener.unix_directory);
    EXPECT_THAT(where, ElementsAre("0.0.0.0", "::", "10.0.0.1", "/run/p"));
    EXPECT_EQ(config.listeners[3].unix_mode, 0750U);
    EXPECT_EQ(config.listeners[3].port, 5433);
}

TEST_F(Import, NamesAndAbstractSocketsAreNoListeners) {
    options("listen_addr = db.example\nunix_socket_dir = @odd");
    EXPECT_THAT(imported.findings, Contains(finding(Weight::not_done, "listen_addr")));
    EXPECT_THAT(imported.findings, Contains(finding(Weight::not_done, "unix_socket_dir")));
    EXPECT_TRUE(imported.has(Weight::broken));
}

TEST_F(Import, VerifyFullOfListenersComparesNoNameAsInPgBouncer) {
    const std::string files = "client_tls_cert_file = c\nclient_tls_key_file = k\nclient_tls_ca_file = ca\n";
    for (const auto& [word, mode] :
         {std::pair("disable", ListenerTlsMode::disable), std::pair("allow", ListenerTlsMode::prefer),
          std::pair("prefer", ListenerTlsMode::prefer), std::pair("require", ListenerTlsMode::require),
          std::pair("verify-ca", ListenerTlsMode::verify_ca), std::pair("verify-full", ListenerTlsMode::verify_ca)}) {
        const auto& tls = options(files + "client_tls_sslmode = " + word).listeners[0].tls;
        EXPECT_EQ(tls.mode, mode) << word;
        EXPECT_EQ(tls.client_ca.empty(), mode != ListenerTlsMode::verify_ca) << word;
    }
}

TEST_F(Import, TlsThatPgBouncerWouldNotSpeakIsLessSafe) {
    for (const char* option : {"client_tls_ciphers = HIGH", "server_tls_ciphers = ECDHE+AESGCM",
                               "client_tls13_ciphers = TLS_AES_256_GCM_SHA384"}) {
        options(option);
        EXPECT_TRUE(imported.has(Weight::less_safe)) << option;
    }
    const std::string require = "client_tls_sslmode = require\nclient_tls_cert_file = c\nclient_tls_key_file = k\n";
    options(require + "client_tls_protocols = tlsv1.3");
    EXPECT_THAT(imported.findings, Contains(finding(Weight::less_safe, "client_tls_protocols")));
    options(require + "client_tls_protocols = all");
    EXPECT_THAT(imported.findings, Contains(finding(Weight::note, "client_tls_protocols")));
    options("server_tls_protocols = tlsv1.3");
    EXPECT_THAT(imported.findings, Contains(finding(Weight::less_safe, "server_tls_protocols")));
    options(require + "client_tls_protocols = tlsv1.2,tlsv1.3\nclient_tls_ciphers = normal");
    EXPECT_THAT(imported.findings, IsEmpty());
}

TEST_F(Import, TimesAndLimitsAreCarriedOver) {
    const auto& config = options(
        "query_timeout = 1\ntransaction_timeout = 2\nidle_transaction_timeout = 3\nclient_idle_timeout = 4\n"
        "server_login_retry = 0.5\ncancel_wait_timeout = 6\nclient_login_timeout = 7\nmax_client_conn = 8\n"
        "max_user_client_connections = 9\nmax_db_client_connections = 10\nmax_packet_size = 1000000\n"
        "tcp_keepalive = 0\ntcp_user_timeout = 1234\nmax_user_connections = 11\nsuspend_timeout = 12");
    EXPECT_EQ(config.timeouts.client.query, std::chrono::seconds(1));
    EXPECT_EQ(config.timeouts.client.transaction, std::chrono::seconds(2));
    EXPECT_EQ(config.timeouts.client.idle_transaction, std::chrono::seconds(3));
    EXPECT_EQ(config.timeouts.client.client_idle, std::chrono::seconds(4));
    EXPECT_EQ(config.timeouts.connect_retry, Milliseconds(500));
    EXPECT_EQ(config.timeouts.cancel, std::chrono::seconds(6));
    EXPECT_EQ(config.limits.login_timeout, std::chrono::seconds(7));
    EXPECT_EQ(config.limits.client_connections, 8U);
    EXPECT_EQ(config.limits.connections_per_user, 9U);
    EXPECT_EQ(config.limits.connections_per_database, 10U);
    EXPECT_EQ(config.limits.server_connections_per_user, 11U);
    EXPECT_EQ(config.timeouts.suspend, std::chrono::seconds(12));
    EXPECT_EQ(config.limits.message_bytes, 1000000U);
    EXPECT_EQ(config.timeouts.keepalive.idle, Milliseconds(0));
    EXPECT_EQ(config.timeouts.tcp_user, Milliseconds(1234));
}

TEST_F(Import, ValuesThatAreNoNumbersAreBroken) {
    for (const char* option : {"max_client_conn", "query_timeout", "default_pool_size"}) {
        options(std::string(option) + " = many");
        EXPECT_TRUE(imported.has(Weight::broken)) << option;
    }
}

TEST_F(Import, OptionsWithoutAnEquivalentAreToldOnlyWhereTheyDoSomething) {
    options("server_round_robin = 0\napplication_name_add_host = 0\npkt_buf = 8192\nlog_stats = 0");
    EXPECT_THAT(imported.findings, IsEmpty());
    options("application_name_add_host = 1\nserver_reset_query_always = 1");
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::note, "application_name_add_host"),
                                               finding(Weight::less_safe, "server_reset_query_always")));
    options("query_wait_notify = 0");
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::note, "query_wait_notify")));
    options("query_wait_notify = 5");
    EXPECT_THAT(imported.findings, IsEmpty());
    options("frobnicate = 1");
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::broken, "frobnicate")));
}

// --- databases -------------------------------------------------------------------------------------------------------

TEST_F(Import, SessionModeKeepsNoServerReadyAndSaysSo) {
    EXPECT_EQ(pool("pool_mode = transaction\nmin_pool_size = 3").min_size, 3U);
    EXPECT_THAT(imported.findings, IsEmpty());
    EXPECT_EQ(pool("min_pool_size = 3").min_size, 0U);
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::note, "min_pool_size")));
    read("a = host=h min_pool_size=3", "pool_mode = transaction\n[users]\napp = pool_mode=session");
    EXPECT_EQ(imported.config.routes.at(0).pool.min_size, 0U);
    EXPECT_EQ(imported.config.routes.at(1).pool.min_size, 3U);
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::note, "min_pool_size")));
}

TEST_F(Import, DatabasesAreRoutesAndTheFallbackComesLast) {
    const auto& config = read(
                             "* = host=h\nb = host=h dbname=real user=u password=p connect_query='select 1' "
                             "timezone=UTC pool_mode=statement\n")
                             .config;
    ASSERT_EQ(config.routes.size(), 2U);
    EXPECT_THAT(config.routes[0].match.databases, ElementsAre("b"));
    EXPECT_EQ(config.routes[0].database, "real");
    EXPECT_EQ(config.routes[0].user, "u");
    EXPECT_EQ(config.routes[0].password, Secret("p"));
    EXPECT_EQ(config.routes[0].connect_query, "select 1");
    EXPECT_THAT(config.routes[0].parameters, ElementsAre(Pair("timezone", "UTC")));
    EXPECT_EQ(config.routes[0].pool.mode, PoolMode::statement);
    EXPECT_THAT(config.routes[1].match.databases, IsEmpty());
    ASSERT_EQ(config.clusters.size(), 1U);
    EXPECT_EQ(config.clusters[0].name, "main");
}

TEST_F(Import, AKeyThatPgBouncerDoesNotKnowIsNamed) {
    read("a = host=h", "[users]\nann = pool_size=2 pool_sise=3");
    EXPECT_THAT(imported.findings,
                Contains(AllOf(finding(Weight::broken, "[users] ann"), Field(&Finding::text, HasSubstr("pool_sise")))));
}

TEST_F(Import, APasswordWithoutAUserIsLeftOutAsInPgBouncer) {
    const auto& config =
        read("a = host=h password=x\nb = host=h password=y user=u", "[users]\nann = pool_size=2").config;
    ASSERT_EQ(config.routes.size(), 3U);
    EXPECT_FALSE(config.routes[0].password || config.routes[1].password);
    EXPECT_EQ(config.routes[2].password, Secret("y"));
    EXPECT_THAT(imported.findings, ElementsAre(AllOf(finding(Weight::note, "password"), Field(&Finding::line, 2))));
}

TEST_F(Import, ServersAndLimitsMakeAClusterEach) {
    const auto& config = read(
                             "a = host=h\nb = host=h\nc = host=h port=5433\nd = host=h max_db_connections=5\n"
                             "e = host=h,i load_balance_hosts=disable\n")
                             .config;
    std::vector<std::string> of_routes;
    for (const auto& route : config.routes) of_routes.push_back(route.cluster);
    EXPECT_THAT(of_routes, ElementsAre("a", "a", "c", "d", "e"));
    EXPECT_EQ(config.clusters.at(2).max_connections, 5U);
    EXPECT_EQ(config.clusters.at(3).servers.size(), 2U);
    EXPECT_THAT(imported.findings, IsEmpty());
}

TEST_F(Import, ALimitForAllDatabasesIsEachOnesOwn) {
    const auto& config = read("a = host=h\nb = host=h", "max_db_connections = 5").config;
    EXPECT_EQ(config.clusters.size(), 2U);
    EXPECT_EQ(config.clusters[1].max_connections, 5U);
}

TEST_F(Import, WithoutAHostTheServerIsBehindTheSocket) {
    EXPECT_EQ(read("a =", "unix_socket_dir = /run/p").config.clusters[0].servers.at(0).host, "/run/p");
}

TEST_F(Import, PoolsKeepTheirNumbers) {
    const auto& pool = this->pool(
        "pool_mode = transaction\ndefault_pool_size = 5\nmin_pool_size = 2\nreserve_pool_size = 3\n"
        "reserve_pool_timeout = 1\nserver_idle_timeout = 0\nmax_prepared_statements = 0");
    EXPECT_EQ(pool.size, 5U);
    EXPECT_EQ(pool.min_size, 2U);
    EXPECT_EQ(pool.reserve_size, 3U);
    EXPECT_EQ(pool.reserve_timeout, std::chrono::seconds(1));
    EXPECT_EQ(pool.idle_timeout, Milliseconds(0));
    EXPECT_EQ(pool.max_prepared_statements, 0U);
}

TEST_F(Import, ZeroMeansWhatItMeansInPgBouncer) {
    EXPECT_EQ(pool("default_pool_size = 0\nmax_client_conn = 300").size, 300U) << "no limit";
    EXPECT_EQ(pool("reserve_pool_size = 3\nreserve_pool_timeout = 0").reserve_size, 0U) << "off";
    EXPECT_EQ(pool("server_lifetime = 0").lifetime, Milliseconds(1)) << "used once";
    EXPECT_EQ(pool("server_check_delay = 0").check_after_idle, Milliseconds(1)) << "always";
    EXPECT_EQ(pool("server_check_query =").check_after_idle, Milliseconds(0)) << "never";
}

TEST_F(Import, UsersWithPoolsOfTheirOwnHaveRoutesOfTheirOwn) {
    const auto& config = read("a = host=h\nb = host=h user=forced",
                              "[users]\nbatch = pool_mode=transaction pool_size=2\n"
                              "forced = pool_size=9\n")
                             .config;
    std::vector<std::string> names;
    for (const auto& route : config.routes) names.push_back(route.name);
    EXPECT_THAT(names, ElementsAre("a/batch", "a/forced", "a", "b"));
    EXPECT_EQ(config.routes[0].pool.mode, PoolMode::transaction);
    EXPECT_EQ(config.routes[0].pool.size, 2U);
    EXPECT_THAT(config.routes[0].match.users, ElementsAre("batch"));
    EXPECT_EQ(config.routes[3].pool.size, 9U) << "the pool's user is the forced one";
}

TEST_F(Import, ServersAreVerifiedAsBefore) {
    for (const auto& [word, mode, has_ca] :
         {std::tuple("disable", ServerTlsMode::disable, false), std::tuple("require", ServerTlsMode::require, false),
          std::tuple("verify-full", ServerTlsMode::verify_full, true)}) {
        const auto& tls = options("server_tls_ca_file = ca\nserver_tls_sslmode = " + std::string(word)).clusters[0].tls;
        EXPECT_EQ(tls.mode, mode);
        EXPECT_EQ(!tls.ca.empty(), has_ca) << word;
    }
    EXPECT_EQ(options("server_tls_sslmode = odd").clusters[0].tls.mode, ServerTlsMode::verify_full);
    EXPECT_TRUE(imported.has(Weight::broken));
}

// --- users and rules -------------------------------------------------------------------------------------------------

TEST_F(Import, AuthTypesAreMethods) {
    for (const auto& [word, method] : {std::pair("plain", AuthMethod::password), std::pair("md5", AuthMethod::md5),
                                       std::pair("scram-sha-256", AuthMethod::scram_sha_256)}) {
        EXPECT_EQ(options(std::string("auth_type = ") + word).auth.rules.at(0).method, method);
        EXPECT_THAT(imported.findings, IsEmpty());
    }
}

TEST_F(Import, MethodsThatAreNotThereLetNobodyIn) {
    for (const char* word : {"pam", "ldap", "odd"}) {
        EXPECT_EQ(options(std::string("auth_type = ") + word).auth.rules.at(0).method, AuthMethod::reject);
        EXPECT_FALSE(imported.findings.empty());
    }
}

TEST_F(Import, TrustIsForTheUsersOfTheFile) {
    users("\"ann\" \"\"\n\"bob\" \"x\"\n");
    EXPECT_THAT(options("auth_type = trust\nauth_file = users.txt").auth.rules.at(0).users, ElementsAre("ann", "bob"));
    EXPECT_EQ(options("auth_type = trust").auth.rules.at(0).method, AuthMethod::reject) << "nobody is known";
}

TEST_F(Import, TrustBesideAuthQueryIsLessSafe) {
    options("auth_type = trust\nauth_user = lookup");
    EXPECT_THAT(imported.findings, Contains(finding(Weight::less_safe, "auth_type")));
}

TEST_F(Import, AnyIsForDatabasesWithAUser) {
    const auto& rules = read("* = host=h user=u\nb = host=h", "auth_type = any").config.auth.rules;
    ASSERT_EQ(rules.size(), 2U);
    EXPECT_EQ(rules[0].method, AuthMethod::reject);
    EXPECT_THAT(rules[0].databases, ElementsAre("b"));
    EXPECT_EQ(rules[1].method, AuthMethod::trust);
    EXPECT_THAT(rules[1].databases, IsEmpty());
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::note, "auth_type")));
    EXPECT_THAT(read("a = host=h user=u", "auth_type = any").config.auth.rules.at(0).databases, ElementsAre("a"));
    EXPECT_THAT(imported.findings, IsEmpty());
    EXPECT_EQ(read("* = host=h", "auth_type = any").config.auth.rules.at(0).method, AuthMethod::reject);
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::note, "auth_type")));
}

TEST_F(Import, WhoeverALineMeantAndDoesNotLetInMeetsNoLaterOne) {
    users("\"app\" \"x\"\n");
    const auto rules_of = [&](const std::string& hba, const std::string& more = "") {
        folder.write("hba", hba + "host all all 0.0.0.0/0 trust\n");
        std::vector<std::string> out;
        for (const auto& rule :
             options("auth_type = hba\nauth_hba_file = hba\nauth_file = users.txt\n" + more).auth.rules) {
            std::string text = rule.method == AuthMethod::reject ? "reject" : "let in";
            if (rule.tls == config::TlsCondition::require) text += " by TLS";
            for (const std::string& user : rule.users) text += ' ' + user;
            out.push_back(text);
        }
        return out;
    };
    const std::string tls =
        "client_tls_sslmode = allow\nclient_tls_ca_file = ca\nclient_tls_cert_file = c\nclient_tls_key_file = k\n";
    EXPECT_THAT(rules_of("host all all 10.0.0.0/8 cert\n", tls),
                ElementsAre("let in by TLS app", "reject", "let in app", "reject"));
    EXPECT_THAT(rules_of("hostnossl all all 10.0.0.0/8 cert\n", tls), ElementsAre("reject", "let in app", "reject"));
    EXPECT_THAT(rules_of("local all all cert\n", tls), ElementsAre("reject", "let in app", "reject"));
    EXPECT_THAT(rules_of("host all monitoring 127.0.0.1/32 trust\n"),
                ElementsAre("reject monitoring", "let in app", "reject"));
    EXPECT_THAT(rules_of("local all app,postgres peer\n"),
                ElementsAre("let in app", "reject app postgres", "let in app", "reject"));
}

TEST_F(Import, AUserCalledStarIsNotEverybody) {
    users("\"*\" \"x\"\n\"app\" \"x\"\n");
    const auto& config = options("auth_type = trust\nauth_file = users.txt\n[users]\n* = pool_mode=statement");
    EXPECT_THAT(config.auth.rules.at(0).users, ElementsAre("app"));
    EXPECT_EQ(config.routes.size(), 1U);
}

TEST_F(Import, UsersOfDifferentDatabasesAreLookedUpApart) {
    const auto& config = read("a = host=h auth_dbname=d1\nb = host=h auth_dbname=d2",
                              "auth_user = q\nauth_query = select u, p from users where u = $1")
                             .config;
    ASSERT_EQ(config.clusters.size(), 2U);
    EXPECT_EQ(config.clusters[1].source.query->database, "d2");
    EXPECT_THAT(read("* = host=h", "auth_user = q\nauth_query = select u, p from users where u = $1").findings,
                Contains(finding(Weight::less_safe, "auth_query")));
}

TEST_F(Import, AQueryForUsersThatNamesNoSchemaIsNotDone) {
    read("a = host=h\nb = host=h auth_query='select u, p from people where u = $1'",
         "auth_user = q\nauth_query = SELECT * FROM lookup($1)");
    EXPECT_THAT(imported.findings, ElementsAre(AllOf(finding(Weight::not_done, "auth_query"), Field(&Finding::line, 8),
                                                     Field(&Finding::text, HasSubstr("public.lookup"))),
                                               AllOf(finding(Weight::not_done, "auth_query"), Field(&Finding::line, 3),
                                                     Field(&Finding::text, HasSubstr("public.people")))));
    EXPECT_THAT(read("a = host=h", "auth_user = q\nauth_query = SELECT * FROM public.lookup($1)").findings, IsEmpty());
    EXPECT_THAT(read("a = host=h", "auth_user = q").findings, IsEmpty());
}

TEST_F(Import, WordsAreReadInAnyCaseAndNumbersAsCDoes) {
    EXPECT_EQ(options("auth_type = SCRAM-SHA-256\npool_mode = Transaction").auth.rules.at(0).method,
              AuthMethod::scram_sha_256);
    EXPECT_EQ(imported.config.routes[0].pool.mode, PoolMode::transaction);
    EXPECT_EQ(pool("default_pool_size = 0x10").size, 16U);
    EXPECT_THAT(imported.findings, IsEmpty());
}

TEST_F(Import, WhatIsOutOfRangeIsBrokenOrTheNearestThatThereIs) {
    for (const char* database : {"a = host=h port=70000", "a = host=h port=0", "pgbouncer = host=h"})
        EXPECT_TRUE(read(database).has(Weight::broken)) << database;
    for (const char* option : {"listen_port = 70000", "unix_socket_dir = /run/x\nunix_socket_mode = rwx",
                               "suspend_timeout = abc", "peer_id = 1\n[peers]\n1 = port=7"}) {
        options(option);
        EXPECT_TRUE(imported.has(Weight::broken)) << option;
    }
    for (const char* option : {"max_client_conn = 0", "max_packet_size = 8192", "tcp_keepcnt = 200",
                               "tcp_keepidle = 100000", "tcp_keepintvl = 40000", "tcp_user_timeout = 100000000",
                               "reserve_pool_size = 1000000", "max_prepared_statements = 10000000"}) {
        options(option);
        EXPECT_FALSE(imported.has(Weight::broken)) << option;
    }
}

TEST_F(Import, CertificatesAreSoughtBesideTheFileThatNamesThem) {
    folder.write("conf/ca", "");
    folder.write("conf/tls.ini", "client_tls_ca_file = ca\nclient_tls_cert_file = ca\nclient_tls_key_file = ca\n");
    users("\"ann\" \"\"\n");
    const auto& config = options(
        "auth_type = cert\nauth_file = users.txt\nclient_tls_sslmode = verify-full\n"
        "%include conf/tls.ini");
    EXPECT_EQ(config.listeners.at(0).tls.client_ca, folder.path("conf/ca"));
}

TEST_F(Import, CertificatesAreAskedForWhereARuleWantsThem) {
    users("\"ann\" \"\"\n");
    const std::string text = "auth_type = cert\nauth_file = users.txt\n";
    const auto& config = options(text +
                                 "client_tls_sslmode = verify-full\nclient_tls_cert_file = c\n"
                                 "client_tls_key_file = k\nclient_tls_ca_file = ca");
    EXPECT_EQ(config.auth.rules.at(0).method, AuthMethod::cert);
    EXPECT_EQ(config.auth.rules[0].tls, config::TlsCondition::require);
    EXPECT_THAT(config.auth.rules[0].users, ElementsAre("ann")) << "PgBouncer lets in nobody whom it does not know";
    EXPECT_THAT(config.listeners[0].tls.client_ca, HasSubstr("/ca"));
    EXPECT_EQ(options(text).auth.rules.at(0).method, AuthMethod::reject);
    EXPECT_TRUE(imported.has(Weight::broken));
}

TEST_F(Import, HbaLinesAreRulesAndReplicationWantsALineOfItsOwn) {
    folder.write("hba", "host all all 10.0.0.0/8 scram-sha-256\n");
    const std::string text = "auth_type = hba\nauth_hba_file = hba";
    EXPECT_EQ(options(text).auth.rules.at(0).method, AuthMethod::scram_sha_256);
    EXPECT_EQ(imported.config.routes[0].replication, config::Replication::reject);
    EXPECT_THAT(imported.findings, IsEmpty());
    folder.write("hba", "host replication all 10.0.0.0/8 md5\nhost all all 10.0.0.0/8 md5\n");
    EXPECT_EQ(options(text).routes[0].replication, config::Replication::allow);
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::less_safe, "auth_hba_file")));
}

TEST_F(Import, UsersAreAskedForWhereAuthUserIs) {
    users("\"lookup\" \"secret\"\n");
    const auto& config = read("a = host=h dbname=real\nb = host=i auth_user=other auth_query='select $1' auth_dbname=c",
                              "auth_file = users.txt\nauth_user = lookup")
                             .config;
    const auto& query = config.clusters.at(0).source.query;
    ASSERT_TRUE(query);
    EXPECT_EQ(query->user, "lookup");
    EXPECT_EQ(query->password, Secret("secret"));
    EXPECT_EQ(query->database, "real");
    EXPECT_THAT(query->sql, HasSubstr("pg_authid"));
    EXPECT_EQ(config.clusters.at(1).source.query->sql, "select $1");
    EXPECT_EQ(config.clusters.at(1).source.query->database, "c");
}

TEST_F(Import, LimitsOfUsersStandBesideTheirPasswordsInTheFile) {
    users("\"ann\" \"x\"\n");
    const auto& config = options(
        "auth_file = users.txt\n[users]\nann = max_user_client_connections=3 max_user_connections=5 query_timeout=2\n"
        "eve = query_timeout=2\n");
    ASSERT_EQ(config.auth.source.users.size(), 1U);
    EXPECT_EQ(config.auth.source.users[0].max_connections, 3U);
    EXPECT_EQ(config.auth.source.users[0].max_server_connections, 5U);
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::not_done, "[users] eve")));
}

TEST_F(Import, UsersWhosePoolsAreAlikeShareARoute) {
    const auto& config = read("a = host=h\nb = host=h user=cid",
                              "[users]\nann = pool_mode=session pool_size=2\nbob = pool_size=5\n"
                              "cid = query_timeout=1 pool_size=2 pool_mode=session\neve = pool_mode=session\n")
                             .config;
    ASSERT_EQ(config.routes.size(), 5U);
    EXPECT_EQ(config.routes[0].name, "a/ann");
    EXPECT_THAT(config.routes[0].match.users, ElementsAre("ann", "cid"));
    EXPECT_EQ(config.routes[0].pool.size, 2U);
    EXPECT_THAT(config.routes[1].match.users, ElementsAre("bob"));
    EXPECT_THAT(config.routes[2].match.users, ElementsAre("eve"));
    EXPECT_THAT(config.routes[3].match.users, IsEmpty());
    EXPECT_EQ(config.routes[4].name, "b");
    EXPECT_EQ(config.routes[4].pool.size, 2U) << "of the user that all its clients become";
}

TEST_F(Import, AnAuthFileThatIsNotThereIsBroken) {
    options("auth_file = none");
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::broken, "auth_file")));
}

TEST_F(Import, PeersKeepTheirNumbersWhereThereIsRoom) {
    const std::string peers = "peer_id = 2\n[peers]\n1 = host=/run/a\n2 = host=b port=7\n";
    const auto& config = options(peers);
    EXPECT_EQ(config.peers.id, 2U);
    EXPECT_EQ(config.peers.members.at(1).endpoint, (config::Endpoint{"b", 7}));
    EXPECT_EQ(config.peers.tls.mode, ServerTlsMode::disable);
    EXPECT_EQ(options("peer_id = 200").peers.id, 0U);
    EXPECT_TRUE(imported.has(Weight::not_done));
}

TEST_F(Import, TheConsoleIsForTheSamePeople) {
    const auto& console = options("admin_users = root, ops\nstats_users = grafana").console;
    EXPECT_THAT(console.users, ElementsAre("root", "ops"));
    EXPECT_THAT(console.stats_users, ElementsAre("grafana"));
    EXPECT_EQ(read("pgsluice = host=h").config.console.database, "pgbouncer") << "or it would hide the database";
}

TEST_F(Import, AFileWithoutDatabasesOrNoFileIsBroken) {
    EXPECT_TRUE(read("").has(Weight::broken));
    EXPECT_TRUE(import_pgbouncer(folder.path("none.ini")).has(Weight::broken));
}

}  // namespace
}  // namespace pgsluice::importer::test
