#include "tls_error.hpp"

#include <openssl/err.h>

#include <cstring>

namespace pgsluice::net {

std::string take_openssl_error() {
    const unsigned long first = ERR_get_error();
    ERR_clear_error();
    if (first == 0) return "unknown error";
    if (ERR_SYSTEM_ERROR(first)) return std::strerror(ERR_GET_REASON(first));
    if (const char* reason = ERR_reason_error_string(first)) return reason;
    return "OpenSSL error " + std::to_string(first);
}

}  // namespace pgsluice::net
