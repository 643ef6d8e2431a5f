#include <pgsluice/protocol/asking.hpp>

namespace pgsluice::protocol {

using wire::FrontendTag;

void Asking::parse(ByteView name, ByteView text, ByteView parameter_types) {
    wire::write_parse(to_server_, name, text, parameter_types);
    owe(Asked::parse);
}

void Asking::parse_anew(ByteView name, ByteView text, ByteView parameter_types) {
    close_statement(name);
    parse(name, text, parameter_types);
}

void Asking::run(ByteView statement, std::span<const ByteView> values) {
    wire::write_bind(to_server_, "", statement, values);
    owe(Asked::bind);
    wire::write_execute(to_server_, "", 0);
    owe(Asked::execute);
}

void Asking::close_statement(ByteView name) {
    wire::write_target(to_server_, FrontendTag::close, 'S', name);
    owe(Asked::close);
}

void Asking::close_portal(ByteView name) {
    wire::write_target(to_server_, FrontendTag::close, 'P', name);
    owe(Asked::close);
}

void Asking::query(ByteView text) {
    wire::write_query(to_server_, text);
    owe(Asked::query);
}

void Asking::sync() {
    wire::write_empty(to_server_, FrontendTag::sync);
    owe(Asked::sync);
}

}  // namespace pgsluice::protocol
