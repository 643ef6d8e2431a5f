#include "parse.hpp"

#include "folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::config::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

struct Parse : ::testing::Test {
    std::optional<Node> parse(const std::string& text) { return parse_yaml(text, "f.yaml", reader); }
    std::vector<std::string> problems() { return Folder().lines(reader.problems()); }

    Reader reader{"/f.yaml"};
};

TEST_F(Parse, KeepsPlacesPathsAndQuotes) {
    const auto root = parse("a: 1\nb:\n  - { c: 'x' }\n  - y\n");
    ASSERT_TRUE(root);
    const Node& item = root->find("b")->items[0].items[0];
    EXPECT_EQ(item.path, "b[0].c");
    EXPECT_EQ(item.place.line, 3);
    EXPECT_EQ(item.place.column, 10);
    EXPECT_EQ(item.key_place.column, 7);
    EXPECT_TRUE(item.quoted);
    EXPECT_FALSE(root->find("a")->quoted);
    EXPECT_EQ(root->find("b")->items[1].text, "y");
    EXPECT_EQ(root->find("z"), nullptr);
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(Parse, AnEmptyDocumentIsAnEmptyMap) {
    for (const char* text : {"", "\n", "# comment\n", "---\n", "~\n"}) {
        const auto root = parse(text);
        ASSERT_TRUE(root) << text;
        EXPECT_TRUE(root->is(Node::Kind::map));
        EXPECT_THAT(root->items, IsEmpty());
    }
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(Parse, BadYamlIsAProblemWithItsPlace) {
    EXPECT_FALSE(parse("a: [1\n"));
    EXPECT_FALSE(parse("a: 1\n b: 2\n"));
    EXPECT_FALSE(parse("a: *nowhere\n"));
    EXPECT_FALSE(parse("\ttab: 1\n"));
    EXPECT_FALSE(parse("- a\n"));
    EXPECT_FALSE(parse("just words\n"));
    EXPECT_FALSE(parse("a: 1\n---\nb: 2\n"));
    EXPECT_FALSE(parse(std::string("a: \0\n", 5)));
    EXPECT_THAT(problems(),
                ElementsAre(StartsWith("f.yaml:2:1: not valid YAML: "), StartsWith("f.yaml:2:3: not valid YAML: "),
                            StartsWith("f.yaml:1:4: not valid YAML: "), StartsWith("f.yaml:1:5: not valid YAML: "),
                            StartsWith("f.yaml:1:1: the file must consist of keys and values"),
                            StartsWith("f.yaml:1:1: the file must consist of keys and values"),
                            StartsWith("f.yaml:2:1: does not belong to the document before it"),
                            StartsWith("f.yaml:1:1: not a YAML text: it contains a zero byte")));
}

// yaml-cpp finds documents without end in it.
TEST_F(Parse, ACommaIsNotAConfiguration) {
    EXPECT_FALSE(parse(", a: 1\n"));
    EXPECT_FALSE(parse("a: 1\n...\n, b\n"));
    EXPECT_FALSE(parse("'a' b\n"));
    EXPECT_THAT(problems(), ElementsAre(StartsWith("f.yaml:1:1: does not belong to the document before it"),
                                        StartsWith("f.yaml:3:1: does not belong to the document before it"),
                                        StartsWith("f.yaml:1:5: does not belong to the document before it")));
}

TEST_F(Parse, ADuplicateKeyIsNamedInFull) {
    const auto root = parse("a:\n  - x: {}\n  - b: { c: 1, c: 2 }\n");
    ASSERT_TRUE(root);
    EXPECT_THAT(problems(), ElementsAre("f.yaml:3:16: a[1].b.c: the key was set before, in line 3; allowed is once"));
}

TEST_F(Parse, AnchorsWorkButNotWithoutEnd) {
    const auto root = parse("a: &x { b: 1 }\nc: *x\n");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->find("c")->items[0].text, "1");
    EXPECT_EQ(root->find("c")->items[0].path, "c.b");

    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        const std::string before = "*a" + std::to_string(i - 1), name = 'a' + std::to_string(i);
        bomb += name + ": &" + name + " [" + before;
        for (int j = 0; j < 9; ++j) bomb += ", " + before;
        bomb += "]\n";
    }
    EXPECT_FALSE(parse(bomb));
    EXPECT_FALSE(parse("a: &a [ *a ]\n"));
    EXPECT_FALSE(parse("a: " + std::string(100000, '[')));
    for (const std::string& problem : problems()) EXPECT_THAT(problem, HasSubstr("not valid YAML: "));
    EXPECT_EQ(problems().size(), 3u);
}

}  // namespace
}  // namespace pgsluice::config::test
