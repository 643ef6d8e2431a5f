#include <pgsluice/auth/saslprep.hpp>

#include <stringprep.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace pgsluice::auth {
namespace {

// To sort combining marks costs the square of their number. This much is done within 50 ms.
constexpr std::size_t longest_prepared = 16384;
constexpr std::size_t longest_expansion = 18;  // that of U+FDFA under NFKC, in code points

template <class Char>
using Owned = std::unique_ptr<Char, decltype(&std::free)>;

}  // namespace

std::string saslprep(std::string_view password) {
    // ASCII maps to itself, and PostgreSQL's fast path lets its control characters pass too.
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(password.begin(), password.end(), is_ascii)) return std::string(password);
    if (password.find('\0') != std::string_view::npos || password.size() > longest_prepared)
        return std::string(password);

    const std::string raw(password);
    std::size_t length = 0;
    // The function checks the UTF-8 as well.
    const Owned<std::uint32_t> decoded(stringprep_utf8_to_ucs4(raw.c_str(), -1, &length), std::free);
    if (decoded == nullptr) return raw;
    // In room for all that may come of it: where there is too little, stringprep_profile() begins again with some more.
    std::vector<std::uint32_t> prepared(length * longest_expansion + 1);
    std::copy_n(decoded.get(), length, prepared.begin());
    // A stored string, in RFC 3454's words: code points that were unassigned in Unicode 3.2 are prohibited.
    const int result =
        stringprep_4i(prepared.data(), &length, prepared.size(), STRINGPREP_NO_UNASSIGNED, stringprep_saslprep);
    if (result != STRINGPREP_OK || length == 0) return raw;
    const Owned<char> encoded(stringprep_ucs4_to_utf8(prepared.data(), static_cast<ssize_t>(length), nullptr, nullptr),
                              std::free);
    return encoded == nullptr ? raw : std::string(encoded.get());
}

}  // namespace pgsluice::auth
