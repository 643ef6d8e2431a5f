// The ini files and connection strings of PgBouncer's documentation ("config.md").
#include "ini.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unit/config/folder.hpp>

namespace pgsluice::importer::test {
namespace {

using config::test::Folder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::vector<std::string> keys_and_values(const std::vector<Setting>& settings) {
    std::vector<std::string> out;
    for (const Setting& s : settings) out.push_back(s.section + '.' + s.key + '=' + s.value);
    return out;
}

TEST(Ini, SettingsAreReadWithTheirSectionAndLine) {
    const Folder folder;
    Findings findings;
    const auto settings = read_ini(folder.write("a.ini",
                                                "; comment\n[databases]\n  db1 = host=a  \r\n\n# more\n"
                                                "* =\n\"odd \"\"name\"\"\" = port=1\n[pgbouncer]\nx=1;2 # 3\n"),
                                   findings);
    EXPECT_THAT(
        keys_and_values(settings),
        ElementsAre("databases.db1=host=a", "databases.*=", "databases.odd \"name\"=port=1", "pgbouncer.x=1;2 # 3"));
    EXPECT_EQ(settings[0].place.line, 3);
    EXPECT_THAT(findings.take(), IsEmpty());
}

TEST(Ini, TheLastOfEqualKeysHolds) {
    const Folder folder;
    Findings findings;
    const auto settings = read_ini(folder.write("a.ini", "[pgbouncer]\na=1\nb=2\na=3\n[users]\na=4\n"), findings);
    EXPECT_THAT(keys_and_values(settings), ElementsAre("pgbouncer.a=3", "pgbouncer.b=2", "users.a=4"));
    EXPECT_EQ(settings[0].place.line, 4);
}

TEST(Ini, FilesAreBoundedTogetherAndNotOnlyEach) {
    const Folder folder;
    Findings findings;
    folder.write("large.ini", ';' + std::string(16 << 20, '-') + "\nb = 1\n");
    std::string text = "[pgbouncer]\na = 1\n";
    for (int i = 0; i < 5; ++i) text += "%include large.ini\n";
    const auto settings = read_ini(folder.write("a.ini", text), findings);
    const auto found = findings.take();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].weight, Weight::broken);
    EXPECT_EQ(found[0].line, 6);
    EXPECT_THAT(found[0].text, ::testing::HasSubstr("larger than 64 MiB together"));
    EXPECT_THAT(keys_and_values(settings), ElementsAre("pgbouncer.a=1", "pgbouncer.b=1"));
}

TEST(Ini, IncludedFilesAreReadInTheirPlaceAndTheSectionGoesOn) {
    const Folder folder;
    folder.write("conf/more.ini", "a = 1\n[users]\nu = pool_size=1\n");
    Findings findings;
    const auto settings =
        read_ini(folder.write("a.ini", "[pgbouncer]\n%include conf/more.ini\nv = pool_size=2\n"), findings);
    EXPECT_THAT(keys_and_values(settings), ElementsAre("pgbouncer.a=1", "users.u=pool_size=1", "users.v=pool_size=2"));
    EXPECT_EQ(settings[1].place.file, folder.path("conf/more.ini"));
    EXPECT_EQ(settings[1].place.line, 3);
}

TEST(Ini, WhatPgBouncerWouldRefuseIsBrokenWithItsLine) {
    const Folder folder;
    Findings findings;
    read_ini(folder.write("a.ini", "x = 1\n[pgbouncer]\nno value\n[odd]\n[databases\n\"open = 1\n%include none.ini\n"),
             findings);
    std::vector<int> lines;
    for (const Finding& finding : findings.take()) {
        EXPECT_EQ(finding.weight, Weight::broken) << finding.text;
        lines.push_back(finding.line);
    }
    EXPECT_THAT(lines, ElementsAre(1, 3, 4, 5, 6, 7));
}

TEST(Ini, AFileThatIncludesItselfEnds) {
    const Folder folder;
    Findings findings;
    read_ini(folder.write("a.ini", "[pgbouncer]\n%include a.ini\n"), findings);
    EXPECT_EQ(findings.take().size(), 1U);
}

TEST(Pairs, ConnectionStringsMayQuoteTheirValues) {
    EXPECT_THAT(*parse_pairs("host=a port = 5432 password='it''s = $5' x=y'z"),
                ElementsAre(Pair("host", "a"), Pair("port", "5432"), Pair("password", "it's = $5"), Pair("x", "y'z")));
    EXPECT_THAT(*parse_pairs("  "), IsEmpty());
}

TEST(Pairs, WhatIsNoPairIsAnError) {
    for (const char* text : {"host", "=a", "host=", "password='open", "a b=c", "password=''"})
        EXPECT_FALSE(parse_pairs(text)) << text;
}

TEST(Lists, AreCutAtCommas) {
    EXPECT_THAT(split_list(" a, b,,c "), ElementsAre("a", "b", "c"));
    EXPECT_THAT(split_list(""), IsEmpty());
}

}  // namespace
}  // namespace pgsluice::importer::test
