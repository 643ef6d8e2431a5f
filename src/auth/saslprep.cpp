#include <pgsluice/auth/saslprep.hpp>

#include <stringprep.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace pgsluice::auth {
namespace {

constexpr std::size_t longest_prepared = 65536;  // a PasswordMessage holds no more

}  // namespace

std::string saslprep(std::string_view password) {
    // ASCII maps to itself, and PostgreSQL's fast path lets its control characters pass too.
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(password.begin(), password.end(), is_ascii)) return std::string(password);
    if (password.find('\0') != std::string_view::npos || password.size() > longest_prepared)
        return std::string(password);

    // A stored string, in RFC 3454's words: code points that were unassigned in Unicode 3.2 are prohibited. The
    // function checks the UTF-8 as well.
    char* prepared = nullptr;
    const std::string raw(password);
    const int result = stringprep_profile(raw.c_str(), &prepared, "SASLprep", STRINGPREP_NO_UNASSIGNED);
    const std::unique_ptr<char, decltype(&std::free)> owner(prepared, std::free);
    if (result != STRINGPREP_OK || *prepared == '\0') return raw;
    return std::string(prepared);
}

}  // namespace pgsluice::auth
