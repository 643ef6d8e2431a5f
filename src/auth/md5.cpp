#include "crypto.hpp"

#include <pgsluice/auth/md5.hpp>

#include <algorithm>

namespace pgsluice::auth {
namespace {

constexpr std::string_view prefix = "md5";
constexpr std::size_t hex_digits = 32;

}  // namespace

bool is_md5_hash(std::string_view stored) {
    // PostgreSQL's MD5_PASSWD_CHARSET: upper-case digits are a plain password to it.
    const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return stored.size() == prefix.size() + hex_digits && stored.starts_with(prefix) &&
           std::all_of(stored.begin() + prefix.size(), stored.end(), is_digit);
}

Secret md5_hash(std::string_view password, std::string_view user) {
    return Secret(Bytes(prefix) + md5_hex({password, user}));
}

Secret md5_response(const Secret& stored_hash, ByteView salt) {
    return Secret(Bytes(prefix) + md5_hex({stored_hash.reveal().substr(prefix.size()), salt}));
}

}  // namespace pgsluice::auth
