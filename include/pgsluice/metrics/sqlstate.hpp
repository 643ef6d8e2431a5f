// Errors sent to clients, by SQLSTATE class and origin. RAISE lets any statement make up a class, so classes that
// PostgreSQL does not define count as `other`. Owning thread writes, any thread reads.
#pragma once

#include <pgsluice/metrics/counter.hpp>
#include <pgsluice/metrics/labels.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgsluice::metrics {

namespace detail {
constexpr unsigned sqlstate_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A') + 10;
    return 36;
}
}  // namespace detail

class SqlstateCounters {
  public:
    // PostgreSQL 15, appendix A; the last stands for all others.
    static constexpr std::array<std::string_view, 44> classes{
        "00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "20", "21",   "22",
        "23", "24", "25", "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D",   "3F",
        "40", "42", "44", "53", "54", "55", "57", "58", "72", "F0", "HV", "P0", "XX", "other"};

    void count(ErrorOrigin origin, std::string_view sqlstate) noexcept {
        counters_[static_cast<std::size_t>(origin)][class_of(sqlstate)].add();
    }
    const Counter& at(ErrorOrigin origin, std::size_t class_index) const noexcept {
        return counters_[static_cast<std::size_t>(origin)][class_index];
    }

    static constexpr std::size_t class_of(std::string_view sqlstate) noexcept {
        if (sqlstate.size() < 2) return classes.size() - 1;
        const unsigned high = detail::sqlstate_digit(sqlstate[0]), low = detail::sqlstate_digit(sqlstate[1]);
        return high < 36 && low < 36 ? by_digits[high * 36 + low] : classes.size() - 1;
    }

  private:
    static constexpr auto by_digits = [] {
        std::array<std::uint8_t, 36 * 36> table{};
        for (auto& entry : table) entry = classes.size() - 1;
        for (std::size_t i = 0; i + 1 < classes.size(); ++i)
            table[detail::sqlstate_digit(classes[i][0]) * 36 + detail::sqlstate_digit(classes[i][1])] =
                static_cast<std::uint8_t>(i);
        return table;
    }();

    std::array<std::array<Counter, classes.size()>, names_of(ErrorOrigin{}).size()> counters_{};
};

}  // namespace pgsluice::metrics
