// What a client sends, message by message: client::parse("s1", "select $1") + client::sync(). Built on wire::Writer
// only, so that a test of the wire layer does not prove a function by itself.
#pragma once

#include <pgsluice/wire/writer.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pgsluice::test::client {

using wire::FrontendTag;
using wire::Writer;
using Value = std::optional<std::string_view>;  // nullopt: NULL

// A message with any body, right or wrong.
inline Bytes message(char tag, ByteView body) {
    Bytes out;
    Writer(out).begin(static_cast<FrontendTag>(tag)).bytes(body).end();
    return out;
}
// A message whose length word lies.
inline Bytes with_length(char tag, std::uint32_t length, ByteView body = {}) {
    Bytes out(1, tag);
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
    return out.append(body);
}

// --- Untagged packets ------------------------------------------------------------------------------------------------

inline Bytes packet(std::uint32_t code, ByteView body = {}) {
    Bytes out;
    Writer(out).begin_untagged().int32(static_cast<std::int32_t>(code)).bytes(body).end();
    return out;
}
inline Bytes startup(std::initializer_list<std::pair<std::string_view, std::string_view>> parameters,
                     std::uint32_t version = 3 << 16) {
    Bytes body;
    for (const auto& [name, value] : parameters) body.append(name).append(1, '\0').append(value).append(1, '\0');
    return packet(version, body + '\0');
}
inline Bytes ssl_request() {
    return packet(80877103);
}
inline Bytes gss_enc_request() {
    return packet(80877104);
}
inline Bytes cancel_request(std::int32_t process_id, ByteView secret) {
    Bytes out;
    Writer(out).begin_untagged().int32(80877102).int32(process_id).bytes(secret).end();
    return out;
}

// --- Authentication --------------------------------------------------------------------------------------------------

inline Bytes password(std::string_view text) {
    return message('p', Bytes(text) + '\0');
}
inline Bytes sasl_initial(std::string_view mechanism, std::string_view data) {
    Bytes out;
    Writer writer(out);
    writer.begin(FrontendTag::password).string(mechanism).int32(static_cast<std::int32_t>(data.size()));
    writer.bytes(data).end();
    return out;
}
inline Bytes sasl_response(std::string_view data) {
    return message('p', data);
}

// --- Queries ---------------------------------------------------------------------------------------------------------

inline Bytes query(std::string_view text) {
    return message('Q', Bytes(text) + '\0');
}
inline Bytes parse(std::string_view statement, std::string_view text, std::initializer_list<std::int32_t> types = {}) {
    Bytes out;
    Writer writer(out);
    writer.begin(FrontendTag::parse).string(statement).string(text).int16(static_cast<std::int16_t>(types.size()));
    for (const std::int32_t type : types) writer.int32(type);
    writer.end();
    return out;
}
// Text parameters, text results.
inline Bytes bind(std::string_view portal = {}, std::string_view statement = {},
                  std::initializer_list<Value> values = {}) {
    Bytes out;
    Writer writer(out);
    writer.begin(FrontendTag::bind).string(portal).string(statement).int16(0);
    writer.int16(static_cast<std::int16_t>(values.size()));
    for (const Value& value : values) {
        writer.int32(value ? static_cast<std::int32_t>(value->size()) : -1).bytes(value.value_or(""));
    }
    writer.int16(0).end();
    return out;
}
inline Bytes describe_statement(std::string_view name = {}) {
    return message('D', 'S' + Bytes(name) + '\0');
}
inline Bytes describe_portal(std::string_view name = {}) {
    return message('D', 'P' + Bytes(name) + '\0');
}
inline Bytes close_statement(std::string_view name = {}) {
    return message('C', 'S' + Bytes(name) + '\0');
}
inline Bytes close_portal(std::string_view name = {}) {
    return message('C', 'P' + Bytes(name) + '\0');
}
inline Bytes execute(std::string_view portal = {}, std::int32_t max_rows = 0) {
    Bytes out;
    Writer(out).begin(FrontendTag::execute).string(portal).int32(max_rows).end();
    return out;
}
inline Bytes sync() {
    return message('S', {});
}
inline Bytes flush() {
    return message('H', {});
}
inline Bytes terminate() {
    return message('X', {});
}

// One statement as a driver sends it: Parse, Bind, Describe, Execute on the unnamed statement, and no Sync.
// (Qualified: with a std argument, plain bind would also be looked up as std::bind.)
inline Bytes extended(std::string_view text, std::initializer_list<Value> values = {}) {
    return parse("", text) + client::bind("", "", values) + describe_portal() + execute();
}

// --- COPY and function calls -----------------------------------------------------------------------------------------

inline Bytes copy_data(ByteView data) {
    return message('d', data);
}
inline Bytes copy_done() {
    return message('c', {});
}
inline Bytes copy_fail(std::string_view reason) {
    return message('f', Bytes(reason) + '\0');
}
// Without arguments; text result.
inline Bytes function_call(std::int32_t oid) {
    Bytes out;
    Writer(out).begin(FrontendTag::function_call).int32(oid).int16(0).int16(0).int16(0).end();
    return out;
}

}  // namespace pgsluice::test::client
