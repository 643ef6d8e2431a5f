// The texts of single values: durations, sizes, numbers. Reading says what is wrong and what is allowed; writing gives
// the shortest text that reads back to the same value.
#pragma once

#include <pgsluice/base/time.hpp>

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pgsluice::config {

template <class T>
using Parsed = boost::system::result<T, std::string>;  // the error is a sentence about the text, without the text

Parsed<Milliseconds> parse_duration(std::string_view text);  // 500ms, 10s, 5m, 1h, 1d, or 0
Parsed<std::uint64_t> parse_size(std::string_view text);     // 4096, 16KiB, 1MiB, 1GiB
Parsed<std::uint64_t> parse_number(std::string_view text);   // decimal digits

std::string duration_text(Milliseconds value);
std::string size_text(std::uint64_t bytes);

}  // namespace pgsluice::config
