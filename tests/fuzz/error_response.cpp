#include "fuzz.hpp"

#include <pgsluice/wire/sql_error.hpp>

using namespace pgsluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView body = fuzz::view(data, size);
    wire::ErrorFields fields;
    if (!wire::read_error(body, fields)) return 0;

    // What could be read can be written, and reads the same.
    wire::SqlError error =
        wire::error("XX000", std::string(fields.message), std::string(fields.detail), std::string(fields.hint));
    Bytes written;
    wire::write_error(written, error);
    wire::ErrorFields again;
    PGSLUICE_CHECK(wire::read_error(ByteView(written).substr(5), again));
    PGSLUICE_CHECK(again.message == fields.message && again.detail == fields.detail && again.hint == fields.hint);
    return 0;
}
