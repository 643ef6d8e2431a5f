#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class Interpolate : public ::testing::Test {
  protected:
    Interpolate() { ::setenv("PGSLUICE_TEST", "from env", 1); }
    ~Interpolate() override {
        ::unsetenv("PGSLUICE_TEST");
        ::unsetenv("CREDENTIALS_DIRECTORY");
    }

    static std::string with(const std::string& message) {
        return base + "policies: [ { name: p, message: " + message + " } ]\n";
    }

    std::string filled(const std::string& value) {
        const Loaded loaded = folder.load(with(value));
        EXPECT_THAT(folder.lines(loaded.problems), IsEmpty());
        return loaded ? loaded.config->policies[0].message : "";
    }

    Folder folder;
};

TEST_F(Interpolate, FillsInEnvironmentFilesAndCredentials) {
    folder.write("secret", "from file\n");
    folder.write("crlf", "from file\r\n");
    folder.write("credentials/db", "from systemd\n\n");
    ::setenv("CREDENTIALS_DIRECTORY", folder.path("credentials").c_str(), 1);
    EXPECT_EQ(filled("\"${env:PGSLUICE_TEST}\""), "from env");
    EXPECT_EQ(filled("'<${env:PGSLUICE_TEST}|${file:secret}>'"), "<from env|from file>");
    EXPECT_EQ(filled("\"${file:crlf}\""), "from file");
    EXPECT_EQ(filled("\"${file:" + folder.path("secret") + "}\""), "from file");
    EXPECT_EQ(filled("\"${credential:db}\""), "from systemd\n");  // one line end only
}

TEST_F(Interpolate, ADollarIsOneUnlessABraceFollows) {
    EXPECT_EQ(filled("\"$$\""), "$");
    EXPECT_EQ(filled("\"$${env:PGSLUICE_TEST}\""), "${env:PGSLUICE_TEST}");
    EXPECT_EQ(filled("\"$$$$\""), "$$");
    EXPECT_EQ(filled("\"$\""), "$");
    EXPECT_EQ(filled("\"costs $5\""), "costs $5");
    EXPECT_EQ(filled("\"$$$1\""), "$$1");
}

TEST_F(Interpolate, WhatIsFilledInIsNotLookedAtAgain) {
    ::setenv("PGSLUICE_TEST", "${env:HOME} $$", 1);
    EXPECT_EQ(filled("\"${env:PGSLUICE_TEST}\""), "${env:HOME} $$");
}

TEST_F(Interpolate, KeysStayAsTheyAre) {
    EXPECT_THAT(folder.problems(base + "\"${env:PGSLUICE_TEST}\": 1\n"),
                ElementsAre(StartsWith("pgsluice.yaml:5:1: ${env:PGSLUICE_TEST}: unknown key")));
}

TEST_F(Interpolate, FilledInTextCanBeANumberInQuotes) {
    ::setenv("PGSLUICE_TEST", "7", 1);
    const Loaded loaded =
        folder.load(base + "workers: \"${env:PGSLUICE_TEST}\"\nshutdown: { delay: \"${env:PGSLUICE_TEST}s\" }\n");
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    EXPECT_EQ(loaded.config->workers, 7u);
    EXPECT_EQ(loaded.config->shutdown.delay, Milliseconds(7000));
}

TEST_F(Interpolate, WhatCannotBeFilledInIsAProblem) {
    folder.write("zero", std::string("a\0b", 3));
    const std::string at = "pgsluice.yaml:5:33: policies[0].message: ";
    const std::pair<const char*, const char*> cases[] = {
        {"\"${env:PGSLUICE_NONE}\"", "the environment variable PGSLUICE_NONE is not set"},
        {"\"${file:none}\"", "cannot read none: No such file or directory"},
        {"\"${file:zero}\"", "zero contains a zero byte; allowed is text"},
        {"\"${credential:db}\"", "${credential:...} needs $CREDENTIALS_DIRECTORY, which systemd sets"},
        {"\"${credential:../x}\"", "a credential's name has no '/'"},
        {"\"${vault:x}\"",
         "\"${vault:x}\" is unknown; allowed are ${env:NAME}, ${file:PATH}, ${credential:NAME} and $$"},
        {"\"${HOME}\"", "\"${HOME}\" is unknown"},
        {"\"${env:}\"", "\"${env:}\" is unknown"},
        {"\"${env:HOME\"", "\"${\" without \"}\""},
    };
    for (const auto& [value, problem] : cases) {
        EXPECT_THAT(folder.problems(with(value)), ElementsAre(StartsWith(at + problem))) << value;
    }
}

TEST_F(Interpolate, AFilledInValueIsInNoMessage) {
    for (const char* key : {"workers: ", "log: { level: ", "timeouts: { query: ", "limits: { inspect_bytes: ",
                            "reload: { watch: ", "admin: { http: "}) {
        const std::string end = std::string(key).find('{') == std::string::npos ? "\n" : " }\n";
        const auto problems = folder.problems(base + key + "\"${env:PGSLUICE_TEST}\"" + end);
        ASSERT_EQ(problems.size(), 1u) << key;
        EXPECT_THAT(problems[0], Not(HasSubstr("from env")));
    }
}

}  // namespace
}  // namespace pgsluice::config::test
