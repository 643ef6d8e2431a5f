// What the contexts of both sides share: settings, and certificates and keys read from files.
#pragma once

#include <pgsluice/net/error.hpp>
#include <pgsluice/net/link.hpp>
#include <pgsluice/net/tls_context.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>

namespace pgsluice::net {

// alpn_protocol as it stands on the wire, length first.
inline constexpr unsigned char alpn_postgresql[] = {10, 'p', 'o', 's', 't', 'g', 'r', 'e', 's', 'q', 'l'};
static_assert(std::equal(alpn_postgresql + 1, std::end(alpn_postgresql), alpn_protocol.begin(), alpn_protocol.end()));

SslContextPtr make_ssl_context(const SSL_METHOD* method);

// Sets our certificate chain and key, and returns when the leaf expires.
Outcome<std::chrono::system_clock::time_point> use_certificate(SSL_CTX* context, const std::string& certificate,
                                                               const std::string& private_key);
// Trusts the authorities in the file.
Outcome<void> trust(SSL_CTX* context, const std::string& ca);

}  // namespace pgsluice::net
