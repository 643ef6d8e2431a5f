#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>
#include <pgsluice/wire/reader.hpp>
#include <pgsluice/wire/writer.hpp>

namespace pgsluice::wire {

std::optional<Query> read_query(ByteView body) {
    Reader reader(body);
    const Query query{reader.string()};
    if (!reader.at_end()) return std::nullopt;
    return query;
}

std::optional<Parse> read_parse(ByteView body) {
    Reader reader(body);
    Parse parse{reader.string(), reader.string(), {}};
    parse.parameter_types = reader.remaining();
    const std::size_t count = reader.uint16();  // PostgreSQL takes up to 65,535 parameters
    if (!reader.ok() || reader.remaining().size() != count * 4) return std::nullopt;
    return parse;
}

ByteView statement_text(FrontendTag tag, ByteView body) {
    if (tag == FrontendTag::query) {
        const auto query = read_query(body);
        return query ? query->text : ByteView();
    }
    const auto parse = read_parse(body);
    return parse ? parse->text : ByteView();
}

std::optional<Bind> read_bind(ByteView body) {
    Reader reader(body);
    Bind bind{reader.string(), reader.string(), {}};
    bind.rest = reader.remaining();
    if (!reader.ok()) return std::nullopt;
    return bind;
}

std::optional<Target> read_target(ByteView body) {
    Reader reader(body);
    const Target target{static_cast<char>(reader.byte()), reader.string()};
    if (!reader.at_end() || (target.kind != 'S' && target.kind != 'P')) return std::nullopt;
    return target;
}

void write_query(Bytes& out, ByteView text) {
    Writer(out).begin(FrontendTag::query).string(text).end();
}

void write_parse(Bytes& out, ByteView statement, ByteView text, ByteView parameter_types) {
    Writer(out).begin(FrontendTag::parse).string(statement).string(text).bytes(parameter_types).end();
}

void write_bind(Bytes& out, ByteView portal, ByteView statement, std::span<const ByteView> values) {
    Writer writer(out);
    writer.begin(FrontendTag::bind).string(portal).string(statement).int16(0);
    writer.int16(static_cast<std::int16_t>(values.size()));
    for (const ByteView value : values) writer.int32(static_cast<std::int32_t>(value.size())).bytes(value);
    writer.int16(0).end();
}

void write_bind_front(Bytes& out, ByteView portal, ByteView statement, std::size_t rest_bytes) {
    const std::size_t length = 4 + portal.size() + 1 + statement.size() + 1 + rest_bytes;
    PGSLUICE_CHECK(length <= large_message_limit + std::size_t{64});
    out += static_cast<char>(FrontendTag::bind);
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
    out.append(portal).append(1, '\0').append(statement).append(1, '\0');
}

void write_target(Bytes& out, FrontendTag tag, char kind, ByteView name) {
    Writer(out).begin(tag).byte(kind).string(name).end();
}

void write_execute(Bytes& out, ByteView portal, std::int32_t max_rows) {
    Writer(out).begin(FrontendTag::execute).string(portal).int32(max_rows).end();
}

void write_empty(Bytes& out, FrontendTag tag) {
    Writer(out).begin(tag).end();
}

void write_password(Bytes& out, ByteView body) {
    Writer(out).begin(FrontendTag::password).bytes(body).end();
}

void write_sasl_initial_response(Bytes& out, ByteView mechanism, ByteView data) {
    Writer writer(out);
    writer.begin(FrontendTag::password).string(mechanism);
    writer.int32(static_cast<std::int32_t>(data.size())).bytes(data).end();
}

}  // namespace pgsluice::wire
