// Every metric follows the naming rules and stands, with its type and labels, in the table of docs/operations.md; the
// table lists nothing else.
#include "unit/metrics/scrape.hpp"

#include <pgsluice/metrics/registry.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>

namespace pgsluice::metrics {
namespace {

using testing::Scrape;

// A registry in which every family has a sample.
Scrape full_scrape() {
    Registry registry({.version = "test"});
    WorkerSets& worker = registry.add_worker(WorkerIndex{0});
    worker.route("r");
    worker.server({"main", "s:1"});
    worker.rule({"rule", "block", "enforce"});
    worker.user({"d", "u"});
    worker.pool({"r", "s:1", "d", "u"}).size_limit.add();
    worker.worker().errors.count(ErrorOrigin::server, "42601");
    registry.set_certificates({{"listener", "0.0.0.0:5432", "server.crt", 1}});
    return Scrape(registry.exposition(TimePoint()));
}

struct Documented {
    std::string type;
    std::set<std::string> labels;
    std::string meaning;
};

std::map<std::string, Documented> documented() {
    std::map<std::string, Documented> table;
    std::ifstream file(PGSLUICE_SOURCE_DIR "/docs/operations.md");
    const std::regex row(R"(\| `((?:pgsluice|process)_\w+)` \| (\w+) \| ([^|]*)\| ([^|]+) \|)");
    const std::regex name(R"(`(\w+)`)");
    for (std::string line; std::getline(file, line);) {
        std::smatch cells;
        if (!std::regex_match(line, cells, row)) continue;
        Documented& entry = table[cells[1]];
        EXPECT_TRUE(entry.type.empty()) << "documented twice: " << cells[1];
        entry.type = cells[2];
        entry.meaning = cells[4];
        const std::string labels = cells[3];
        for (std::sregex_iterator label(labels.begin(), labels.end(), name), end; label != end; ++label)
            entry.labels.insert((*label)[1]);
    }
    return table;
}

TEST(MetricNames, FollowTheRules) {
    const Scrape seen = full_scrape();
    EXPECT_EQ(seen.problems, std::vector<std::string>{});
    const std::regex allowed("(pgsluice|process)_[a-z][a-z0-9_]*");
    const std::regex unit_not_base("milli|micro|minutes|hours|kilo|_kb|_mb|percent|_ms(_|$)");
    for (const auto& [name, family] : seen.families) {
        EXPECT_TRUE(std::regex_match(name, allowed)) << name;
        EXPECT_FALSE(std::regex_search(name, unit_not_base)) << name;
        EXPECT_FALSE(family.help.empty()) << name;
        EXPECT_FALSE(family.samples.empty()) << name;
        const bool ends_in_total = std::regex_search(name, std::regex("_total$"));
        EXPECT_EQ(ends_in_total, family.type == "counter") << name;
        if (family.type == "histogram") {
            EXPECT_TRUE(std::regex_search(name, std::regex("_seconds$"))) << name;
        }
    }
}

TEST(MetricNames, StandInTheDocumentation) {
    const Scrape seen = full_scrape();
    const auto table = documented();
    for (const auto& [name, family] : seen.families) {
        const auto entry = table.find(name);
        if (entry == table.end()) {
            ADD_FAILURE() << "not in docs/operations.md: " << name;
            continue;
        }
        EXPECT_EQ(entry->second.type, family.type) << name;
        EXPECT_EQ(entry->second.labels, family.labels) << name;
    }
    for (const auto& [name, entry] : table)
        EXPECT_EQ(seen.families.count(name), 1u) << "documented, not exported: " << name;
}

// The values of the closed labels stand in the documentation too, so that a reader may search for what an alert shows.
TEST(MetricNames, LabelValuesStandInTheDocumentation) {
    std::ifstream file(PGSLUICE_SOURCE_DIR "/docs/operations.md");
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto expect_all = [&](const auto& names) {
        for (const std::string_view name : names)
            EXPECT_NE(text.find("`" + std::string(name) + "`"), std::string::npos) << name;
    };
    expect_all(names_of(ClientState{}));
    expect_all(names_of(ServerState{}));
    expect_all(names_of(QueryKind{}));
    expect_all(names_of(Direction{}));
    expect_all(names_of(LoginFailure{}));
    expect_all(names_of(Disconnect{}));
    expect_all(names_of(TimeLimit{}));
    expect_all(names_of(ServerClose{}));
    expect_all(names_of(ConnectFailure{}));
    expect_all(names_of(CancelOutcome{}));
}

}  // namespace
}  // namespace pgsluice::metrics
