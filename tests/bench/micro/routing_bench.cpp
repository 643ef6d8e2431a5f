// What choosing a route costs a login, where the last of N routes matches.
#include <pgsluice/routing/table.hpp>

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace pgsluice::routing {
namespace {

void choose(benchmark::State& state) {
    std::vector<config::Route> routes;
    for (std::int64_t i = 1; i <= state.range(0); ++i) {
        config::Route route;
        route.name = "route" + std::to_string(i);
        route.match.databases = {"database" + std::to_string(i)};
        route.match.users = {"*"};
        routes.push_back(std::move(route));
    }
    const Table table(routes);
    const std::string database = "database" + std::to_string(state.range(0));
    const Facts facts{.database = database, .user = "ann", .application_name = "checkout", .sni = "", .address = {}};
    for (auto _ : state) benchmark::DoNotOptimize(table.choose(facts));
}
BENCHMARK(choose)->Arg(1)->Arg(20)->Arg(1000);

}  // namespace
}  // namespace pgsluice::routing
