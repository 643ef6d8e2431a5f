// Clients that tag every query and check every row; tests/stress/README.md tells what is done to them meanwhile. Prints
// one line of JSON, and ends with 1 where anything was wrong.
#include "client.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <list>
#include <thread>

namespace {

using namespace pgsluice;

void print(const stress::Report& report) {
    std::printf(
        "{\"queries\": %llu, \"rows\": %llu, \"connections\": %llu, \"cancels\": %llu, \"departures\": %llu, "
        "\"errors\": {",
        static_cast<unsigned long long>(report.queries), static_cast<unsigned long long>(report.rows),
        static_cast<unsigned long long>(report.connections), static_cast<unsigned long long>(report.cancels),
        static_cast<unsigned long long>(report.departures));
    const char* separator = "";
    for (const auto& [sqlstate, count] : report.errors) {
        std::printf("%s\"%s\": %llu", separator, sqlstate.c_str(), static_cast<unsigned long long>(count));
        separator = ", ";
    }
    std::printf("}, \"wrong\": %zu}\n", report.wrong.size());
    for (const std::string& problem : report.wrong) std::fprintf(stderr, "%s\n", problem.c_str());
}

}  // namespace

int main(int count, char** words) {
    stress::Settings settings;
    std::uint64_t clients = 16, seed = 1;
    std::int64_t queries = 100000;
    CLI::App app("Clients that tag every query and check every row.");
    app.add_option("--port", settings.port, "of this machine")->required();
    app.add_option("--user", settings.user, "who needs no password")->required();
    app.add_option("--database", settings.database, "with the table stress (client int8, number int8)")->required();
    app.add_option("--queries", queries, "of all clients together")->capture_default_str();
    app.add_option("--clients", clients, "each with a thread of its own")->capture_default_str();
    app.add_option("--seed", seed, "of what is chosen at random")->capture_default_str();
    app.add_flag("--rough", settings.is_rough, "cancel, and leave in the middle of a message or an answer");
    CLI11_PARSE(app, count, words);

    std::atomic<std::int64_t> left = queries;
    std::list<stress::Client> all;
    std::vector<std::thread> threads;
    for (std::uint64_t number = 1; number <= clients; ++number) {
        threads.emplace_back([&left, &client = all.emplace_back(settings, number, seed)] { client.run(left); });
    }
    for (std::thread& thread : threads) thread.join();
    stress::Report report;
    for (const stress::Client& client : all) report += client.report();
    print(report);
    return report.wrong.empty() ? 0 : 1;
}
