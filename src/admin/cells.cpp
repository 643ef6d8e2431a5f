#include "cells.hpp"

#include <pgsluice/insight/query_text.hpp>

#include <array>
#include <cstdio>
#include <ctime>

namespace pgsluice::admin {

std::string time_cell(std::int64_t micros) {
    const std::time_t seconds = micros / 1'000'000;
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 40> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
    return {text.data(), size};
}

std::string id_cell(std::uint64_t id) {
    std::array<char, 24> text{};
    const int size = std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(id));
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string fingerprint_cell(std::uint64_t fingerprint) {
    return std::string(insight::FingerprintText(fingerprint).view());
}

std::string mode_cell(config::PoolMode mode) {
    switch (mode) {
        case config::PoolMode::session: return "session";
        case config::PoolMode::transaction: return "transaction";
        case config::PoolMode::statement: return "statement";
    }
    return {};
}

std::string modes_cell(const std::set<config::PoolMode>& modes) {
    std::string all;
    for (const config::PoolMode mode : modes) all += (all.empty() ? "" : "/") + mode_cell(mode);
    return all;
}

std::string balance_cell(config::LoadBalance balance) {
    return balance == config::LoadBalance::random ? "random" : "disable";
}

std::string bounded_cell(std::string text) {
    constexpr std::size_t most_bytes = 1000;
    constexpr std::string_view cut = "...";
    if (text.size() <= most_bytes) return text;
    std::size_t end = most_bytes - cut.size();
    const auto is_inside = [&](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
    while (end > 0 && is_inside(text[end])) --end;
    return text.substr(0, end).append(cut);
}

std::string list_cell(const std::vector<std::string>& list) {
    std::string text;
    for (const std::string& each : list) text += (text.empty() ? "" : ",") + each;
    return text;
}

}  // namespace pgsluice::admin
