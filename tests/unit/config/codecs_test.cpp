// Wrong types, wrong words, keys that do not exist: what is said, and where.
#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A section behind `base`, and how the one problem begins. Every message is one line with its place.
struct Case {
    const char* section;
    const char* problem;
};

void PrintTo(const Case& c, std::ostream* out) {
    *out << words_of(c.section);
}

class Wrong : public ::testing::TestWithParam<Case> {};

TEST_P(Wrong, IsOneProblemAtItsPlace) {
    const Folder folder;
    const auto problems = folder.problems(base + GetParam().section + '\n');
    ASSERT_THAT(problems, ElementsAre(StartsWith(std::string("pgsluice.yaml:") + GetParam().problem)));
    EXPECT_TRUE(std::regex_match(problems[0], std::regex(R"(pgsluice\.yaml:\d+:\d+: [^\n]+)"))) << problems[0];
}

INSTANTIATE_TEST_SUITE_P(
    Types, Wrong,
    ::testing::Values(
        Case{"workers: two", "5:10: workers: \"two\" must be a whole number; allowed is auto or 1 to 1024"},
        Case{"workers: \"2\"", "5:10: workers: must be a whole number or auto, without quotes"},
        Case{"workers: [2]", "5:10: workers: must be a whole number or auto, not a list"},
        Case{"workers:", "5:1: workers: has no value; leave the key out for its default"},
        Case{"workers: ~", "5:1: workers: has no value"},
        Case{"reload: { watch: yes }",
             "5:18: reload.watch: \"yes\" is not a word of YAML 1.2 for yes or no; allowed is true or false"},
        Case{"reload: { watch: On }", "5:18: reload.watch: \"On\" is not a word of YAML 1.2"},
        Case{"reload: { watch: TRUE }", "5:18: reload.watch: \"TRUE\" is not a word of YAML 1.2"},
        Case{"reload: { watch: \"true\" }", "5:18: reload.watch: must be true or false, without quotes"},
        Case{"reload: { watch: 1 }", "5:18: reload.watch: \"1\" is not true or false; allowed is true or false"},
        Case{"reload: true", "5:9: reload: must be a map of keys and values"},
        Case{"timeouts: { query: 30 }", "5:20: timeouts.query: \"30\" needs a unit; allowed is 0 (off) or 1ms to 365d"},
        Case{"timeouts: { query: \"30s\" }",
             "5:20: timeouts.query: must be a duration such as 500ms, 10s, 5m, 1h or 1d, without quotes"},
        Case{"timeouts: { query: 1min }", "5:20: timeouts.query: \"1min\" has an unknown unit"},
        Case{"timeouts: { query: off }", "5:20: timeouts.query: \"off\" must be a duration"},
        Case{"timeouts: { query: {} }",
             "5:20: timeouts.query: must be a duration such as 500ms, 10s, 5m, 1h or 1d, not a map"},
        Case{"limits: { inspect_bytes: 16KB }",
             "5:26: limits.inspect_bytes: \"16KB\" has an unknown unit; allowed is 16KiB to 1073741822, in bytes"},
        Case{"log: { level: warn }", "5:15: log.level: \"warn\" is unknown; allowed is debug, info, warning or error"},
        Case{"log: { level: [info] }", "5:15: log.level: must be a word: debug, info, warning or error, not a list"},
        Case{"log: { file: true }", "5:14: log.file: must be a text; write \"true\" in quotes"},
        Case{"log: []", "5:6: log: must be a map of keys and values"},
        Case{"policies: { name: p }", "5:11: policies: must be a list, such as [ ... ]"},
        Case{"policies: [ p ]", "5:13: policies[0]: must be a map of keys and values"},
        Case{"policies: [ ~ ]", "5:13: policies[0]: must not be empty"},
        Case{"policies: [ { name: p, when: { users: bob } } ]", "5:39: policies[0].when.users: must be a list"},
        Case{"policies: [ { name: p, when: { users: [\"\"] } } ]",
             "5:40: policies[0].when.users[0]: must not be empty"},
        Case{"policies: [ { name: p, when: { from: [10.0.0.0/33] } } ]",
             "5:39: policies[0].when.from[0]: \"10.0.0.0/33\" is not a network; allowed is ADDRESS, ADDRESS/BITS or "
             "unix"},
        Case{"admin: { http: \"9930\" }", "5:16: admin.http: \"9930\" is not ADDRESS:PORT; allowed is"},
        Case{"admin: { http: \"localhost:9930\" }", "5:16: admin.http: \"localhost:9930\" is not ADDRESS:PORT"},
        Case{"admin: { http: \"::1:9930\" }", "5:16: admin.http: \"::1:9930\" is not ADDRESS:PORT"},
        Case{"admin: { http: \"127.0.0.1:65536\" }", "5:16: admin.http: \"127.0.0.1:65536\" is not ADDRESS:PORT"},
        Case{"admin: { http: \"[127.0.0.1]:80\" }", "5:16: admin.http: \"[127.0.0.1]:80\" is not ADDRESS:PORT"},
        Case{"admin: { http: { address: localhost } }",
             "5:27: admin.http.address: \"localhost\" is not an IP address"}));

INSTANTIATE_TEST_SUITE_P(
    Keys, Wrong,
    ::testing::Values(
        Case{"worker: 2", "5:1: worker: unknown key, did you mean \"workers\"?"},
        Case{"limits: { client_conections: 2 }",
             "5:11: limits.client_conections: unknown key, did you mean \"client_connections\"?"},
        Case{
            "log: { colour: true }",
            "5:8: log.colour: unknown key; allowed is level, format, file, connections, disconnections or pool_errors"},
        Case{"workers: 2\nworkers: 2", "6:1: workers: the key was set before, in line 5; allowed is once"},
        Case{"log: { level: info, level: info }", "5:21: log.level: the key was set before, in line 5"},
        Case{"? [a]\n: b", "5:3: a key must be a word"},
        Case{"policies: [ { action: log } ]", "5:13: policies[0]: needs the key \"name\""},
        Case{"peers: []", "5:8: peers: must be a map"},
        Case{"admin: { http: { tls: { mode: require } } }",
             "5:25: admin.http.tls.mode: unknown key; allowed is certificate or private_key"},
        Case{"policies: [ { name: p, action: slow } ]",
             "5:32: policies[0].action: \"slow\" is unknown; allowed is allow, block, log, rewrite or limit"}));

TEST(Codecs, AdminHttpHasAShortForm) {
    const Folder folder;
    const auto endpoint = [&](const std::string& value) {
        const Loaded loaded = folder.load(base + "admin: { http: " + value + " }\n");
        EXPECT_THAT(folder.lines(loaded.problems), IsEmpty());
        return loaded ? loaded.config->admin_http.address + ' ' + std::to_string(loaded.config->admin_http.port) : "";
    };
    EXPECT_EQ(endpoint("\"127.0.0.1:1\""), "127.0.0.1 1");
    EXPECT_EQ(endpoint("\"[::1]:9930\""), "::1 9930");
    EXPECT_EQ(endpoint("0.0.0.0:0"), "0.0.0.0 0");
    EXPECT_EQ(endpoint("\"\""), " 9930");
    EXPECT_EQ(endpoint("{ address: \"\" }"), " 9930");
    EXPECT_EQ(endpoint("{ port: 5 }"), "127.0.0.1 5");
}

TEST(Codecs, AdminHttpHasATokenAUnixSocketAndTls) {
    const Folder folder;
    folder.write("api", "0123456789abcdef\n");
    folder.write("http.crt", "");
    folder.write("http.key", "");
    const Loaded loaded = folder.load(base +
                                      "admin: { http: { token: \"${file:api}\", unix: run/http.sock, mode: \"0660\", "
                                      "tls: { certificate: http.crt, private_key: http.key } } }\n");
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    const AdminHttp& http = loaded.config->admin_http;
    EXPECT_EQ(http.token, Secret("0123456789abcdef"));
    EXPECT_EQ(http.unix_path, folder.path("run/http.sock"));
    EXPECT_EQ(http.unix_mode, 0660u);
    EXPECT_EQ(http.tls.certificate, folder.path("http.crt"));
    EXPECT_EQ(http.tls.private_key, folder.path("http.key"));
    EXPECT_TRUE(AdminHttp().token.empty());
    EXPECT_EQ(AdminHttp().unix_mode, 0700u);
}

TEST(Codecs, FileModesAreFourOctalDigits) {
    const Folder folder;
    const auto mode = [&](const std::string& value) {
        const Loaded loaded =
            folder.load("listeners: [ { unix: /run, mode: " + value + " } ]\n" + base.substr(base.find("auth")));
        return loaded ? static_cast<int>(loaded.config->listeners[0].unix_mode) : -1;
    };
    EXPECT_EQ(mode("\"0770\""), 0770);
    EXPECT_EQ(mode("0777"), 0777);
    EXPECT_EQ(mode("\"0000\""), 0);
    for (const char* bad : {"770", "0778", "01777", "\"\"", "rwx", "[]"}) EXPECT_EQ(mode(bad), -1) << bad;
}

TEST(Codecs, NamesMayLookLikeAnythingButTrueAndFalse) {
    const Folder folder;
    const Loaded loaded =
        folder.load(base +
                    "policies: [ { name: no, action: log }, { name: 1, action: log }, { name: \"true\", action: log }, "
                    "{ name: 'null', action: log } ]\n");
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    EXPECT_EQ(loaded.config->policies[0].name, "no");
    EXPECT_EQ(loaded.config->policies[1].name, "1");
    EXPECT_EQ(loaded.config->policies[2].name, "true");
    EXPECT_EQ(loaded.config->policies[3].name, "null");
}

TEST(Codecs, APasswordIsInNoMessage) {
    const Folder folder;
    const std::string with = base.substr(0, base.find("auth")) +
                             "auth: { rules: [ { method: scram-sha-256 } ], users: [ { name: app, password: ";
    const std::string rest = " } ] }\n" + base.substr(base.find("clusters"));
    EXPECT_THAT(folder.problems(with + "SCRAM-SHA-256$4096:hunter2" + rest),
                ElementsAre(StartsWith(
                    "pgsluice.yaml:2:79: auth.users[0].password: begins like a SCRAM verifier and is none")));
    for (const char* bad : {"SCRAM-SHA-256$4096:hunter2", "[hunter2]", "{ hunter2: hunter2 }"}) {
        for (const std::string& line : folder.problems(with + bad + rest)) {
            EXPECT_THAT(line, Not(HasSubstr("\"hunter2"))) << line;
            EXPECT_THAT(line, Not(HasSubstr(":hunter2"))) << line;
        }
    }
    const Loaded loaded = folder.load(with + "md5d41d8cd98f00b204e9800998ecf8427e" + rest);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded.config->auth.source.users[0].password.reveal(), "md5d41d8cd98f00b204e9800998ecf8427e");
}

}  // namespace
}  // namespace pgsluice::config::test
