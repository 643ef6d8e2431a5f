// What is read can be written again, byte for byte.
#include "fuzz.hpp"

#include <pgsluice/wire/frontend_messages.hpp>

using namespace pgsluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView body = fuzz::view(data, size);
    const auto is_body_of = [&](const Bytes& message) { return ByteView(message).substr(5) == body; };
    if (const auto query = wire::read_query(body)) {
        Bytes out;
        wire::write_query(out, query->text);
        PGSLUICE_CHECK(is_body_of(out));
    }
    if (const auto parse = wire::read_parse(body)) {
        Bytes out;
        wire::write_parse(out, parse->statement, parse->text, parse->parameter_types);
        PGSLUICE_CHECK(is_body_of(out));
    }
    if (const auto bind = wire::read_bind(body)) {
        Bytes out;
        wire::write_bind_front(out, bind->portal, bind->statement, bind->rest.size());
        out += bind->rest;
        PGSLUICE_CHECK(is_body_of(out));
    }
    if (const auto target = wire::read_target(body)) {
        Bytes out;
        wire::write_target(out, wire::FrontendTag::close, target->kind, target->name);
        PGSLUICE_CHECK(is_body_of(out));
    }
    return 0;
}
