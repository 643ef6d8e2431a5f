#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/reader.hpp>
#include <pgsluice/wire/writer.hpp>

namespace pgsluice::wire {

std::optional<Authentication> read_authentication(ByteView body) {
    Reader reader(body);
    Authentication authentication{reader.int32(), {}};
    authentication.data = reader.remaining();
    if (!reader.ok()) return std::nullopt;
    return authentication;
}

std::optional<std::vector<ByteView>> read_sasl_mechanisms(ByteView data) {
    Reader reader(data);
    std::vector<ByteView> names;
    while (true) {
        const ByteView name = reader.string();
        if (!reader.ok()) return std::nullopt;
        if (name.empty()) return names;
        names.push_back(name);
    }
}

std::optional<ParameterStatus> read_parameter_status(ByteView body) {
    Reader reader(body);
    const ParameterStatus status{reader.string(), reader.string()};
    if (!reader.at_end() || status.name.empty()) return std::nullopt;
    return status;
}

bool is_notification(ByteView body) {
    Reader reader(body);
    reader.int32();
    const ByteView channel = reader.string();
    reader.string();
    return reader.at_end() && !channel.empty();
}

bool is_parameter_description(ByteView body) {
    Reader reader(body);
    const auto count = reader.uint16();
    return reader.ok() && reader.remaining().size() == std::size_t{4} * count;
}

std::optional<BackendKeyData> read_backend_key_data(ByteView body) {
    Reader reader(body);
    BackendKeyData key{reader.int32(), {}};
    key.secret = reader.remaining();
    if (!reader.ok() || key.secret.size() < 4 || key.secret.size() > 256) return std::nullopt;
    return key;
}

std::optional<TransactionStatus> read_ready_for_query(ByteView body) {
    if (body.size() != 1 || (body[0] != 'I' && body[0] != 'T' && body[0] != 'E')) return std::nullopt;
    return static_cast<TransactionStatus>(body[0]);
}

std::optional<std::vector<std::optional<ByteView>>> read_data_row(ByteView body) {
    Reader reader(body);
    const std::int16_t count = reader.int16();
    if (!reader.ok() || count < 0) return std::nullopt;
    std::vector<std::optional<ByteView>> values;
    for (std::int16_t i = 0; i < count; ++i) {
        const std::int32_t length = reader.int32();
        if (!reader.ok() || length < -1) return std::nullopt;
        if (length == -1)
            values.emplace_back();
        else
            values.emplace_back(reader.bytes(static_cast<std::size_t>(length)));
    }
    if (!reader.at_end()) return std::nullopt;
    return values;
}

void write_authentication(Bytes& out, AuthenticationCode code, ByteView data) {
    Writer(out).begin(BackendTag::authentication).int32(static_cast<std::int32_t>(code)).bytes(data).end();
}

void write_authentication_sasl(Bytes& out, std::span<const ByteView> mechanisms) {
    Writer writer(out);
    writer.begin(BackendTag::authentication).int32(static_cast<std::int32_t>(AuthenticationCode::sasl));
    for (const ByteView name : mechanisms) writer.string(name);
    writer.byte('\0').end();
}

void write_negotiate_protocol_version(Bytes& out, std::int32_t newest_minor,
                                      std::span<const ByteView> unknown_options) {
    Writer writer(out);
    // PostgreSQL sends the whole version number here, although its documentation says "minor".
    writer.begin(BackendTag::negotiate_protocol_version).int32(3 << 16 | newest_minor);
    writer.int32(static_cast<std::int32_t>(unknown_options.size()));
    for (const ByteView name : unknown_options) writer.string(name);
    writer.end();
}

void write_parameter_status(Bytes& out, ByteView name, ByteView value) {
    Writer(out).begin(BackendTag::parameter_status).string(name).string(value).end();
}

void write_backend_key_data(Bytes& out, std::int32_t process_id, ByteView secret) {
    Writer(out).begin(BackendTag::backend_key_data).int32(process_id).bytes(secret).end();
}

void write_ready_for_query(Bytes& out, TransactionStatus status) {
    Writer(out).begin(BackendTag::ready_for_query).byte(static_cast<char>(status)).end();
}

void write_command_complete(Bytes& out, ByteView command) {
    Writer(out).begin(BackendTag::command_complete).string(command).end();
}

void write_empty(Bytes& out, BackendTag tag) {
    Writer(out).begin(tag).end();
}

}  // namespace pgsluice::wire
