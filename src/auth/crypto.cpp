#include "crypto.hpp"

#include <pgsluice/base/check.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <memory>

namespace pgsluice::auth {
namespace {

// Fetched once: a look-up by name takes a lock and costs more than the hash of a short text.
const EVP_MD* sha256_algorithm() {
    static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    return fetched;
}
const EVP_MD* md5_algorithm() {
    // Whether md5 passwords are good enough is the administrator's rule to make, not that of a system-wide FIPS
    // property.
    static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "MD5", "-fips");
    return fetched;
}

Bytes digest(const EVP_MD* algorithm, std::initializer_list<ByteView> parts) {
    PGSLUICE_CHECK(algorithm != nullptr);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    PGSLUICE_CHECK(context && EVP_DigestInit_ex2(context.get(), algorithm, nullptr) == 1);
    for (const ByteView part : parts) {
        PGSLUICE_CHECK(EVP_DigestUpdate(context.get(), part.data(), part.size()) == 1);
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
    unsigned size = 0;
    PGSLUICE_CHECK(EVP_DigestFinal_ex(context.get(), hash.data(), &size) == 1);
    return Bytes(hash.begin(), hash.begin() + size);
}

}  // namespace

Bytes sha256(std::initializer_list<ByteView> parts) {
    return digest(sha256_algorithm(), parts);
}

Bytes hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
    Bytes message;
    for (const ByteView part : parts) message += part;
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
    unsigned size = 0;
    PGSLUICE_CHECK(HMAC(sha256_algorithm(), key.data(), static_cast<int>(key.size()),
                        reinterpret_cast<const unsigned char*>(message.data()), message.size(), hash.data(),
                        &size) != nullptr);
    return Bytes(hash.begin(), hash.begin() + size);
}

Bytes md5_hex(std::initializer_list<ByteView> parts) {
    constexpr char digits[] = "0123456789abcdef";
    Bytes hex;
    for (const char c : digest(md5_algorithm(), parts)) {
        const auto octet = static_cast<unsigned char>(c);
        hex += digits[octet >> 4];
        hex += digits[octet & 15];
    }
    return hex;
}

Bytes exclusive_or(ByteView a, ByteView b) {
    PGSLUICE_CHECK(a.size() == b.size());
    Bytes result(a);
    for (std::size_t i = 0; i < b.size(); ++i) result[i] = static_cast<char>(result[i] ^ b[i]);
    return result;
}

}  // namespace pgsluice::auth
