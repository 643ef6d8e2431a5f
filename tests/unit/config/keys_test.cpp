// Every key of the loader stands in config/pgsluice.yaml and docs/configuration.md with its default and its time of
// change.
#include "folder.hpp"
#include "include.hpp"
#include "reader.hpp"

#include <pgsluice/config/keys.hpp>
#include <pgsluice/config/print.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace pgsluice::config::test {
namespace {

using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::IsEmpty;

const std::filesystem::path source = PGSLUICE_SOURCE_DIR;

std::string text_of(const std::filesystem::path& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

// "#key: value" is a setting that is commented out, "# words" is a comment.
std::string with_every_setting(const std::string& text) {
    return std::regex_replace(text, std::regex("(^|\n)( *)#(- )?([a-z_]+:)"), "$1$2$3$4");
}

void write_what_the_examples_name(const Folder& folder) {
    for (const char* name : {"userlist.txt", "server.crt", "server.key", "ca.crt", "client.crt", "client.key",
                             "auth_password", "app_password"}) {
        folder.write(name, "");
    }
    folder.write("userlist.txt", "\"app\" \"secret\"\n");
    folder.write("api_token", "0123456789abcdef\n");
}

// "listeners[].port" for the node listeners[0].port, with the line where it stands.
void collect(const Node& node, const std::string& path, std::map<std::string, int>& out) {
    out.emplace(path, node.key_place.line);
    for (const Node& item : node.items) {
        if (node.is(Node::Kind::list)) {
            collect(item, path + "[]", out);
        } else {
            const std::string key = path == "clusters" ? "NAME" : item.key;
            collect(item, path.empty() ? key : path + '.' + key, out);
        }
    }
}

TEST(Keys, TheExampleShowsEveryKeyWithDefaultAndTimeOfChange) {
    const Folder folder;
    write_what_the_examples_name(folder);
    const std::string text = with_every_setting(text_of(source / "config/pgsluice.yaml"));
    Reader reader(folder.write("pgsluice.yaml", text));
    const auto lines = lines_of(text);
    const auto document = read_with_includes(reader);
    ASSERT_TRUE(document);
    std::map<std::string, int> present;
    collect(document->root, "", present);
    present["include"] = 1 + static_cast<int>(std::find_if(lines.begin(), lines.end(),
                                                           [](auto& line) { return line.starts_with("include:"); }) -
                                              lines.begin());
    for (const KeyInfo& key : known_keys()) {
        ASSERT_TRUE(present.contains(key.path)) << key.path;
        const std::string& line = lines[static_cast<std::size_t>(present[key.path]) - 1];
        EXPECT_THAT(line, ::testing::HasSubstr('[' + key.default_value + "; " + to_string(key.changes) + ']'))
            << key.path;
    }
}

TEST(Keys, TheExampleLoadsAsItStandsAndWithEverySettingOn) {
    const Folder folder;
    const std::string text = text_of(source / "config/pgsluice.yaml");
    const Loaded loaded = folder.load(text);
    EXPECT_THAT(folder.lines(loaded.problems), IsEmpty());
    EXPECT_THAT(folder.lines(loaded.warnings), IsEmpty());
    write_what_the_examples_name(folder);
    EXPECT_THAT(folder.lines(folder.load(with_every_setting(text)).problems), IsEmpty());
}

TEST(Keys, EveryExampleLoads) {
    const Folder folder;
    write_what_the_examples_name(folder);
    for (const char* name : {"CERTIFICATE", "PRIVATE_KEY", "CA"}) {
        ::setenv((std::string("PGSLUICE_") + name).c_str(), folder.path("server.crt").c_str(), 1);
    }
    for (const char* name : {"PORT", "HTTP_PORT", "PASSWORD"}) {
        ::setenv((std::string("PGSLUICE_") + name).c_str(), "5432", 1);
    }
    ::setenv("PGSLUICE_SERVER_PORT", "5433", 1);
    for (const auto& file : std::filesystem::directory_iterator(source / "config")) {
        if (file.path().extension() != ".yaml") continue;
        const Loaded loaded = folder.load(text_of(file.path()));
        EXPECT_THAT(folder.lines(loaded.problems), IsEmpty()) << file.path();
        EXPECT_THAT(folder.lines(loaded.warnings), IsEmpty()) << file.path();
    }
}

TEST(Keys, TheDocumentationHasARowForEveryKey) {
    const auto lines = lines_of(text_of(source / "docs/configuration.md"));
    for (const KeyInfo& key : known_keys()) {
        const std::string row =
            "| `" + key.path + "` | " + key.type + " | `" + key.default_value + "` | " + to_string(key.changes) + " | ";
        EXPECT_THAT(lines, Contains(::testing::StartsWith(row)));
    }
}

TEST(Keys, TheDocumentationHasNoOtherKey) {
    std::set<std::string> known;
    for (const KeyInfo& key : known_keys()) known.insert(key.path);
    const std::regex row("\\| `([^`]+)` \\| [^|]+ \\| `[^`]*` \\| (live|new connections|restart) \\| .*");
    for (const std::string& line : lines_of(text_of(source / "docs/configuration.md"))) {
        std::smatch match;
        if (!std::regex_match(line, match, row)) continue;
        EXPECT_TRUE(known.contains(match[1])) << line;
    }
}

// A snippet is a whole configuration where it begins with "listeners:"; others are sections.
TEST(Keys, TheDocumentationsExamplesAreTakenByTheLoader) {
    const Folder folder;
    write_what_the_examples_name(folder);
    const std::string text = text_of(source / "docs/configuration.md");
    const std::regex snippet("```yaml\n([^`]*)```");
    int seen = 0;
    for (std::sregex_iterator at(text.begin(), text.end(), snippet), end; at != end; ++at, ++seen) {
        const std::string yaml = (*at)[1];
        const Loaded loaded = folder.load(yaml.starts_with("listeners:") ? yaml : base + yaml);
        EXPECT_THAT(folder.lines(loaded.problems), IsEmpty()) << yaml;
    }
    EXPECT_GT(seen, 0);
}

}  // namespace
}  // namespace pgsluice::config::test
