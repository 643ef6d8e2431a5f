// One file that the configuration names for two purposes.
#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Files : public ::testing::Test {
  protected:
    Files() {
        for (const char* name : {"a.pem", "users.txt", "a.log"}) folder.write(name, "");
    }
    std::vector<std::string> problems(const std::string& sections) const { return folder.problems(base + sections); }

    const Folder folder;
};

TEST_F(Files, of_their_own_are_no_problem) {
    EXPECT_THAT(problems("log: { file: a.log }\naudit: { file: audit.log }\n"), IsEmpty());
}

TEST_F(Files, of_the_log_and_of_the_audit_log_are_two) {
    const char* wanted =
        "pgsluice.yaml:6:16: audit.file: a.log is the file of log.file too; each wants a file of its own";
    EXPECT_THAT(problems("log: { file: a.log }\naudit: { file: a.log }\n"), ElementsAre(wanted));
    EXPECT_THAT(problems("log: { file: a.log }\naudit: { file: ./x/../a.log }\n"), ElementsAre(wanted));
    EXPECT_THAT(problems("log: { file: new.log }\naudit: { file: new.log }\n"),
                ElementsAre("pgsluice.yaml:6:16: audit.file: new.log is the file of log.file too; each wants a file of "
                            "its own"))
        << "one that is still to be made";
}

TEST_F(Files, are_the_same_by_any_name) {
    std::filesystem::create_symlink(folder.path("a.log"), folder.path("link.log"));
    std::filesystem::create_hard_link(folder.path("a.log"), folder.path("hard.log"));
    for (const std::string name : {"link.log", "hard.log"})
        EXPECT_THAT(problems("log: { file: a.log }\naudit: { file: " + name + " }\n"),
                    ElementsAre("pgsluice.yaml:6:16: audit.file: " + name +
                                " is the file of log.file too; each wants a file of its own"));
}

TEST_F(Files, that_are_read_are_not_written) {
    EXPECT_THAT(
        problems("log: { file: pgsluice.yaml }\n"),
        ElementsAre("pgsluice.yaml:5:14: log.file: pgsluice.yaml is a file of the configuration too; each wants "
                    "a file of its own"));
    folder.write("more.yaml", "audit: { file: more.yaml }\n");
    EXPECT_THAT(problems("include: [more.yaml]\n"),
                ElementsAre("more.yaml:1:16: audit.file: more.yaml is a file of the configuration too; each wants a "
                            "file of its own"));
    EXPECT_THAT(problems("admin: { http: { address: \"::1\", tls: { certificate: a.pem, private_key: a.pem } } }\n"
                         "audit: { file: a.pem }\n"),
                ElementsAre("pgsluice.yaml:6:16: audit.file: a.pem is the file of admin.http.tls.certificate too; each "
                            "wants a file of its own"))
        << "a certificate and its key may share one";
}

TEST_F(Files, of_users_hold_nothing_else) {
    std::string text = base;
    text.replace(text.find("users: [ { name: ann, password: secret } ]"), 42, "users_file: users.txt");
    EXPECT_THAT(folder.problems(text + "log: { file: users.txt }\n"),
                ElementsAre("pgsluice.yaml:5:14: log.file: users.txt is the file of auth.users_file too; each wants a "
                            "file of its own"));
}

TEST_F(Files, are_the_same_by_one_name_where_nobody_can_look) {
    const std::string name(256, 'x');
    EXPECT_THAT(problems("log: { file: " + name + " }\naudit: { file: " + name + " }\n"),
                ::testing::Contains("pgsluice.yaml:6:16: audit.file: " + name +
                                    " is the file of log.file too; each wants a file of its own"));
    EXPECT_THAT(problems("log: { file: " + name + " }\naudit: { file: " + name + "y }\n"), IsEmpty());
}

TEST_F(Files, that_are_devices_may_be_shared) {
    EXPECT_THAT(problems("log: { file: /dev/null }\naudit: { file: /dev/null }\n"), IsEmpty());
}

}  // namespace
}  // namespace pgsluice::config::test
