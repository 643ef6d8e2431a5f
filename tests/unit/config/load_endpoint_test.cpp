// Where the endpoint is, in files that hold mistakes elsewhere.
#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Endpoints : public ::testing::Test {
  protected:
    LoadedEndpoint load(const std::string& text) const { return load_endpoint(folder.write("pgsluice.yaml", text)); }
    std::uint16_t port(const std::string& text) const {
        const LoadedEndpoint loaded = load(text);
        EXPECT_THAT(folder.lines(loaded.problems), IsEmpty());
        return loaded.admin_http ? loaded.admin_http->port : 0;
    }
    std::vector<std::string> problems(const std::string& text) const {
        const LoadedEndpoint loaded = load(text);
        EXPECT_EQ(loaded.admin_http.has_value(), loaded.problems.empty());
        return folder.lines(loaded.problems);
    }

    const Folder folder;
};

TEST_F(Endpoints, are_where_the_whole_configuration_has_them) {
    const std::string sections = base + "admin: { http: { address: \"::1\", port: 9931, unix: /run/h } }\n";
    const AdminHttp whole = folder.load(sections).config.value().admin_http;
    const AdminHttp found = load(sections).admin_http.value();
    EXPECT_EQ(found.address, whole.address);
    EXPECT_EQ(found.port, whole.port);
    EXPECT_EQ(found.unix_path, whole.unix_path);
    EXPECT_EQ(port(base), 9930) << "the default";
    EXPECT_EQ(port("include: [more.yaml, http.yaml]\n"), 9930) << "in files that are missing";
    folder.write("http.yaml", "admin: { http: 127.0.0.1:9932 }\n");
    EXPECT_EQ(port("include: [more.yaml, http.yaml]\n"), 9932);
}

TEST_F(Endpoints, are_found_beside_any_mistake) {
    const std::string http = "admin: { http: { port: 9931 } }\n";
    folder.write("broken.yaml", "routes: [\n");
    for (const std::string mistake :
         {"lisseners: []\n", "routes: 5\n", "workers: many\n", "log: { file: \"${env:PGSLUICE_NOT_SET}\" }\n",
          "include: [none.yaml]\n", "include: [broken.yaml]\n", "auth: { users_file: none.txt }\n",
          "workers: 1\nworkers: 2\n"}) {
        EXPECT_EQ(port(http + mistake), 9931) << mistake;
        EXPECT_FALSE(folder.load(http + mistake));
    }
    for (const std::string inside :
         {"admin: { http: { port: 9931, token: short } }", "admin: { http: { port: 9931, token: \"${file:none}\" } }",
          "admin: { http: { port: 9931 }, console: { user: [] } }", "admin: { http: { port: 9931, mode: 9 } }"})
        EXPECT_EQ(port(inside), 9931) << inside;
}

// As with a bracket that is not closed, or a line that is not where it should be.
TEST_F(Endpoints, are_found_in_a_file_that_is_no_yaml) {
    for (const std::string mistake :
         {"routes: [\n", "log: { level: info\n", "workers: \"2\n", "auth:\n  a: 1\n b: 2\n"}) {
        for (const std::string http :
             {"admin: { http: { port: 9931 } }\n", "admin:\n  # where\n\n  http:\n    port: 9931\n",
              "admin: {\n  http: { port: 9931 }\n}\n"}) {
            EXPECT_EQ(port(mistake + http + "metrics: { max_series: 5 }\n"), 9931) << mistake << http;
            EXPECT_EQ(port("include: [ none.yaml ]\n" + http + mistake), 9931) << http << mistake;
        }
        EXPECT_EQ(port("metrics: { max_series: 5 }\n" + mistake), 9930) << "without the section";
        EXPECT_EQ(port("admin: { console: { database: c } }\n" + mistake), 9930) << "without the keys";
    }
    for (const std::string others : {"", "admin: { console: {} }\n"})
        EXPECT_THAT(problems("include: [ http.yaml ]\n" + others + "routes: [\n"),
                    ElementsAre(::testing::HasSubstr("not valid YAML")))
            << "in a file that is not known";
    EXPECT_THAT(problems("routes: [\nadministrators: 5\nadmin: { http: { port: many } }\n"),
                ElementsAre(StartsWith("pgsluice.yaml:3:24: admin.http.port: ")));
}

// The process may have loaded what is gone by now.
TEST_F(Endpoints, with_a_certificate_that_cannot_be_read_are_asked_by_tls_all_the_same) {
    const LoadedEndpoint loaded = load("admin: { http: { tls: { certificate: none.crt, private_key: none.key } } }\n");
    EXPECT_THAT(folder.lines(loaded.problems), IsEmpty());
    EXPECT_TRUE(loaded.admin_http.value().tls.is_on());
}

TEST_F(Endpoints, that_the_files_do_not_tell_are_a_problem) {
    EXPECT_THAT(problems("admin: { http: { port: many } }\nworkers: many\n"),
                ElementsAre(StartsWith("pgsluice.yaml:1:24: admin.http.port: ")));
    EXPECT_THAT(problems("admin: { http: { prot: 9931 } }\n"),
                ElementsAre(StartsWith("pgsluice.yaml:1:18: admin.http.prot: unknown key")));
    EXPECT_THAT(problems("admin: { http: { address: \"${env:PGSLUICE_NOT_SET}\" } }\n"),
                ElementsAre(StartsWith("pgsluice.yaml:1:27: admin.http.address: ")));
    EXPECT_THAT(problems("admin: 5\n"), ElementsAre(StartsWith("pgsluice.yaml:1:8: admin: ")));
    EXPECT_THAT(problems("admin: [\n"), ElementsAre(StartsWith("pgsluice.yaml:2:1: not valid YAML: ")));
    EXPECT_THAT(problems("routes: [\nadmin: { http: { port: 1 }\n"), ElementsAre(StartsWith("pgsluice.yaml:3:1: not")));
    EXPECT_THAT(folder.lines(load_endpoint(folder.path("none.yaml")).problems),
                ElementsAre("none.yaml:1:1: cannot read none.yaml: No such file or directory"));
}

TEST_F(Endpoints, keep_no_token) {
    EXPECT_TRUE(load("admin: { http: { token: 0123456789abcdef } }\n").admin_http.value().token.empty());
}

}  // namespace
}  // namespace pgsluice::config::test
