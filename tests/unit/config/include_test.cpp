#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Include, AppendsListsAndMergesMapsInTheOrderOfNames) {
    const Folder folder;
    folder.write("conf.d/20.yaml", "policies: [ { name: third, action: log } ]\nlog: { format: json }\n");
    folder.write("conf.d/10.yaml",
                 "policies: [ { name: second, action: log } ]\nclusters: { other: { servers: [ { host: /x } ] } }\n");
    folder.write("conf.d/00.txt", "nonsense");
    const Loaded loaded = folder.load("include: [ conf.d/*.yaml ]\n" + base +
                                      "policies: [ { name: first, action: log } ]\nlog: { level: debug }\n");
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    std::vector<std::string> names;
    for (const Policy& policy : loaded.config->policies) names.push_back(policy.name);
    EXPECT_THAT(names, ElementsAre("first", "second", "third"));
    EXPECT_EQ(loaded.config->clusters.size(), 2u);
    EXPECT_EQ(loaded.config->log.level, LogLevel::debug);
    EXPECT_EQ(loaded.config->log.format, LogFormat::json);
    EXPECT_THAT(loaded.config->files,
                ElementsAre(folder.path(), folder.path("conf.d/10.yaml"), folder.path("conf.d/20.yaml")));
}

TEST(Include, ProblemsNameTheirFileAndThePlaceInTheWhole) {
    const Folder folder;
    folder.write("more.yaml", "\npolicies: [ { name: b, action: stop } ]\n");
    EXPECT_THAT(
        folder.problems("include: [ more.yaml ]\n" + base + "policies: [ { name: a, action: log } ]\nworker: 1\n"),
        ElementsAre(StartsWith("pgsluice.yaml:7:1: worker: unknown key"),
                    StartsWith("more.yaml:2:32: policies[1].action: \"stop\" is unknown")));
}

TEST(Include, AValueIsSetOnce) {
    const Folder folder;
    folder.write("more.yaml", "log: { level: info }\nroutes: {}\n");
    EXPECT_THAT(folder.problems("include: [ more.yaml ]\n" + base + "log: { level: debug }\n"),
                ElementsAre("more.yaml:1:8: log.level: the key was set before, in pgsluice.yaml:6; allowed is once",
                            "more.yaml:2:1: routes: the key was set before, in pgsluice.yaml:5; allowed is once"));
}

TEST(Include, APatternMayMatchNothingButANameMustExist) {
    const Folder folder;
    EXPECT_THAT(folder.problems("include: [ none/*.yaml ]\n" + base), IsEmpty());
    EXPECT_THAT(folder.problems("include: [ none.yaml ]\n" + base),
                ElementsAre("pgsluice.yaml:1:12: include[0]: cannot read none.yaml: No such file or directory"));
}

TEST(Include, what_cannot_even_be_looked_for_is_a_problem_like_any_other) {
    const Folder folder;
    folder.write("conf.d/a.yaml", "");
    std::filesystem::create_symlink("loop.yaml", folder.path("conf.d/loop.yaml"));
    const std::string why = ": Too many levels of symbolic links";
    EXPECT_THAT(folder.problems("include: [ conf.d/loop.yaml ]\n" + base),
                ElementsAre("pgsluice.yaml:1:12: include[0]: cannot read conf.d/loop.yaml" + why));
    EXPECT_THAT(folder.problems("include: [ conf.d/*.yaml ]\n" + base),
                ElementsAre("pgsluice.yaml:1:12: include[0]: cannot read conf.d/loop.yaml" + why));
    const std::string name(256, 'x');
    EXPECT_THAT(folder.problems("include: [ " + name + " ]\n" + base),
                ElementsAre("pgsluice.yaml:1:12: include[0]: cannot read " + name + ": File name too long"));
    EXPECT_THAT(folder.lines(config::load(folder.path("conf.d/loop.yaml")).problems),
                ElementsAre("conf.d/loop.yaml:1:1: cannot read conf.d/loop.yaml" + why));
}

// What seems to be missing may stand in the file that could not be read.
TEST(Include, ABrokenFileIsTheOnlyComplaint) {
    const Folder folder;
    folder.write("more.yaml", "routes: [\n");
    const std::string without_routes = base.substr(0, base.find("routes"));
    EXPECT_THAT(folder.problems("include: [ more.yaml ]\n" + without_routes),
                ElementsAre(StartsWith("more.yaml:2:1: not valid YAML: ")));
}

TEST(Include, NestsButNeverInACircle) {
    const Folder folder;
    folder.write("a.yaml", "include: [ b.yaml ]\n");
    folder.write("b.yaml", "include: [ a.yaml, ./pgsluice.yaml ]\n");
    EXPECT_THAT(
        folder.problems("include: [ a.yaml ]\n" + base),
        ElementsAre(
            "b.yaml:1:12: include[0]: a.yaml is included already; allowed is once, and not from itself",
            "b.yaml:1:20: include[1]: pgsluice.yaml is included already; allowed is once, and not from itself"));
    EXPECT_THAT(folder.problems("include: [ pgsluice.yaml ]\n" + base), ElementsAre(HasSubstr("is included already")));
}

TEST(Include, DepthIsBounded) {
    const Folder folder;
    const auto chain = [&](int files) {
        for (int i = 1; i < files; ++i) {
            folder.write(std::to_string(i) + ".yaml", "include: [ " + std::to_string(i + 1) + ".yaml ]\n");
        }
        folder.write(std::to_string(files) + ".yaml", "log: { level: debug }\n");
        return folder.load("include: [ 1.yaml ]\n" + base);
    };
    EXPECT_TRUE(chain(8));
    EXPECT_THAT(folder.lines(chain(9).problems),
                ElementsAre("8.yaml:1:12: include[0]: includes nest deeper than 8 files"));
}

TEST(Include, MustBeAListOfNames) {
    const Folder folder;
    EXPECT_THAT(folder.problems("include: a.yaml\n" + base),
                ElementsAre(StartsWith("pgsluice.yaml:1:10: include: must be a list of file names or patterns")));
    EXPECT_THAT(folder.problems("include: [ [ a ], \"\" ]\n" + base),
                ElementsAre(StartsWith("pgsluice.yaml:1:12: include[0]: must be a file name"),
                            StartsWith("pgsluice.yaml:1:19: include[1]: must be a file name")));
}

TEST(Include, PathsAreRelativeToTheMainFile) {
    const Folder folder;
    folder.write("secret", "s");
    folder.write("conf.d/a.yaml", "auth: { users: [ { name: u, password: \"${file:secret}\" } ] }\n");
    const Loaded loaded = folder.load("include: [ conf.d/a.yaml ]\n" + base);
    ASSERT_TRUE(loaded) << testing::PrintToString(folder.lines(loaded.problems));
    EXPECT_EQ(loaded.config->auth.source.users.back().password.reveal(), "s");
}

}  // namespace
}  // namespace pgsluice::config::test
