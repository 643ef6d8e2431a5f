// Cutting frames and reading the messages that the relay looks into: what every query pays.
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>

#include <benchmark/benchmark.h>

namespace pgsluice::wire {
namespace {

constexpr ByteView sql = "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;";

void cut_simple_query(benchmark::State& state) {
    Bytes message;
    write_query(message, sql);
    for (auto _ : state) {
        const Frame frame = cut_frontend(message);
        benchmark::DoNotOptimize(read_query(body_of(message, frame)));
    }
}
BENCHMARK(cut_simple_query);

void cut_extended_batch(benchmark::State& state) {
    Bytes batch;
    write_parse(batch, "", sql, no_parameter_types);
    write_bind(batch, "", "", {});
    write_target(batch, FrontendTag::describe, 'P', "");
    write_execute(batch, "", 0);
    write_empty(batch, FrontendTag::sync);
    for (auto _ : state) {
        ByteView rest = batch;
        while (!rest.empty()) {
            const Frame frame = cut_frontend(rest);
            benchmark::DoNotOptimize(frame);
            rest.remove_prefix(frame.size);
        }
    }
}
BENCHMARK(cut_extended_batch);

// A full buffer of rows of 100 bytes, as COPY out and large results bring them.
void cut_rows(benchmark::State& state) {
    constexpr std::size_t row_bytes = 100, buffer_bytes = 64 * 1024;
    Bytes rows;
    while (rows.size() < buffer_bytes) {
        rows += ByteView{"D\0\0\0\x63", header_bytes};
        rows.append(row_bytes - header_bytes, 'x');
    }
    for (auto _ : state) {
        ByteView rest = rows;
        while (!rest.empty()) rest.remove_prefix(cut_backend(rest).size);
        benchmark::DoNotOptimize(rest);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * rows.size()));
}
BENCHMARK(cut_rows);

}  // namespace
}  // namespace pgsluice::wire
