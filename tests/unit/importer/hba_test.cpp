// pg_hba.conf as PgBouncer's documentation ("HBA file format") has it.
#include "hba.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unit/config/folder.hpp>

namespace pgsluice::importer::test {
namespace {

using config::AuthMethod;
using config::AuthRule;
using config::TlsCondition;
using config::test::Folder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class HbaFile : public testing::Test {
  protected:
    Hba read(const std::string& text, const IdentMaps& maps = {}) {
        Hba hba = read_hba(folder.write("hba.conf", text), maps, users, findings);
        found = findings.take();
        return hba;
    }
    // The only rule of a line.
    AuthRule rule(const std::string& line) {
        const Hba hba = read(line);
        EXPECT_EQ(hba.rules.size(), 1U) << line;
        return hba.rules.empty() ? AuthRule() : hba.rules[0];
    }

    Folder folder;
    HbaUsers users{.names = {"ann", "bob"}, .are_all = true, .databases = {"bob", "shop"}, .has_any_database = false};
    Findings findings;
    std::vector<Finding> found;
};

std::vector<std::string> texts(const std::vector<Network>& networks) {
    std::vector<std::string> out;
    for (const Network& network : networks) out.push_back(network.to_string());
    return out;
}

TEST_F(HbaFile, TypesSayWhereFromAndWhetherByTls) {
    EXPECT_THAT(texts(rule("local all all trust").from), ElementsAre("unix"));
    EXPECT_EQ(rule("host all all 10.0.0.0/8 md5").tls, TlsCondition::any);
    EXPECT_EQ(rule("hostssl all all 10.0.0.0/8 md5").tls, TlsCondition::require);
    EXPECT_EQ(rule("hostnossl all all 10.0.0.0/8 md5").tls, TlsCondition::refuse);
}

TEST_F(HbaFile, AddressesAreBlocksOrHaveAMask) {
    EXPECT_THAT(texts(rule("host all all 10.1.0.0/16 md5").from), ElementsAre("10.1.0.0/16"));
    EXPECT_THAT(texts(rule("host all all 10.1.0.0 255.255.0.0 md5").from), ElementsAre("10.1.0.0/16"));
    EXPECT_THAT(texts(rule("host all all ::1/128 md5").from), ElementsAre("::1/128"));
    EXPECT_THAT(texts(rule("host all all fe80:: ffff:: md5").from), ElementsAre("fe80::/16"));
    EXPECT_THAT(texts(rule("host all all all md5").from), ElementsAre("0.0.0.0/0", "::/0"));
}

TEST_F(HbaFile, NamesAreListsMayBeQuotedAndMayComeFromAFile) {
    folder.write("names", "carol # comment\ndan, \"all\"\n");
    const AuthRule got = rule("host a,b, \"all\"  @names 10.0.0.0/8 scram-sha-256 # comment");
    EXPECT_THAT(got.databases, ElementsAre("a", "b", "all"));
    EXPECT_THAT(got.users, ElementsAre("carol", "dan", "all"));
    EXPECT_EQ(got.method, AuthMethod::scram_sha_256);
}

TEST_F(HbaFile, AllIsEverything) {
    const AuthRule got = rule("host all,x all 10.0.0.0/8 reject");
    EXPECT_THAT(got.databases, IsEmpty());
    EXPECT_THAT(got.users, IsEmpty());
    EXPECT_EQ(got.method, AuthMethod::reject);
}

TEST_F(HbaFile, SameuserIsARuleForEachUser) {
    const Hba hba = read("host sameuser all 10.0.0.0/8 md5\n");
    ASSERT_EQ(hba.rules.size(), 2U);
    EXPECT_THAT(hba.rules[0].users, ElementsAre("ann"));
    EXPECT_THAT(hba.rules[1].databases, ElementsAre("bob"));
    EXPECT_THAT(rule("host sameuser eve 10.0.0.0/8 md5").databases, ElementsAre("eve"));
}

TEST_F(HbaFile, SameuserWithoutUsersIsSaidNotToBeDone) {
    users.names.clear();
    EXPECT_THAT(read("host sameuser all 10.0.0.0/8 md5\n").rules, IsEmpty());
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].weight, Weight::not_done);
}

TEST_F(HbaFile, SameuserMeansWhomAuthQueryFindsWhereADatabaseHasHisName) {
    users.are_all = false;
    const Hba hba = read("host sameuser all 10.0.0.0/8 md5\n");
    ASSERT_EQ(hba.rules.size(), 3U);
    EXPECT_THAT(hba.rules[2].users, ElementsAre("shop"));
    EXPECT_THAT(hba.rules[2].databases, ElementsAre("shop"));
    EXPECT_THAT(found, IsEmpty());
}

TEST_F(HbaFile, SameuserOfDatabasesThatNobodyListsIsSaidNotToBeDone) {
    users.are_all = false;
    users.has_any_database = true;
    read("host sameuser all 10.0.0.0/8 md5\n");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].weight, Weight::not_done);
    read("host sameuser ann 10.0.0.0/8 md5\n");
    EXPECT_THAT(found, IsEmpty()) << "who is named is known";
}

TEST_F(HbaFile, LinesThatPgBouncerSkipsAreLeftOutWithTheirNumber) {
    for (const char* line :
         {"host all +group 10.0.0.0/8 md5", "host samerole all 10.0.0.0/8 md5", "host all all samehost md5",
          "host all all db.example md5", "host all all 10.0.0.0/8 gss", "host all all 10.0.0.0/8 md5 clientcert=1",
          "hosts all all 10.0.0.0/8 md5", "host all all 10.0.0.0 255.0.255.0 md5", "host all all 10.0.0.0/33 md5",
          "host all all", "host all \"open 10.0.0.0/8 md5", "host all all 10.0.0.9/8 trust",
          "host all all fe80::1/64 md5", "host all @none 10.0.0.0/8 md5", "local all all"}) {
        EXPECT_THAT(read(std::string("# comment\n\n") + line + '\n').rules, IsEmpty()) << line;
        ASSERT_EQ(found.size(), 1U) << line;
        EXPECT_EQ(found[0].line, 3);
        EXPECT_EQ(found[0].weight, Weight::note);
    }
}

TEST_F(HbaFile, FilesOfNamesThatNameOthersManyTimesAreGivenUp) {
    folder.write("f7", "");
    for (int i = 6; i > 0; --i) {
        std::string text;
        for (int line = 0; line < 60; ++line) text += "@f" + std::to_string(i + 1) + '\n';
        folder.write("f" + std::to_string(i), text);
    }
    const Hba hba = read("local all ann trust\nlocal all @f1 md5\nlocal all bob trust\n");
    EXPECT_EQ(hba.rules.size(), 1U);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].line, 2);
    EXPECT_EQ(found[0].weight, Weight::broken);
}

TEST_F(HbaFile, NamesAreBoundedOverAllLines) {
    std::string names, text;
    for (int i = 0; i < 50'000; ++i) names += "user" + std::to_string(i) + ',';
    folder.write("names", names + "last\n");
    for (int line = 0; line < 1000; ++line) text += "local all @names md5\n";
    EXPECT_LT(read(text).rules.size(), 25U);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].weight, Weight::broken);
}

TEST_F(HbaFile, SameuserTakesNoMoreThanItsNames) {
    std::string names;
    for (int i = 0; i < 20'000; ++i) names += "user" + std::to_string(i) + ',';
    folder.write("names", names + "last\n");
    const Hba hba = read("local sameuser @names md5\n");
    ASSERT_EQ(hba.rules.size(), 20'000U);
    EXPECT_LT(hba.rules.back().users.capacity(), 10U);
}

TEST_F(HbaFile, MethodsThatAreNotThereReject) {
    for (const char* method : {"ldap ldapserver=x", "pam"}) {
        EXPECT_EQ(rule(std::string("host all all 10.0.0.0/8 ") + method).method, AuthMethod::reject);
        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(found[0].weight, Weight::not_done);
    }
}

TEST_F(HbaFile, ReplicationIsNoDatabase) {
    const Hba hba = read("host replication ann 10.0.0.0/8 md5\n");
    EXPECT_TRUE(hba.names_replication);
    EXPECT_THAT(hba.rules, IsEmpty());
}

TEST_F(HbaFile, MapsComeFromTheIdentFile) {
    const auto maps = read_ident(folder.write("ident", "# map system user\nm root ann\nm www bob\n"), findings);
    const Hba hba = read("local all all peer map=m\n", maps);
    ASSERT_EQ(hba.rules.size(), 1U);
    EXPECT_THAT(hba.rules[0].map, ElementsAre(Pair("root", "ann"), Pair("www", "bob")));
}

TEST_F(HbaFile, SomebodyWhoMayBeSeveralUsersGetsARuleForEach) {
    const auto maps = read_ident(folder.write("ident", "m root ann\nm root bob\nm www bob\n"), findings);
    const Hba hba = read("local all ann,bob peer map=m\n", maps);
    ASSERT_EQ(hba.rules.size(), 3U);
    EXPECT_THAT(hba.rules[0].users, ElementsAre("ann"));
    EXPECT_THAT(hba.rules[0].map, ElementsAre(Pair("root", "ann")));
    EXPECT_THAT(hba.rules[1].map, ElementsAre(Pair("root", "bob"), Pair("www", "bob")));
    EXPECT_EQ(hba.rules[2].method, AuthMethod::reject) << "whom the line means and the map does not";
    EXPECT_THAT(hba.rules[2].users, ElementsAre("ann", "bob"));
}

TEST_F(HbaFile, AllInAMapIsEveryUser) {
    const auto maps = read_ident(folder.write("ident", "m root all\n"), findings);
    const Hba hba = read("local all all peer map=m\n", maps);
    ASSERT_EQ(hba.rules.size(), 3U);
    EXPECT_THAT(hba.rules[1].users, ElementsAre("bob"));
    EXPECT_THAT(hba.rules[1].map, ElementsAre(Pair("root", "bob")));
    EXPECT_EQ(hba.rules[2].method, AuthMethod::reject);
}

TEST_F(HbaFile, AllInAMapIsNobodyWhomAuthQueryFinds) {
    users.are_all = false;
    const auto maps = read_ident(folder.write("ident", "m root all\n"), findings);
    EXPECT_EQ(read("local all all peer map=m\n", maps).rules.size(), 3U);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].weight, Weight::not_done);
}

TEST_F(HbaFile, MapsAreBoundedOverAllLines) {
    std::string ident, text;
    for (int i = 0; i < 200; ++i) ident += "m root" + std::to_string(i) + " all\n";
    for (int i = 0; i < 1000; ++i) users.names.push_back("user" + std::to_string(i));
    for (int line = 0; line < 1000; ++line) text += "local all nobody peer map=m\n";
    const auto maps = read_ident(folder.write("ident", ident), findings);
    EXPECT_LT(read(text, maps).rules.size(), 10U);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].weight, Weight::broken);
}

TEST_F(HbaFile, AStarIsANameThereAndIsNotMadeEverything) {
    for (const char* line : {"host * * 10.0.0.0/8 trust", "host all \"*\" 10.0.0.0/8 trust"}) {
        EXPECT_THAT(read(std::string(line) + '\n').rules, IsEmpty()) << line;
        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(found[0].weight, Weight::not_done);
    }
    EXPECT_THAT(rule("host all ann,* 10.0.0.0/8 md5").users, ElementsAre("ann"));
}

TEST_F(HbaFile, PeerOverTcpRefuses) {
    EXPECT_EQ(rule("host all all 10.0.0.0/8 peer").method, AuthMethod::reject);
}

TEST_F(HbaFile, FilesOfNamesAreReadAsPgBouncerReadsThem) {
    folder.write("first", "ann bob\n\"all\", carol # comment\n");
    EXPECT_THAT(rule("host all @first 10.0.0.0/8 md5").users, ElementsAre("ann", "all", "carol"));
    folder.write("keyword", "all\n");
    EXPECT_THAT(rule("host all @keyword 10.0.0.0/8 reject").users, IsEmpty());
    folder.write("blank", "ann\n\nbob\n");
    EXPECT_THAT(read("host all @blank 10.0.0.0/8 trust\n").rules, IsEmpty()) << "an empty line breaks the rule";
    folder.write("itself", "@itself\n");
    EXPECT_THAT(read("host all @itself 10.0.0.0/8 trust\n").rules, IsEmpty());
}

TEST_F(HbaFile, AMapThatIsNotThereRejects) {
    EXPECT_EQ(rule("local all all peer map=none").method, AuthMethod::reject);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].weight, Weight::broken);
}

TEST_F(HbaFile, AFileThatIsNotThereIsBroken) {
    EXPECT_THAT(read_hba(folder.path("none"), {}, users, findings).rules, IsEmpty());
    EXPECT_EQ(findings.take().at(0).weight, Weight::broken);
}

}  // namespace
}  // namespace pgsluice::importer::test
