// What the layer that compiles policies finds wrong, told as every other problem is.
#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PlacedFindings : public ::testing::Test {
  protected:
    std::vector<std::string> problems(const std::string& text, std::vector<PolicyFinding> findings) const {
        const auto judge = [&](const std::vector<Policy>&) { return findings; };
        return folder.lines(load(folder.write("pgsluice.yaml", text), judge).problems);
    }
    const Folder folder;
};

const std::string policies = base +
                             "policies:\n"
                             "  - { name: a, when: { pattern: \"(\" } }\n"
                             "  - name: b\n"
                             "    when:\n"
                             "      statements:\n"
                             "        - delete\n"
                             "        - delet\n";

TEST_F(PlacedFindings, stand_at_the_value_that_they_are_about) {
    EXPECT_THAT(problems(policies, {{0, "when.pattern", "missing )"}, {1, "when.statements[1]", "no kind"}}),
                ElementsAre("pgsluice.yaml:6:33: policies[0].when.pattern: missing )",
                            "pgsluice.yaml:11:11: policies[1].when.statements[1]: no kind"));
}

TEST_F(PlacedFindings, are_in_order_with_the_problems_of_other_sections) {
    EXPECT_THAT(
        problems("limits: { clients: many }\n" + policies + "workers: few\n", {{0, "when.pattern", "missing )"}}),
        ElementsAre(HasSubstr(":1:"), HasSubstr(":7:33: policies[0].when.pattern"), HasSubstr(":13:")));
}

TEST_F(PlacedFindings, about_what_is_left_out_stand_at_what_it_would_stand_in) {
    EXPECT_THAT(problems(policies, {{1, "rewrite.replacement", "no such group"}}),
                ElementsAre("pgsluice.yaml:7:5: policies[1]: no such group"));
}

TEST_F(PlacedFindings, in_an_included_file_have_its_name) {
    folder.write("more.yaml", "policies:\n- { name: a, when: { pattern: \"(\" } }\n");
    EXPECT_THAT(problems(base + "include: [more.yaml]\n", {{0, "when.pattern", "missing )"}}),
                ElementsAre("more.yaml:2:31: policies[0].when.pattern: missing )"));
}

TEST_F(PlacedFindings, are_silent_where_the_value_has_a_problem_already) {
    EXPECT_THAT(problems(base + "policies: [ { name: a, sqlstate: \"00000\" } ]\n", {{0, "sqlstate", "no error"}}),
                ElementsAre(HasSubstr("is not an error code")));
}

TEST_F(PlacedFindings, do_not_quote_what_was_filled_in) {
    folder.write("secret", "s3cret(");
    EXPECT_THAT(
        problems(base + "policies: [ { name: a, when: { pattern: \"${file:" + folder.path("secret") + "}\" } } ]\n",
                 {{0, "when.pattern", "missing ): s3cret("}}),
        ElementsAre(HasSubstr("the value filled in is not one that is allowed here")));
}

}  // namespace
}  // namespace pgsluice::config::test
