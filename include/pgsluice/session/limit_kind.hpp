// The limit of a policy that has cut a statement off or refused it.
#pragma once

#include <cstdint>
#include <string_view>

namespace pgsluice::session {

enum class LimitKind : std::uint8_t { max_duration, max_rows, max_bytes, concurrency, rate };

constexpr std::string_view name_of(LimitKind kind) {
    constexpr std::string_view names[] = {"max_duration", "max_rows", "max_bytes", "concurrency", "rate"};
    return names[static_cast<std::size_t>(kind)];
}

}  // namespace pgsluice::session
