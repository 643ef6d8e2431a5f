// The hashes that the SCRAM and md5 code is written in, over OpenSSL.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/secret.hpp>

#include <initializer_list>
#include <optional>

namespace pgsluice::auth {

Bytes sha256(std::initializer_list<ByteView> parts);
Bytes hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);
Bytes md5_hex(std::initializer_list<ByteView> parts);
Bytes exclusive_or(ByteView a, ByteView b);  // of equal length

Bytes base64(ByteView bytes);
// Strict: nothing but the alphabet, and '=' only where it belongs. PostgreSQL's pg_b64_decode takes no white space
// either.
std::optional<Bytes> from_base64(ByteView text);

}  // namespace pgsluice::auth
