// What a server sends, message by message: server::row({"1"}) + server::command_complete("SELECT 1") +
// server::ready('I'). Built on wire::Writer only.
#pragma once

#include <pgsluice/wire/writer.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice::test::server {

using wire::BackendTag;
using wire::Writer;
using Value = std::optional<std::string_view>;  // nullopt: NULL

// A message with any body, right or wrong.
inline Bytes message(char tag, ByteView body) {
    Bytes out;
    Writer(out).begin(static_cast<BackendTag>(tag)).bytes(body).end();
    return out;
}
// A message whose length word lies.
inline Bytes with_length(char tag, std::uint32_t length, ByteView body = {}) {
    Bytes out(1, tag);
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
    return out.append(body);
}

// --- Login -----------------------------------------------------------------------------------------------------------

inline Bytes authentication(std::int32_t code, ByteView data = {}) {
    Bytes out;
    Writer(out).begin(BackendTag::authentication).int32(code).bytes(data).end();
    return out;
}
inline Bytes authentication_ok() {
    return authentication(0);
}
inline Bytes authentication_cleartext() {
    return authentication(3);
}
inline Bytes authentication_md5(ByteView salt) {
    return authentication(5, salt);
}
inline Bytes authentication_sasl(std::initializer_list<std::string_view> mechanisms = {"SCRAM-SHA-256"}) {
    Bytes data;
    for (const std::string_view name : mechanisms) data.append(name).append(1, '\0');
    return authentication(10, data + '\0');
}
inline Bytes authentication_sasl_continue(std::string_view data) {
    return authentication(11, data);
}
inline Bytes authentication_sasl_final(std::string_view data) {
    return authentication(12, data);
}
inline Bytes parameter_status(std::string_view name, std::string_view value) {
    return message('S', Bytes(name) + '\0' + Bytes(value) + '\0');
}
inline Bytes backend_key_data(std::int32_t process_id, ByteView secret) {
    Bytes out;
    Writer(out).begin(BackendTag::backend_key_data).int32(process_id).bytes(secret).end();
    return out;
}
inline Bytes negotiate_protocol_version(std::int32_t newest, std::initializer_list<std::string_view> unknown = {}) {
    Bytes out;
    Writer writer(out);
    writer.begin(BackendTag::negotiate_protocol_version).int32(newest).int32(static_cast<std::int32_t>(unknown.size()));
    for (const std::string_view name : unknown) writer.string(name);
    writer.end();
    return out;
}
inline Bytes ready(char status = 'I') {
    return message('Z', ByteView(&status, 1));
}
// Everything behind a successful authentication.
inline Bytes login(std::int32_t process_id = 4711, ByteView secret = "key!") {
    return authentication_ok() + parameter_status("server_version", "15.14") +
           parameter_status("client_encoding", "UTF8") + parameter_status("DateStyle", "ISO, MDY") +
           parameter_status("TimeZone", "UTC") + parameter_status("standard_conforming_strings", "on") +
           parameter_status("in_hot_standby", "off") + parameter_status("default_transaction_read_only", "off") +
           backend_key_data(process_id, secret) + ready('I');
}

// --- Replies ---------------------------------------------------------------------------------------------------------

inline Bytes parse_complete() {
    return message('1', {});
}
inline Bytes bind_complete() {
    return message('2', {});
}
inline Bytes close_complete() {
    return message('3', {});
}
inline Bytes no_data() {
    return message('n', {});
}
inline Bytes empty_query() {
    return message('I', {});
}
inline Bytes portal_suspended() {
    return message('s', {});
}
inline Bytes parameter_description(std::initializer_list<std::int32_t> types) {
    Bytes out;
    Writer writer(out);
    writer.begin(BackendTag::parameter_description).int16(static_cast<std::int16_t>(types.size()));
    for (const std::int32_t type : types) writer.int32(type);
    writer.end();
    return out;
}
// Columns of type text.
inline Bytes row_description(std::initializer_list<std::string_view> columns) {
    Bytes out;
    Writer writer(out);
    writer.begin(BackendTag::row_description).int16(static_cast<std::int16_t>(columns.size()));
    for (const std::string_view name : columns) {
        writer.string(name).int32(0).int16(0).int32(25).int16(-1).int32(-1).int16(0);
    }
    writer.end();
    return out;
}
inline Bytes row(std::initializer_list<Value> values) {
    Bytes out;
    Writer writer(out);
    writer.begin(BackendTag::data_row).int16(static_cast<std::int16_t>(values.size()));
    for (const Value& value : values) {
        writer.int32(value ? static_cast<std::int32_t>(value->size()) : -1).bytes(value.value_or(""));
    }
    writer.end();
    return out;
}
inline Bytes command_complete(std::string_view tag) {
    return message('C', Bytes(tag) + '\0');
}
inline Bytes function_call_response(std::string_view value) {
    Bytes out;
    Writer writer(out);
    writer.begin(BackendTag::function_call_response).int32(static_cast<std::int32_t>(value.size())).bytes(value).end();
    return out;
}

// The whole reply to a simple query that yields one row of one column.
inline Bytes one_row(std::string_view value, char status = 'I') {
    return row_description({"?column?"}) + row({value}) + command_complete("SELECT 1") + ready(status);
}

// --- Errors and what comes unasked -----------------------------------------------------------------------------------

inline Bytes error(std::string_view sqlstate, std::string_view text, std::string_view severity = "ERROR",
                   char tag = 'E') {
    Bytes out;
    Writer writer(out);
    writer.begin(static_cast<BackendTag>(tag));
    writer.byte('S').string(severity).byte('V').string(severity).byte('C').string(sqlstate).byte('M').string(text);
    writer.byte('\0').end();
    return out;
}
inline Bytes fatal(std::string_view sqlstate, std::string_view text) {
    return error(sqlstate, text, "FATAL");
}
inline Bytes notice(std::string_view text) {
    return error("00000", text, "NOTICE", 'N');
}
inline Bytes notification(std::int32_t process_id, std::string_view channel, std::string_view payload = {}) {
    Bytes out;
    Writer(out).begin(BackendTag::notification_response).int32(process_id).string(channel).string(payload).end();
    return out;
}

// --- COPY ------------------------------------------------------------------------------------------------------------

// 'G' into the server, 'H' out of it, 'W' both; text format.
inline Bytes copy_response(char tag, std::int16_t columns = 1) {
    Bytes out;
    Writer writer(out);
    writer.begin(static_cast<BackendTag>(tag)).byte('\0').int16(columns);
    for (std::int16_t i = 0; i < columns; ++i) writer.int16(0);
    writer.end();
    return out;
}
inline Bytes copy_in_response(std::int16_t columns = 1) {
    return copy_response('G', columns);
}
inline Bytes copy_out_response(std::int16_t columns = 1) {
    return copy_response('H', columns);
}
inline Bytes copy_both_response() {
    return copy_response('W', 0);
}
inline Bytes copy_data(ByteView data) {
    return message('d', data);
}
inline Bytes copy_done() {
    return message('c', {});
}

}  // namespace pgsluice::test::server
