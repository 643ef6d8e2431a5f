#include "scalars.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace pgsluice::config {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};
// Largest first: writing takes the first that divides.
constexpr std::array durations{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1000},
                               Unit{"ms", 1}};
constexpr std::array sizes{Unit{"GiB", 1ULL << 30}, Unit{"MiB", 1ULL << 20}, Unit{"KiB", 1ULL << 10}};

// Saturates where the product does not fit: every range ends far below.
std::uint64_t times(std::uint64_t number, std::uint64_t factor) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return number > most / factor ? most : number * factor;
}

struct Quantity {
    std::uint64_t number;
    std::string_view unit;
};
std::optional<Quantity> split(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::invalid_argument) return std::nullopt;
    if (error == std::errc::result_out_of_range) number = std::numeric_limits<std::uint64_t>::max();
    return Quantity{number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

template <std::size_t N>
std::string written(std::uint64_t value, const std::array<Unit, N>& units) {
    for (const Unit& unit : units) {
        if (value != 0 && value % unit.factor == 0) return std::to_string(value / unit.factor).append(unit.name);
    }
    return std::to_string(value);
}

}  // namespace

Parsed<Milliseconds> parse_duration(std::string_view text) {
    const auto quantity = split(text);
    if (!quantity) return std::string("must be a duration");
    if (quantity->unit.empty()) {
        if (quantity->number == 0) return Milliseconds::zero();
        return std::string("needs a unit");
    }
    for (const Unit& unit : durations) {
        if (unit.name == quantity->unit) return Milliseconds(times(quantity->number, unit.factor));
    }
    return std::string("has an unknown unit");
}

Parsed<std::uint64_t> parse_size(std::string_view text) {
    const auto quantity = split(text);
    if (!quantity) return std::string("must be a size");
    if (quantity->unit.empty()) return quantity->number;
    for (const Unit& unit : sizes) {
        if (unit.name == quantity->unit) return times(quantity->number, unit.factor);
    }
    return std::string("has an unknown unit");
}

Parsed<std::uint64_t> parse_number(std::string_view text) {
    const auto quantity = split(text);
    if (!quantity || !quantity->unit.empty()) return std::string("must be a whole number");
    return quantity->number;
}

std::string duration_text(Milliseconds value) {
    return written(static_cast<std::uint64_t>(value.count()), durations);
}

std::string size_text(std::uint64_t bytes) {
    return written(bytes, sizes);
}

}  // namespace pgsluice::config
