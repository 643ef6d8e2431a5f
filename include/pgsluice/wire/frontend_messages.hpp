// Frontend messages that pgsluice looks into or makes itself. A read function gives nothing where the body is
// malformed; what it gives are views into the body. Trailing fields that nobody here needs are left unread: the server
// checks them.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/wire/tags.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace pgsluice::wire {

struct Query {
    ByteView text;
};
struct Parse {
    ByteView statement;  // empty: the unnamed statement
    ByteView text;
    ByteView parameter_types;  // the count and the OIDs as they stood in the message
};
struct Bind {
    ByteView portal;
    ByteView statement;
    ByteView rest;  // formats, values, result formats, as they stood
};
// Describe and Close.
struct Target {
    char kind;  // 'S' statement, 'P' portal
    ByteView name;
};

std::optional<Query> read_query(ByteView body);
std::optional<Parse> read_parse(ByteView body);
std::optional<Bind> read_bind(ByteView body);
std::optional<Target> read_target(ByteView body);
// Of a Query or Parse; empty where it is malformed.
ByteView statement_text(FrontendTag tag, ByteView body);

void write_query(Bytes& out, ByteView text);
void write_parse(Bytes& out, ByteView statement, ByteView text, ByteView parameter_types);
// Text parameters, text results.
void write_bind(Bytes& out, ByteView portal, ByteView statement, std::span<const ByteView> values);
// The front of a Bind under another statement name: header and both names. `rest_bytes` follow it from the original
// message.
void write_bind_front(Bytes& out, ByteView portal, ByteView statement, std::size_t rest_bytes);
void write_target(Bytes& out, FrontendTag tag, char kind, ByteView name);
void write_execute(Bytes& out, ByteView portal, std::int32_t max_rows);
void write_empty(Bytes& out, FrontendTag tag);   // Sync, Flush, Terminate, CopyDone
void write_password(Bytes& out, ByteView body);  // PasswordMessage (with its NUL in `body`) or SASLResponse
void write_sasl_initial_response(Bytes& out, ByteView mechanism, ByteView data);

constexpr ByteView no_parameter_types{"\0\0", 2};

}  // namespace pgsluice::wire
