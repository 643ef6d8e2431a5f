#include <pgsluice/wire/reader.hpp>
#include <pgsluice/wire/startup_packet.hpp>
#include <pgsluice/wire/writer.hpp>

namespace pgsluice::wire {
namespace {

constexpr std::int32_t protocol_3_0 = 3 << 16;
constexpr std::uint16_t request_major = 1234;  // a version that no protocol will have marks the three requests
constexpr std::uint16_t cancel_minor = 5678, ssl_minor = 5679, gss_minor = 5680;
constexpr std::size_t longest_cancel_secret = 256;  // protocol 3.2

std::int32_t request_code(std::uint16_t minor) {
    return static_cast<std::int32_t>(std::uint32_t{request_major} << 16 | minor);
}

StartupPacket read_parameters(StartupMessage message, ByteView body) {
    // Key and value pairs, then one NUL, and nothing behind it.
    if (body.empty() || body.back() != '\0') return StartupError::invalid_layout;
    Reader reader(body);
    while (true) {
        const ByteView name = reader.string();
        if (!reader.ok()) return StartupError::invalid_layout;
        if (name.empty()) break;
        const ByteView value = reader.string();
        if (!reader.ok()) return StartupError::invalid_layout;
        message.parameters.emplace_back(name, value);
    }
    if (!reader.at_end()) return StartupError::invalid_layout;
    return message;
}

// One word among others, as PostgreSQL splits them: a backslash takes the meaning from what is behind it.
void append_switch(Bytes& options, ByteView name, ByteView value) {
    options += options.empty() ? "-c" : " -c";
    for (const ByteView part : {name, ByteView("="), value}) {
        for (const char c : part) {
            if (c == '\\' || c == ' ' || (c >= '\t' && c <= '\r')) options += '\\';
            options += c;
        }
    }
}

}  // namespace

std::size_t startup_packet_size(ByteView buffer) {
    if (buffer.size() < 4) return 0;
    const auto length = static_cast<std::uint32_t>(Reader(buffer).int32());
    // PostgreSQL needs a protocol version behind the length and takes up to 10,000 bytes beside the length word.
    if (length < 8 || length > startup_packet_limit + 4) return invalid_size;
    return length;
}

StartupPacket read_startup_packet(ByteView packet) {
    Reader reader(packet);
    reader.int32();
    const auto version = static_cast<std::uint32_t>(reader.int32());
    if (!reader.ok()) return StartupError::invalid_length;
    const auto major = static_cast<std::uint16_t>(version >> 16);
    const auto minor = static_cast<std::uint16_t>(version & 0xFFFF);
    const ByteView body = reader.remaining();

    if (major == request_major) {
        if (minor == cancel_minor) {
            const std::int32_t process_id = reader.int32();
            const ByteView secret = reader.remaining();
            if (secret.size() < 4 || secret.size() > longest_cancel_secret) return StartupError::invalid_length;
            return CancelRequest{process_id, secret};
        }
        if (minor == ssl_minor && body.empty()) return SslRequest{};
        if (minor == gss_minor && body.empty()) return GssEncRequest{};
    }
    if (major != 3) return UnsupportedProtocol{major, minor};
    return read_parameters(StartupMessage{major, minor, {}}, body);
}

void write_startup_message(Bytes& out, const std::vector<std::pair<ByteView, ByteView>>& parameters) {
    Writer writer(out);
    writer.begin_untagged().int32(protocol_3_0);
    Bytes options;
    for (const auto& [name, value] : parameters) {
        if (name.starts_with(protocol_option_prefix))
            append_switch(options, name, value);
        else
            writer.string(name).string(value);
    }
    if (!options.empty()) writer.string("options").string(options);
    writer.byte('\0').end();
}

void write_ssl_request(Bytes& out) {
    Writer(out).begin_untagged().int32(request_code(ssl_minor)).end();
}

void write_cancel_request(Bytes& out, std::int32_t process_id, ByteView secret) {
    Writer(out).begin_untagged().int32(request_code(cancel_minor)).int32(process_id).bytes(secret).end();
}

}  // namespace pgsluice::wire
