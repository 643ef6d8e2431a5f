// What the tag of a CommandComplete tells of the server that sent it, beyond the answer.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstdint>

namespace pgsluice::protocol {

enum class Aftermath : std::uint8_t {
    none,
    deallocated,     // every named statement is gone: DEALLOCATE ALL, DISCARD ALL
    schema_changed,  // ALTER, CREATE, DROP; GRANT, REVOKE: search_path leads only where its reader has USAGE
};

// The tag, as it stands in the body up to its NUL.
constexpr ByteView command_tag(ByteView body) {
    return body.substr(0, body.find('\0'));
}

constexpr Aftermath aftermath_of(ByteView tag) {
    const char first = tag.empty() ? '\0' : tag.front();
    if (first != 'A' && first != 'C' && first != 'D' && first != 'G' && first != 'R') return Aftermath::none;
    if (tag == "DEALLOCATE ALL" || tag == "DISCARD ALL") return Aftermath::deallocated;
    const bool is_ddl = tag.starts_with("ALTER ") || tag.starts_with("CREATE ") || tag.starts_with("DROP ");
    const bool is_right = tag.starts_with("GRANT") || tag.starts_with("REVOKE");  // and GRANT ROLE, REVOKE ROLE
    return is_ddl || is_right ? Aftermath::schema_changed : Aftermath::none;
}

// How many rows it returned or changed: the number that ends the tag; 0 where there is none.
constexpr std::uint64_t rows_of(ByteView body) {
    const ByteView tag = command_tag(body);
    std::uint64_t rows = 0;
    std::uint64_t place = 1;
    for (std::size_t at = tag.size(); at > 0 && tag[at - 1] >= '0' && tag[at - 1] <= '9'; --at, place *= 10) {
        rows += static_cast<std::uint64_t>(tag[at - 1] - '0') * place;
    }
    return rows;
}

}  // namespace pgsluice::protocol
