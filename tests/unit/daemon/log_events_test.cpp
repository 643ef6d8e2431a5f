// Every event that the code logs stands, with its levels, in the table of docs/operations.md, and the table lists no
// other.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace pgsluice::daemon {
namespace {

namespace fs = std::filesystem;
const fs::path root = PGSLUICE_SOURCE_DIR;

std::string content(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

using Events = std::map<std::string, std::set<std::string>>;  // event -> levels

void gather(Events& events, const std::string& text, const std::regex& call, std::size_t level, std::size_t event) {
    for (std::sregex_iterator match(text.begin(), text.end(), call), end; match != end; ++match)
        events[(*match)[event]].insert((*match)[level]);
}

// log::info("event", …), log::write(log::Level::info, "event", …) and {log::Level::info, "event", …}.
Events logged() {
    const std::regex front(R"(log::(debug|info|warning|error)\(\s*"([^"]*)\")");
    const std::regex record(R"(Level::(debug|info|warning|error),\s*"([^"]*)\")");
    Events events;
    for (const auto& entry : fs::recursive_directory_iterator(root / "src")) {
        if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
        const std::string text = content(entry.path());
        gather(events, text, front, 1, 2);
        gather(events, text, record, 1, 2);
    }
    return events;
}

Events documented() {
    const std::string text = content(root / "docs/operations.md");
    const auto table = text.find("| event | level |");
    Events events;
    if (table == std::string::npos) return events;
    const std::regex row(R"(\| `(\w+)` \| (\w+)(?: or (\w+))? \|)");
    const std::string rows = text.substr(table);
    gather(events, rows, row, 2, 1);
    gather(events, rows, row, 3, 1);
    for (auto& [event, levels] : events) levels.erase("");
    return events;
}

TEST(LogEvents, StandInTheDocumentation) {
    const Events table = documented();
    ASSERT_FALSE(table.empty());
    const Events used = logged();
    EXPECT_TRUE(used.contains("log_suppressed")) << "the search finds nothing";
    for (const auto& [event, levels] : used) {
        EXPECT_TRUE(std::regex_match(event, std::regex("[a-z][a-z0-9_]*"))) << event;
        const auto row = table.find(event);
        if (row == table.end()) {
            ADD_FAILURE() << "not in docs/operations.md: " << event;
            continue;
        }
        EXPECT_EQ(row->second, levels) << event;
    }
}

TEST(LogEvents, AreLoggedWhereTheDocumentationListsThem) {
    const Events used = logged();
    for (const auto& [event, levels] : documented()) EXPECT_TRUE(used.contains(event)) << "never logged: " << event;
}

}  // namespace
}  // namespace pgsluice::daemon
