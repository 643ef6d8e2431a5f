// What the policy hook costs: per statement by the number of rules that can match, and per session.
#include <pgsluice/policy/engine.hpp>

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace pgsluice::policy {
namespace {

constexpr std::string_view sql = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;";

// Patterns of the shape that people write, none of which matches the statement above.
std::vector<config::Policy> policies(std::int64_t count) {
    std::vector<config::Policy> made;
    for (std::int64_t i = 0; i < count; ++i) {
        config::Policy policy;
        policy.name = "rule" + std::to_string(i);
        policy.when.pattern = "(?i)\\b(drop|truncate)\\s+table\\s+t" + std::to_string(i) + "\\b";
        made.push_back(std::move(policy));
    }
    return made;
}

Engine engine_of(const std::vector<config::Policy>& made) {
    auto built = Engine::build(made);
    if (!std::holds_alternative<Engine>(built)) std::abort();
    return std::move(std::get<Engine>(built));
}

constexpr Principal principal{
    .user = "ann", .database = "orders", .application_name = "checkout", .route = "main", .address = {}};

void judge(benchmark::State& state) {
    const Engine engine = engine_of(policies(state.range(0)));
    const Rules rules = engine.for_principal(principal);
    Shortlists shortlists;
    for (auto _ : state) benchmark::DoNotOptimize(engine.judge(rules, Statement{.text = sql}, shortlists));
}
BENCHMARK(judge)->Arg(0)->Arg(1)->Arg(20);

void judge_long_text(benchmark::State& state) {
    const Engine engine = engine_of(policies(1));
    const Rules rules = engine.for_principal(principal);
    Shortlists shortlists;
    std::string text;
    while (text.size() < 16384) text += sql;
    for (auto _ : state) benchmark::DoNotOptimize(engine.judge(rules, Statement{.text = text}, shortlists));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(judge_long_text);

void rules_for_a_session(benchmark::State& state) {
    const Engine engine = engine_of(policies(state.range(0)));
    RulesCache cache;
    for (auto _ : state) benchmark::DoNotOptimize(cache.for_principal(engine, principal));
}
BENCHMARK(rules_for_a_session)->Arg(0)->Arg(1)->Arg(20);

}  // namespace
}  // namespace pgsluice::policy
