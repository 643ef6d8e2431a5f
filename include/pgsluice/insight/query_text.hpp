// How a query is written wherever it is shown: in logs, tables and JSON.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace pgsluice::insight {

// In the place of a text that the parser could not read.
inline constexpr std::string_view not_parsed = "(not parsed)";

// A fingerprint as 16 hexadecimal digits.
class FingerprintText {
  public:
    explicit FingerprintText(std::uint64_t fingerprint);
    std::string_view view() const { return {digits_.data(), digits_.size()}; }

  private:
    std::array<char, 16> digits_;
};

}  // namespace pgsluice::insight
