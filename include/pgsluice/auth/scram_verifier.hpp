// What a server keeps instead of a password, in the text form of pg_authid.rolpassword:
// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, the last three in base64.
#pragma once

#include <pgsluice/auth/scram_keys.hpp>
#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/secret.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice::auth {

struct ScramVerifier {
    std::uint32_t iterations = scram_iterations;
    Bytes salt;
    Secret stored_key;
    Secret server_key;

    static std::optional<ScramVerifier> parse(std::string_view text);
    static ScramVerifier from_keys(const ScramKeys& keys, ByteView salt, std::uint32_t iterations);
    std::string format() const;

    // Whether a password that derived to `keys` is the one that this was made from.
    bool accepts(const ScramKeys& keys) const { return keys.server_key == server_key; }
};

// A new verifier in text form, as CREATE ROLE would store it. Slow: see derive().
std::string hash_password(std::string_view password, ByteView salt, std::uint32_t iterations = scram_iterations);

}  // namespace pgsluice::auth
