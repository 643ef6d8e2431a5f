// The two keys that a SCRAM-SHA-256 password stands for (RFC 5802 section 3). Whoever holds both can log in as a client
// and can tell the server's signature from a forged one, without the password: that is what pass-through keeps.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/secret.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgsluice::auth {

constexpr std::size_t scram_key_bytes = 32;
constexpr std::size_t scram_salt_bytes = 16;              // SCRAM_DEFAULT_SALT_LEN
constexpr std::size_t scram_nonce_bytes = 18;             // SCRAM_RAW_NONCE_LEN; goes out in base64
constexpr std::uint32_t scram_iterations = 4096;          // SCRAM_DEFAULT_ITERATIONS
constexpr std::uint32_t scram_iterations_limit = 100000;  // computed for nobody beyond: others name the count
constexpr std::size_t scram_message_limit = 1024;         // PG_MAX_SASL_MESSAGE_LENGTH
constexpr std::string_view scram_sha_256 = "SCRAM-SHA-256";
constexpr std::string_view scram_sha_256_plus = "SCRAM-SHA-256-PLUS";

struct ScramKeys {
    Secret client_key;
    Secret server_key;
};

// What derive() needs. A machine that wants it hands this out as an action; the answer may be cached under all three.
struct Derivation {
    Secret password;
    Bytes salt;
    std::uint32_t iterations = 0;
};

// PBKDF2: milliseconds of CPU by design, so never on a worker. The password goes through SASLprep here.
ScramKeys derive(std::string_view password, ByteView salt, std::uint32_t iterations);
inline ScramKeys derive(const Derivation& wanted) {
    return derive(wanted.password.reveal(), wanted.salt, wanted.iterations);
}

// The salt that goes with a user for whom none is stored: unknown users, and those whose password is kept plain. Stable
// as long as `process_secret` is, so that asking twice does not tell an unknown user from a known one.
Bytes stand_in_salt(std::string_view user, const Secret& process_secret);

}  // namespace pgsluice::auth
