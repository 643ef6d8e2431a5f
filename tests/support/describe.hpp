// A stream of messages as text, one line each, so that a failed comparison reads as a conversation:
//
//     EXPECT_EQ(describe(client.take()), "ErrorResponse ERROR 42501 \"blocked\"\nReadyForQuery I\n");
//
// Never fails: what cannot be read is printed as such.
#pragma once

#include <pgsluice/base/escape.hpp>
#include <pgsluice/wire/reader.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pgsluice::test {

enum class From : std::uint8_t { client, server };

namespace describing {

inline std::string quoted(ByteView text) {
    return '"' + escaped(text, 200) + '"';
}

inline std::string values(wire::Reader& reader) {
    std::string out;
    const std::int16_t count = reader.int16();
    for (std::int16_t i = 0; i < count && reader.ok(); ++i) {
        const std::int32_t length = reader.int32();
        out += ' ';
        out += length < 0 ? "NULL" : quoted(reader.bytes(static_cast<std::size_t>(length)));
    }
    return out;
}

inline std::string error_fields(wire::Reader& reader) {
    std::string severity, sqlstate, text, more;
    while (const char code = static_cast<char>(reader.byte())) {
        const ByteView value = reader.string();
        switch (code) {
            case 'S': break;
            case 'V': severity = value; break;
            case 'C': sqlstate = value; break;
            case 'M': text = quoted(value); break;
            default: more += std::string(" ") + code + '=' + quoted(value);
        }
    }
    return ' ' + severity + ' ' + sqlstate + ' ' + text + more;
}

inline std::string client_message(char tag, wire::Reader& reader) {
    const auto target = [&](const char* name) {
        const auto kind = static_cast<char>(reader.byte());
        return std::string(name) + ' ' + kind + ' ' + quoted(reader.string());
    };
    switch (tag) {
        case 'Q': return "Query " + quoted(reader.string());
        case 'P': {
            std::string out = "Parse " + quoted(reader.string());
            out += ' ' + quoted(reader.string());
            const std::int16_t count = reader.int16();
            for (std::int16_t i = 0; i < count && reader.ok(); ++i) out += ' ' + std::to_string(reader.int32());
            return out;
        }
        case 'B': {
            std::string out = "Bind " + quoted(reader.string());
            out += ' ' + quoted(reader.string());
            const std::int16_t formats = reader.int16();
            for (std::int16_t i = 0; i < formats && reader.ok(); ++i) reader.int16();
            out += values(reader);
            reader.bytes(reader.remaining().size());
            return out;
        }
        case 'D': return target("Describe");
        case 'C': return target("Close");
        case 'E': {
            const std::string portal = quoted(reader.string());
            return "Execute " + portal + ' ' + std::to_string(reader.int32());
        }
        case 'S': return "Sync";
        case 'H': return "Flush";
        case 'X': return "Terminate";
        case 'd': return "CopyData " + quoted(reader.bytes(reader.remaining().size()));
        case 'c': return "CopyDone";
        case 'f': return "CopyFail " + quoted(reader.string());
        case 'F': return "FunctionCall " + std::to_string(reader.remaining().size());
        case 'p': return "Password " + quoted(reader.bytes(reader.remaining().size()));
        default: return std::string("Unknown ") + quoted(ByteView(&tag, 1));
    }
}

inline std::string server_message(char tag, wire::Reader& reader) {
    const auto all = [&] { return reader.bytes(reader.remaining().size()); };
    switch (tag) {
        case 'R': {
            const std::int32_t code = reader.int32();
            const ByteView data = all();
            return "Authentication " + std::to_string(code) + (data.empty() ? "" : ' ' + quoted(data));
        }
        case 'S': {
            const std::string name = quoted(reader.string());
            return "ParameterStatus " + name + ' ' + quoted(reader.string());
        }
        case 'K': {
            const std::int32_t process_id = reader.int32();
            return "BackendKeyData " + std::to_string(process_id) + ' ' + quoted(all());
        }
        case 'Z': return std::string("ReadyForQuery ") + static_cast<char>(reader.byte());
        case 'T': {
            std::string out = "RowDescription";
            const std::int16_t count = reader.int16();
            for (std::int16_t i = 0; i < count && reader.ok(); ++i) {
                out += ' ' + quoted(reader.string());
                reader.bytes(18);
            }
            return out;
        }
        case 't': {
            std::string out = "ParameterDescription";
            const std::int16_t count = reader.int16();
            for (std::int16_t i = 0; i < count && reader.ok(); ++i) out += ' ' + std::to_string(reader.int32());
            return out;
        }
        case 'D': return "DataRow" + values(reader);
        case 'C': return "CommandComplete " + quoted(reader.string());
        case 'E': return "ErrorResponse" + error_fields(reader);
        case 'N': return "NoticeResponse" + error_fields(reader);
        case 'A': {
            const std::int32_t process_id = reader.int32();
            const std::string channel = quoted(reader.string());
            return "NotificationResponse " + std::to_string(process_id) + ' ' + channel + ' ' + quoted(reader.string());
        }
        case '1': return "ParseComplete";
        case '2': return "BindComplete";
        case '3': return "CloseComplete";
        case 'n': return "NoData";
        case 'I': return "EmptyQueryResponse";
        case 's': return "PortalSuspended";
        case 'c': return "CopyDone";
        case 'd': return "CopyData " + quoted(all());
        case 'G': return "CopyInResponse " + std::to_string(all().size());
        case 'H': return "CopyOutResponse " + std::to_string(all().size());
        case 'W': return "CopyBothResponse " + std::to_string(all().size());
        case 'V': return "FunctionCallResponse " + quoted(all());
        case 'v': {
            const std::int32_t newest = reader.int32();
            std::string out = "NegotiateProtocolVersion " + std::to_string(newest >> 16);
            out += '.' + std::to_string(newest & 0xFFFF);
            const std::int32_t count = reader.int32();
            for (std::int32_t i = 0; i < count && reader.ok(); ++i) out += ' ' + quoted(reader.string());
            return out;
        }
        default: return std::string("Unknown ") + quoted(ByteView(&tag, 1));
    }
}

}  // namespace describing

// Untagged packets are not part of such a stream: cut them off first.
inline std::string describe(ByteView stream, From from = From::server) {
    std::string out;
    while (!stream.empty()) {
        wire::Reader header(stream);
        const auto tag = static_cast<char>(header.byte());
        const auto length = static_cast<std::uint32_t>(header.int32());
        if (!header.ok() || length < 4 || length - 4 > header.remaining().size()) {
            return out + "(incomplete) " + describing::quoted(stream) + '\n';
        }
        wire::Reader body(header.bytes(length - 4));
        out += from == From::client ? describing::client_message(tag, body) : describing::server_message(tag, body);
        if (!body.ok()) out += " (malformed)";
        if (body.ok() && !body.at_end()) out += " (and " + std::to_string(body.remaining().size()) + " more bytes)";
        out += '\n';
        stream.remove_prefix(1 + std::size_t{length});
    }
    return out;
}

inline std::string describe_client(ByteView stream) {
    return describe(stream, From::client);
}
inline std::string describe_server(ByteView stream) {
    return describe(stream, From::server);
}

}  // namespace pgsluice::test
