// Values of rows.
#pragma once

#include <pgsluice/admin/table.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/insight/statistics.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <set>
#include <string>

namespace pgsluice::admin {

template <std::integral Number>
std::string cell(Number value) {
    return std::to_string(value);
}
inline std::string cell(bool value) {
    return value ? "1" : "0";
}

// "2026-11-29 10:00:00 UTC".
std::string time_cell(std::int64_t micros);
// As PgBouncer shows an object: "0x1f".
std::string id_cell(std::uint64_t id);
std::string fingerprint_cell(std::uint64_t fingerprint);
std::string mode_cell(config::PoolMode mode);
// Of a route: two of them where a reload has changed it, and clients of before are still there.
std::string modes_cell(const std::set<config::PoolMode>& modes);
std::string balance_cell(config::LoadBalance balance);
// At most 1000 bytes of it, cut between characters.
std::string bounded_cell(std::string text);
std::string list_cell(const std::vector<std::string>& list);

inline std::int64_t micros_of(insight::WallTime when) {
    return std::chrono::duration_cast<Microseconds>(when.time_since_epoch()).count();
}

}  // namespace pgsluice::admin
