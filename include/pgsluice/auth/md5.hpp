// PostgreSQL's md5 passwords: "md5" + hex(md5(password + user)) is stored, and a login answers a salt with
// "md5" + hex(md5(hex part + salt)). Weak by today's measure; here because clients and servers still use it.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/secret.hpp>

#include <cstddef>
#include <string_view>

namespace pgsluice::auth {

constexpr std::size_t md5_salt_bytes = 4;

bool is_md5_hash(std::string_view stored);  // "md5" and 32 lower-case hexadecimal digits
Secret md5_hash(std::string_view password, std::string_view user);
Secret md5_response(const Secret& stored_hash, ByteView salt);

}  // namespace pgsluice::auth
