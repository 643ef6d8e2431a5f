#include "users_file.hpp"

#include "folder.hpp"

#include <pgsluice/config/users_file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct UsersFile : ::testing::Test {
    // "name=password" for each user.
    std::vector<std::string> users(std::string_view text) {
        std::vector<std::string> out;
        for (const User& user : parse_users_file(text, "userlist.txt", "auth.users_file", reader)) {
            EXPECT_TRUE(user.from_file);
            out.push_back(user.name + '=' + std::string(user.password.reveal()));
        }
        return out;
    }
    std::vector<std::string> problems() { return Folder().lines(reader.problems()); }

    Reader reader{"/pgsluice.yaml"};
};

TEST_F(UsersFile, IsWhatPgBouncerReads) {
    EXPECT_THAT(users("\"alice\" \"secret\"\n"
                      "; a comment\n"
                      "  # another one\n"
                      "\n"
                      " \t\"bob\"\"s\" \"a \"\"quoted\"\" word\" the rest is ignored \"x\"\r\n"
                      "\"empty\" \"\"\n"
                      "\"md5\" ; \"md5d41d8cd98f00b204e9800998ecf8427e\"\n"
                      "\"last\" \"no line end\""),
                ElementsAre("alice=secret", "bob\"s=a \"quoted\" word",
                            "empty=", "md5=md5d41d8cd98f00b204e9800998ecf8427e", "last=no line end"));
}

TEST_F(UsersFile, ApartFromAConfigurationEndsAboveTheFirstBrokenLine) {
    const Folder folder;
    folder.write("users", "\"ann\" \"x\"\n\nbob \"x\"\n\"cid\" \"x\"\n\"dan\"\n");
    const auto found = read_users_file(folder.path("users"));
    ASSERT_TRUE(found.problem);
    EXPECT_EQ(found.problem->line, 3);
    ASSERT_EQ(found.users.size(), 1U);
    EXPECT_EQ(found.users[0].name, "ann");
    folder.write("users", "bob\n");
    EXPECT_TRUE(read_users_file(folder.path("users")).users.empty());
    folder.write("users", "\"ann\" \"x\"");
    EXPECT_FALSE(read_users_file(folder.path("users")).problem);
    EXPECT_EQ(read_users_file(folder.path("none")).problem.value().line, 0);
}

TEST_F(UsersFile, SaysWhichLineIsBroken) {
    EXPECT_THAT(users("alice \"secret\"\n"
                      "\"bob\"\n"
                      "\"carol\" \"open\n"
                      "  \"\" \"x\"\n"
                      "\"dave\" \"good\"\n"),
                ElementsAre("dave=good"));
    const std::string allowed = "; allowed is \"name\" \"password\", with a quote inside written twice";
    EXPECT_THAT(
        problems(),
        ElementsAre("userlist.txt:1:1: auth.users_file: the line does not begin with a user name in quotes" + allowed,
                    "userlist.txt:2:6: auth.users_file: the line has no password in quotes" + allowed,
                    "userlist.txt:3:9: auth.users_file: the line has no password in quotes" + allowed,
                    "userlist.txt:4:5: auth.users_file: the user name is empty" + allowed));
}

TEST_F(UsersFile, AnEmptyFileHasNoUsers) {
    EXPECT_THAT(users(""), IsEmpty());
    EXPECT_THAT(users("\n\n;\n"), IsEmpty());
    EXPECT_THAT(problems(), IsEmpty());
}

TEST(UsersFileMerge, WhatStandsInTheConfigurationComesFirst) {
    const Folder folder;
    folder.write("userlist.txt", "\"both\" \"file\"\n\"limited\" \"file\"\n\"new\" \"first\"\n\"new\" \"second\"\n");
    const Loaded loaded = folder.load(
        "listeners: [ { address: 127.0.0.1 } ]\n"
        "auth:\n"
        "  rules: [ { method: md5 } ]\n"
        "  users: [ { name: both, password: inline }, { name: limited, max_connections: 3 } ]\n"
        "  users_file: userlist.txt\n"
        "clusters: { main: { servers: [ { host: /run } ], users_file: userlist.txt } }\n"
        "routes: [ { name: all } ]\n");
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    std::vector<std::string> seen;
    for (const User& user : loaded.config->auth.source.users) {
        seen.push_back(user.name + '=' + std::string(user.password.reveal()) + (user.from_file ? " file" : ""));
    }
    EXPECT_THAT(seen, ElementsAre("both=inline", "limited=file", "new=first file"));
    EXPECT_EQ(loaded.config->auth.source.users[1].max_connections, 3u);
    EXPECT_EQ(loaded.config->clusters[0].source.users.size(), 3u);
    EXPECT_EQ(loaded.config->auth.source.users_file, folder.path("userlist.txt"));
    EXPECT_THAT(loaded.config->files, ElementsAre(folder.path(), folder.path("userlist.txt")));
}

TEST(UsersFileMerge, AMissingFileIsAProblemAtItsKey) {
    const Folder folder;
    EXPECT_THAT(folder.problems("listeners: [ { address: 127.0.0.1 } ]\n"
                                "auth: { rules: [ { method: md5 } ], users_file: none.txt }\n" +
                                base.substr(base.find("clusters"))),
                ElementsAre("pgsluice.yaml:2:49: auth.users_file: cannot read none.txt: No such file or directory"));
}

}  // namespace
}  // namespace pgsluice::config::test
