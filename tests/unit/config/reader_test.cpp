// Secret files: who may read and write them.
#include "reader.hpp"

#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string with_secret =
    base.substr(0, base.find("auth")) +
    "auth: { rules: [ { method: md5 } ], users: [ { name: u, password: \"${file:secret}\" } ] }\n" +
    base.substr(base.find("clusters"));

TEST(Reader, WritableSecretsAreRefusedAndReadableOnesAWarning) {
    const Folder folder;
    for (const mode_t good : {0400, 0600, 0440, 0640, 0700, 0750}) {
        folder.write("secret", "s", good);
        const Loaded loaded = folder.load(with_secret);
        ASSERT_TRUE(loaded) << std::oct << good;
        EXPECT_THAT(loaded.warnings, IsEmpty()) << std::oct << good;
        EXPECT_EQ(loaded.config->loose_secret_files, 0u);
    }
    for (const mode_t loose : {0644, 0604, 0444}) {
        folder.write("secret", "s", loose);
        const Loaded loaded = folder.load(with_secret);
        ASSERT_TRUE(loaded) << std::oct << loose;
        EXPECT_THAT(
            folder.lines(loaded.warnings),
            ElementsAre("pgsluice.yaml:2:67: auth.users[0].password: secret holds secrets and can be read by others; "
                        "allowed is mode 0640 or 0600"));
        EXPECT_EQ(loaded.config->loose_secret_files, 1u);
    }
    for (const mode_t open : {0660, 0620, 0602, 0666}) {
        folder.write("secret", "s", open);
        EXPECT_THAT(folder.problems(with_secret),
                    ElementsAre(StartsWith(
                        "pgsluice.yaml:2:67: auth.users[0].password: secret holds secrets and can be written")))
            << std::oct << open;
    }
}

TEST(Reader, EnforceRefusesWhatOthersCanRead) {
    const Folder folder;
    folder.write("secret", "s", 0644);
    const std::string enforced = with_secret + "security: { secret_files: enforce }\n";
    EXPECT_THAT(folder.problems(enforced),
                ElementsAre(StartsWith("pgsluice.yaml:2:67: auth.users[0].password: secret holds")));
    folder.write("secret", "s", 0640);
    EXPECT_THAT(folder.problems(enforced), IsEmpty());
}

TEST(Reader, PrivateKeysUsersFilesAndSpelledOutPasswordsAreSecrets) {
    const Folder folder;
    folder.write("a.crt", "", 0644);
    folder.write("a.key", "", 0644);
    folder.write("userlist.txt", "", 0644);
    const std::string text =
        "listeners: [ { address: 127.0.0.1, tls: { mode: require, certificate: a.crt, private_key: a.key } } ]\n"
        "auth: { rules: [ { method: md5 } ], users_file: userlist.txt, users: [ { name: u, password: plain }, { name: "
        "v, password: plain } ] }\n" +
        base.substr(base.find("clusters"));
    const Loaded loaded = load(folder.write("pgsluice.yaml", text, 0644));
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    EXPECT_THAT(folder.lines(loaded.warnings),
                ElementsAre(StartsWith("pgsluice.yaml:1:91: listeners[0].tls.private_key: a.key holds secrets"),
                            StartsWith("pgsluice.yaml:2:49: auth.users_file: userlist.txt holds secrets"),
                            StartsWith("pgsluice.yaml:2:93: auth.users[0].password: pgsluice.yaml holds secrets")));
    EXPECT_EQ(loaded.config->loose_secret_files, 3u);
}

TEST(Reader, AVerifierMayStandInAReadableFile) {
    const Folder folder;
    const std::string key(43, 'A');
    const std::string text =
        base.substr(0, base.find("auth")) +
        "auth: { rules: [ { method: md5 } ], users: [ { name: u, password: \"SCRAM-SHA-256$4096:AAAA$" + key +
        "=:" + key + "=\" } ] }\n" + base.substr(base.find("clusters"));
    const Loaded loaded = load(folder.write("pgsluice.yaml", text, 0644));
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(Reader, OnlyRegularFilesAreRead) {
    const Folder folder;
    std::filesystem::create_directory(folder.path("secret"));
    EXPECT_THAT(folder.problems(with_secret),
                ElementsAre("pgsluice.yaml:2:67: auth.users[0].password: cannot read secret: not a regular file"));
    std::filesystem::remove(folder.path("secret"));
    ASSERT_EQ(::mkfifo(folder.path("secret").c_str(), 0600), 0);
    EXPECT_THAT(folder.problems(with_secret),
                ElementsAre("pgsluice.yaml:2:67: auth.users[0].password: cannot read secret: not a regular file"));
}

TEST(Reader, SecretsAreOfBoundedSize) {
    const Folder folder;
    folder.write("secret", std::string((1 << 20) + 1, 'x'));
    EXPECT_THAT(
        folder.problems(with_secret),
        ElementsAre("pgsluice.yaml:2:67: auth.users[0].password: cannot read secret: it is longer than 1048576 bytes"));
}

TEST(Reader, PathsAreRelativeToTheFolderOfTheFile) {
    const Reader reader("/etc/pgsluice/pgsluice.yaml");
    EXPECT_EQ(reader.absolute("a.crt"), "/etc/pgsluice/a.crt");
    EXPECT_EQ(reader.absolute("../ssl/a.crt"), "/etc/ssl/a.crt");
    EXPECT_EQ(reader.absolute("/a.crt"), "/a.crt");
    EXPECT_EQ(reader.absolute("/run/"), "/run");
    EXPECT_EQ(reader.absolute("/"), "/");
    EXPECT_EQ(Reader("x.yaml").absolute("a"), (std::filesystem::current_path() / "a").string());
}

}  // namespace
}  // namespace pgsluice::config::test
