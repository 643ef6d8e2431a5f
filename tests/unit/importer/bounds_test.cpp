// What an import raises, writes once, or does not write at all.
#include "import_case.hpp"

#include <algorithm>

namespace pgsluice::importer::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(Import, NamesOfRoutesAndClustersAreUnique) {
    read("others = host=h1\n* = host=h2\n\"a/app\" = host=h1\na = host=h1", "[users]\napp = pool_size=1");
    EXPECT_THAT(imported.findings, IsEmpty());
}

TEST_F(Import, ALimitThatIsTooSmallHereIsSaidToBeRaised) {
    EXPECT_EQ(options("max_packet_size = 100").limits.message_bytes, 16U << 10);
    EXPECT_THAT(imported.findings, ElementsAre(AllOf(finding(Weight::note, "max_packet_size"),
                                                     Field(&Finding::text, HasSubstr("16KiB")))));
    EXPECT_EQ(options("max_packet_size = 16384").limits.message_bytes, 16U << 10);
    EXPECT_THAT(imported.findings, IsEmpty());
}

TEST_F(Import, WhateverIsOutOfRangeHereIsANoteWithWhatItBecomes) {
    for (const auto& [option, becomes] :
         {std::pair("max_client_conn = 0", "becomes 1, the least"),
          std::pair("max_client_conn = 2000000", "becomes 1000000, the most"),
          std::pair("max_user_client_connections = 2000000", "1000000"),
          std::pair("max_db_client_connections = 2000000", "1000000"),
          std::pair("max_user_connections = 2000000", "1000000"), std::pair("max_db_connections = 200000", "100000"),
          std::pair("default_pool_size = 200000", "100000"), std::pair("reserve_pool_size = 200000", "100000"),
          std::pair("max_prepared_statements = 2000000", "1000000"), std::pair("server_lifetime = 99999999999", "365d"),
          std::pair("query_timeout = 99999999", "365d"), std::pair("tcp_keepcnt = 500", "becomes 127, the most"),
          std::pair("tcp_keepidle = 40000", "32767s"),
          std::pair("tcp_user_timeout = 99999999", "becomes 1d, the most")}) {
        const std::string text(option);
        options(text);
        EXPECT_THAT(imported.findings, ElementsAre(AllOf(finding(Weight::note, text.substr(0, text.find(' '))),
                                                         Field(&Finding::text, HasSubstr(becomes)))))
            << text;
    }
    read("a = host=h pool_size=200000 server_lifetime=99999999 max_db_client_connections=2000000");
    EXPECT_THAT(imported.findings, ::testing::UnorderedElementsAre(finding(Weight::note, "pool_size"),
                                                                   finding(Weight::note, "server_lifetime"),
                                                                   finding(Weight::note, "max_db_client_connections")));
    users("\"ann\" \"x\"\n");
    EXPECT_EQ(options("auth_file = users.txt\n[users]\nann = max_user_connections=2000000")
                  .auth.source.users.at(0)
                  .max_server_connections,
              1'000'000U);
    EXPECT_THAT(imported.findings, ElementsAre(finding(Weight::note, "max_user_connections")));
}

TEST_F(Import, ALineOfTheAuthFileThatIsBrokenIsNamedAndEndsItsUsers) {
    users("\"ann\" \"x\"\nbob \"hunter2\"\n\"cid\" \"x\"\n");
    imported =
        import_pgbouncer(folder.write("pgbouncer.ini",
                                      "[databases]\na = host=h\n[pgbouncer]\nlisten_addr = ::1\nunix_socket_dir =\n"
                                      "auth_type = trust\nauth_file = users.txt\n"));
    EXPECT_THAT(imported.findings, ElementsAre(AllOf(finding(Weight::not_done, "auth_file"), Field(&Finding::line, 2),
                                                     Field(&Finding::file, folder.path("users.txt")),
                                                     Field(&Finding::text, HasSubstr("user name in quotes")))));
    EXPECT_THAT(imported.findings.at(0).text, ::testing::Not(HasSubstr("hunter2")));
    EXPECT_THAT(imported.config.auth.rules.at(0).users, ElementsAre("ann"));
}

TEST_F(Import, ASocketOfClientsIsNoWayIntoTheConsoleWithoutAPassword) {
    options("unix_socket_dir = /run/pgsluice/a");
    EXPECT_THAT(imported.findings, ElementsAre(AllOf(finding(Weight::note, "unix_socket_dir"),
                                                     Field(&Finding::text, HasSubstr("/run/pgsluice/console")))));
}

TEST_F(Import, WhatIsLeftOutIsSaidOfTheMainFile) {
    folder.write("db.ini", "[databases]\na = host=h\n");
    imported =
        import_pgbouncer(folder.write("pgbouncer.ini", "%include db.ini\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"));
    ASSERT_EQ(imported.findings.size(), 2U) << "about the default of unix_socket_dir";
    for (const Finding& found : imported.findings) EXPECT_EQ(found.file, folder.path("pgbouncer.ini"));
}

TEST_F(Import, AHostThatIsListedTwiceIsWrittenOnce) {
    const auto& config = read("a = host=h,i,h,h load_balance_hosts=disable\nb = host=j,j").config;
    EXPECT_THAT(config.clusters.at(0).servers, ElementsAre(config::Endpoint{"h", 5432}, config::Endpoint{"i", 5432}));
    EXPECT_THAT(config.clusters.at(1).servers, ElementsAre(config::Endpoint{"j", 5432}));
    EXPECT_THAT(
        imported.findings,
        ElementsAre(AllOf(finding(Weight::note, "host"), Field(&Finding::text, HasSubstr("h more than once"))),
                    AllOf(finding(Weight::note, "host"), Field(&Finding::text, HasSubstr("j more than once")))));
}

TEST_F(Import, AnAddressThatIsListedTwiceIsOneListener) {
    std::vector<std::string> where;
    for (const auto& listener : options("listen_addr = 127.0.0.1, ::1, localhost, 0::1, *, 0.0.0.0").listeners)
        where.push_back(listener.address);
    EXPECT_THAT(where, ElementsAre("127.0.0.1", "::1", "0.0.0.0", "::"));
    EXPECT_THAT(imported.findings, IsEmpty());
    EXPECT_EQ(options("listen_addr = localhost").listeners.size(), 1U);
    EXPECT_THAT(imported.findings,
                ElementsAre(AllOf(finding(Weight::note, "listen_addr"), Field(&Finding::text, HasSubstr("::1 too")))));
}

TEST_F(Import, UsersOfOnePoolTimesDatabasesAreBoundedByTheirNames) {
    std::string databases, users = "[users]\n";
    for (int i = 0; i < 400; ++i) {
        databases += "d" + std::to_string(i) + " = host=h\n";
        users += "u" + std::to_string(i) + " = pool_size=5\n";
    }
    read(databases, users);
    EXPECT_THAT(imported.findings,
                Contains(AllOf(finding(Weight::broken, "[databases] and [users]"),
                               Field(&Finding::text, HasSubstr("800 routes that name users 160000 times")))));
    EXPECT_EQ(imported.config.routes.size(), 400U);
    EXPECT_LT(yaml(imported, "pgbouncer.ini").size(), 1U << 20);
}

TEST_F(Import, NamesThatManyRulesAskForAreWrittenOnce) {
    std::string names, hba;
    for (int i = 0; i < 1000; ++i) names += "\"user" + std::to_string(i) + "\" \"x\"\n";
    for (int i = 0; i < 50; ++i) hba += "host all all 10.0." + std::to_string(i) + ".0/24 trust\n";
    users(names);
    folder.write("hba", hba);
    const auto& rules = options("auth_type = hba\nauth_hba_file = hba\nauth_file = users.txt").auth.rules;
    ASSERT_EQ(rules.size(), 100U) << "each lets them in, and nobody else";
    const std::string text = yaml(imported, "pgbouncer.ini");
    EXPECT_LT(text.size(), 32U << 10);
    const auto loaded = folder.load(text);
    ASSERT_TRUE(loaded) << ::testing::PrintToString(folder.lines(loaded.problems));
    ASSERT_EQ(loaded.config->auth.rules.size(), rules.size());
    for (std::size_t i = 0; i < rules.size(); ++i) {
        EXPECT_EQ(loaded.config->auth.rules[i].users, rules[i].users);
        EXPECT_EQ(loaded.config->auth.rules[i].users.size(), i % 2 == 0 ? 1000U : 0U);
        EXPECT_EQ(loaded.config->auth.rules[i].method,
                  i % 2 == 0 ? config::AuthMethod::trust : config::AuthMethod::reject);
    }
}

TEST_F(Import, RulesForAllThatWouldNameMoreThanFitLetNobodyIn) {
    std::string names, hba;
    for (int i = 0; i < 1000; ++i) names += "\"user" + std::to_string(i) + "\" \"x\"\n";
    for (int i = 0; i < 101; ++i) hba += "host all all 10.0." + std::to_string(i) + ".0/24 trust\n";
    users(names);
    folder.write("hba", hba + "host all user1 10.1.0.0/24 trust\nhost all all 10.2.0.0/24 md5\n");
    const auto& rules = options("auth_type = hba\nauth_hba_file = hba\nauth_file = users.txt").auth.rules;
    EXPECT_THAT(imported.findings, Contains(AllOf(finding(Weight::broken, "auth_hba_file"),
                                                  Field(&Finding::text, HasSubstr("101 rules")))));
    ASSERT_EQ(rules.size(), 104U);
    for (std::size_t i = 0; i < 101; ++i) EXPECT_EQ(rules[i].method, config::AuthMethod::reject);
    EXPECT_THAT(rules[101].users, ElementsAre("user1")) << "others are as they were";
}

TEST_F(Import, WhatWouldMakeMoreThanAnybodyCanUseIsBroken) {
    std::string databases, users = "[users]\n";
    for (int i = 0; i < 200; ++i) {
        databases += "d" + std::to_string(i) + " = host=h\n";
        users += "u" + std::to_string(i) + " = pool_size=" + std::to_string(i + 1) + "\n";
    }
    EXPECT_TRUE(read(databases, users).has(Weight::broken));
    EXPECT_EQ(imported.config.routes.size(), 200U);
    EXPECT_THAT(imported.findings, Contains(Field(&Finding::text, HasSubstr("At most 5000 routes"))));
    folder.write("bomb.ini", "[pgbouncer]\n%include bomb.ini\n%include bomb.ini\n%include bomb.ini\n");
    const auto findings = import_pgbouncer(folder.path("bomb.ini")).findings;
    EXPECT_EQ(std::count_if(findings.begin(), findings.end(), [](const auto& f) { return f.weight == Weight::broken; }),
              2)
        << "the first include that fails, and that there is no database";
}

}  // namespace
}  // namespace pgsluice::importer::test
