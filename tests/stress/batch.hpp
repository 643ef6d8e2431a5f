// What a client sends in one go, and what must come back: rows that carry the client's own number and a number that was
// never used before, so that a row of anybody else, or of anything that the client asked earlier, is seen.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace pgsluice::stress {

struct Row {
    std::uint64_t client, number;
    friend bool operator==(const Row&, const Row&) = default;
};

struct Batch {
    Bytes bytes;
    std::vector<Row> rows;    // of all its queries, in order
    std::size_t queries = 0;  // statements that the server is to run
    std::size_t ready = 0;    // ReadyForQuery that end it
    bool is_slow = false;     // runs until a timeout or a cancel ends it
};

// Makes a client's batches, and remembers the statements that it has prepared on its connection. All clients give their
// statements the same few names.
class Batches {
  public:
    // Slow ones only where somebody will cancel them.
    Batches(std::uint64_t client, std::uint64_t seed, bool with_slow)
        : client_(client), random_(seed), with_slow_(with_slow) {}

    Batch next();
    // An error skipped something of the batch before: which names it left is not known.
    void doubt() { names_.fill(Name::uncertain); }
    // For a new connection.
    void forget() { names_.fill(Name::free); }

  private:
    void simple(Batch& batch);
    void several_statements(Batch& batch);
    void unnamed(Batch& batch);
    void pipeline(Batch& batch);
    void prepared(Batch& batch);
    void copy_out(Batch& batch);
    void copy_in(Batch& batch);
    void transaction(Batch& batch);
    void slow(Batch& batch);

    Bytes select(Batch& batch);
    void execute_unnamed(Batch& batch);
    void execute(Batch& batch, ByteView text, std::span<const ByteView> values = {});
    void query(Batch& batch, ByteView text, std::size_t statements);
    void sync(Batch& batch);

    std::uint64_t client_, number_ = 0;
    std::mt19937_64 random_;
    bool with_slow_;
    enum class Name : std::uint8_t { free, prepared, uncertain };
    std::array<Name, 8> names_{};
};

}  // namespace pgsluice::stress
