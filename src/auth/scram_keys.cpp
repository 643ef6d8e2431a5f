#include "crypto.hpp"

#include <pgsluice/auth/saslprep.hpp>
#include <pgsluice/auth/scram_keys.hpp>
#include <pgsluice/base/check.hpp>

#include <openssl/evp.h>

namespace pgsluice::auth {

ScramKeys derive(std::string_view password, ByteView salt, std::uint32_t iterations) {
    const Secret prepared(saslprep(password));
    Bytes salted(scram_key_bytes, '\0');
    PGSLUICE_CHECK(iterations > 0 && iterations <= 0x7FFFFFFF);
    PGSLUICE_CHECK(PKCS5_PBKDF2_HMAC(prepared.reveal().data(), static_cast<int>(prepared.reveal().size()),
                                     reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                                     static_cast<int>(iterations), EVP_sha256(), static_cast<int>(salted.size()),
                                     reinterpret_cast<unsigned char*>(salted.data())) == 1);
    const Secret salted_password(std::move(salted));
    return {Secret(hmac_sha256(salted_password.reveal(), {"Client Key"})),
            Secret(hmac_sha256(salted_password.reveal(), {"Server Key"}))};
}

Bytes stand_in_salt(std::string_view user, const Secret& process_secret) {
    return hmac_sha256(process_secret.reveal(), {"salt of ", user}).substr(0, scram_salt_bytes);
}

}  // namespace pgsluice::auth
