#include "batch.hpp"

#include <pgsluice/wire/frontend_messages.hpp>
#include <pgsluice/wire/writer.hpp>

#include <string>

namespace pgsluice::stress {
namespace {

// The column's type is left to the server, the value is text: as most drivers do it.
constexpr ByteView one_parameter = "$1::int8";

}  // namespace

Batch Batches::next() {
    Batch batch;
    const auto chosen = random_() % 1000;
    if (chosen < 1 && with_slow_) {
        slow(batch);
    } else if (chosen < 200) {
        simple(batch);
    } else if (chosen < 300) {
        several_statements(batch);
    } else if (chosen < 450) {
        unnamed(batch);
    } else if (chosen < 600) {
        pipeline(batch);
    } else if (chosen < 800) {
        prepared(batch);
    } else if (chosen < 870) {
        copy_out(batch);
    } else if (chosen < 930) {
        copy_in(batch);
    } else {
        transaction(batch);
    }
    return batch;
}

void Batches::simple(Batch& batch) {
    query(batch, select(batch), 1);
}

void Batches::several_statements(Batch& batch) {
    const Bytes first = select(batch), second = select(batch);
    query(batch, first + "; " + second, 2);
}

void Batches::unnamed(Batch& batch) {
    execute_unnamed(batch);
    sync(batch);
}

void Batches::pipeline(Batch& batch) {
    const auto queries = 2 + random_() % 12;
    for (std::uint64_t i = 0; i < queries; ++i) {
        execute_unnamed(batch);
        if (i + 1 == queries || random_() % 3 == 0) sync(batch);
    }
}

void Batches::prepared(Batch& batch) {
    const auto queries = 1 + random_() % 4;
    for (std::uint64_t i = 0; i < queries; ++i) {
        const auto which = random_() % names_.size();
        const Bytes name = "statement" + std::to_string(which);
        Name& state = names_[which];
        if (state == Name::uncertain || (state == Name::prepared && random_() % 20 == 0)) {
            wire::write_target(batch.bytes, wire::FrontendTag::close, 'S', name);
            state = Name::free;
        }
        if (state == Name::free) {
            wire::write_parse(batch.bytes, name, "select " + std::to_string(client_) + ", " + Bytes(one_parameter),
                              wire::no_parameter_types);
            state = Name::prepared;
        }
        batch.rows.push_back({client_, ++number_});
        const Bytes value = std::to_string(number_);
        const std::array<ByteView, 1> values{value};
        wire::write_bind(batch.bytes, {}, name, values);
        wire::write_execute(batch.bytes, {}, 0);
        ++batch.queries;
    }
    sync(batch);
}

void Batches::copy_out(Batch& batch) {
    const Bytes first = std::to_string(number_ + 1);
    for (int i = 0; i < 5; ++i) batch.rows.push_back({client_, ++number_});
    query(batch,
          "copy (select " + std::to_string(client_) + ", n from generate_series(" + first + ", " +
              std::to_string(number_) + ") n) to stdout",
          1);
}

// Nobody sees what a transaction has not committed, so the table is empty but for the rows that went in here. Up to the
// Sync an error skips what follows, so nothing of it runs outside its transaction where the BEGIN was cancelled.
void Batches::copy_in(Batch& batch) {
    execute(batch, "begin");
    execute(batch, "copy stress from stdin");
    for (int i = 0; i < 3; ++i) {
        batch.rows.push_back({client_, ++number_});
        wire::Writer(batch.bytes)
            .begin(wire::FrontendTag::copy_data)
            .bytes(std::to_string(client_) + '\t' + std::to_string(number_) + '\n')
            .end();
    }
    wire::write_empty(batch.bytes, wire::FrontendTag::copy_done);
    execute(batch, "select client, number from stress order by number");
    sync(batch);
    query(batch, "rollback", 1);
}

// That all of a transaction runs on one server is seen by what it has set for itself.
void Batches::transaction(Batch& batch) {
    const Row set{client_, ++number_};
    execute(batch, "begin");
    execute(batch, "set local stress.number = " + std::to_string(set.number));
    wire::write_empty(batch.bytes, wire::FrontendTag::flush);
    execute_unnamed(batch);
    wire::write_empty(batch.bytes, wire::FrontendTag::flush);
    execute(batch, "select " + std::to_string(client_) + ", current_setting('stress.number')");
    batch.rows.push_back(set);
    sync(batch);
    query(batch, "rollback", 1);
}

void Batches::slow(Batch& batch) {
    const Bytes text = select(batch);
    query(batch, text + " from pg_sleep(30)", 1);
    batch.is_slow = true;
}

Bytes Batches::select(Batch& batch) {
    batch.rows.push_back({client_, ++number_});
    return "select " + std::to_string(client_) + ", " + std::to_string(number_);
}

void Batches::execute_unnamed(Batch& batch) {
    batch.rows.push_back({client_, ++number_});
    const Bytes value = std::to_string(number_);
    const std::array<ByteView, 1> values{value};
    execute(batch, "select " + std::to_string(client_) + ", " + Bytes(one_parameter), values);
}

// What rows it brings is the caller's to say.
void Batches::execute(Batch& batch, ByteView text, std::span<const ByteView> values) {
    wire::write_parse(batch.bytes, {}, text, wire::no_parameter_types);
    wire::write_bind(batch.bytes, {}, {}, values);
    wire::write_execute(batch.bytes, {}, 0);
    ++batch.queries;
}

void Batches::query(Batch& batch, ByteView text, std::size_t statements) {
    wire::write_query(batch.bytes, text);
    batch.queries += statements;
    ++batch.ready;
}

void Batches::sync(Batch& batch) {
    wire::write_empty(batch.bytes, wire::FrontendTag::sync);
    ++batch.ready;
}

}  // namespace pgsluice::stress
