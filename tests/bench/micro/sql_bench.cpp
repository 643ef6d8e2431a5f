// What it costs to know the facts of a statement: found by its exact text, by its pattern, and without either what the
// cache adds to a parse; and to know that a text leaves its session as it is.
#include <pgsluice/sql/facts_cache.hpp>
#include <pgsluice/sql/session_effect.hpp>

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace pgsluice::sql {
namespace {

constexpr ByteView prepared =
    "SELECT id, name, email, created_at FROM customers WHERE id = $1 AND tenant_id = $2 AND deleted = false";

// Statements that differ in the values of their constants, of about 100 and 200 bytes.
std::string literal_varying(std::int64_t size, int number) {
    const std::string id = std::to_string(100000 + number);
    std::string text = "SELECT id, name, email, created_at FROM customers WHERE id = " + id;
    text += " AND tenant_id = 'tenant-" + id + "'";
    if (size <= 100) return text;
    text += " AND created_at > '2024-01-01 00:00:00' AND status IN ('new', 'open', 'held')";
    return text + " ORDER BY created_at DESC LIMIT 50";
}

std::variant<Facts, Unparsable> read_nothing(ByteView, Reading) {
    return Facts{};
}

void exact_text(benchmark::State& state) {
    FactsCache cache({1, 2}, {}, read_nothing);
    for (int i = 0; i < 3; ++i) cache.facts_of(prepared, {});
    for (auto _ : state) benchmark::DoNotOptimize(cache.facts_of(prepared, {}));
    state.counters["exact_hits"] = static_cast<double>(cache.counts().exact_hits);
}
BENCHMARK(exact_text);

// As many texts as a busy service has, in turn: its table and keys do not all stay in the nearest cache.
void exact_text_of_many(benchmark::State& state) {
    FactsCache cache({1, 2}, {}, read_nothing);
    std::vector<std::string> texts;
    for (int i = 0; i < 1000; ++i) texts.push_back(std::string(prepared) + " AND column" + std::to_string(i) + " = $3");
    for (int i = 0; i < 3; ++i) {
        for (const std::string& text : texts) cache.facts_of(text, {});
    }
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(cache.facts_of(texts[next], {}));
        next = next + 1 == texts.size() ? 0 : next + 1;
    }
}
BENCHMARK(exact_text_of_many);

void pattern(benchmark::State& state) {
    FactsCache cache({1, 2}, {}, read_nothing);
    std::vector<std::string> texts;
    for (int i = 0; i < 100000; ++i) texts.push_back(literal_varying(state.range(0), i));
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(cache.facts_of(texts[next], {}));
        next = next + 1 == texts.size() ? 0 : next + 1;
    }
    state.counters["parses"] = static_cast<double>(cache.counts().parses);
    state.counters["bytes"] = static_cast<double>(texts.front().size());
}
BENCHMARK(pattern)->Arg(100)->Arg(200);

// Every pattern new, so that the cache is full and each takes the place of another.
void new_pattern(benchmark::State& state) {
    FactsCache cache({1, 2}, {}, read_nothing);
    std::vector<std::string> texts;
    for (int i = 0; i < 100000; ++i)
        texts.push_back(std::string(prepared) + " AND column" + std::to_string(i) + " = 1");
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(cache.facts_of(texts[next], {}));
        next = next + 1 == texts.size() ? 0 : next + 1;
    }
    state.counters["evictions"] = static_cast<double>(cache.counts().evictions);
}
BENCHMARK(new_pattern);

// The one pass over the bytes of a text without a word that could have an effect: of 96 and 206 bytes.
void plain_text(benchmark::State& state) {
    std::string text =
        "SELECT id, name, email FROM customers WHERE id = 100001 AND tenant_id = 'tenant-100001' LIMIT 50";
    if (state.range(0) > 1) text += " -- " + text + " for update";
    if (may_have_effect(text)) state.SkipWithError("it has such a word");
    for (auto _ : state) benchmark::DoNotOptimize(session_effect(text));
    state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(plain_text)->Arg(1)->Arg(2);

}  // namespace
}  // namespace pgsluice::sql
