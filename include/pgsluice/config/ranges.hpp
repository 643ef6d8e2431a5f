// How far values reach, for the schemas that check them and for those who write configurations, and must stay inside.
#pragma once

#include <pgsluice/base/time.hpp>
#include <pgsluice/config/config.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace pgsluice::config {

constexpr std::uint32_t most_connections = 1'000'000;       // of clients, and of servers of a user
constexpr std::uint32_t most_server_connections = 100'000;  // of a server over all pools
constexpr std::uint32_t largest_pool = 100'000;
constexpr std::uint32_t most_prepared_statements = 1'000'000;
// PostgreSQL's PQ_LARGE_MESSAGE_LIMIT is the longest.
constexpr std::uint64_t shortest_message_limit = 16 << 10, longest_message_limit = 1073741822;
// Linux's MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL and MAX_TCP_KEEPCNT.
constexpr Milliseconds longest_keepalive = std::chrono::seconds(32767);
constexpr std::uint32_t most_keepalive_probes = 127;
constexpr Milliseconds longest_unacknowledged = std::chrono::hours(24);  // timeouts.tcp_user

// libpq's sslmode.
constexpr std::array<std::pair<std::string_view, ServerTlsMode>, 6> server_tls_modes{
    {{"disable", ServerTlsMode::disable},
     {"allow", ServerTlsMode::allow},
     {"prefer", ServerTlsMode::prefer},
     {"require", ServerTlsMode::require},
     {"verify-ca", ServerTlsMode::verify_ca},
     {"verify-full", ServerTlsMode::verify_full}}};

}  // namespace pgsluice::config
