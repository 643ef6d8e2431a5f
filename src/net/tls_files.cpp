#include "tls_files.hpp"

#include "tls_error.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <ctime>

namespace pgsluice::net {

namespace {

Error about(const char* what, const std::string& file) {
    return {.code = {}, .text = std::string("could not load ") + what + " \"" + file + "\": " + take_openssl_error()};
}

// Without this OpenSSL would ask for the passphrase on the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

std::chrono::system_clock::time_point expiry_of(const X509* certificate) {
    std::tm when{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) != 1) return {};
    return std::chrono::system_clock::from_time_t(::timegm(&when));
}

}  // namespace

void FreeSslContext::operator()(ssl_ctx_st* context) const {
    SSL_CTX_free(context);
}

SslContextPtr make_ssl_context(const SSL_METHOD* method) {
    ERR_clear_error();
    SslContextPtr owner(SSL_CTX_new(method));
    SSL_CTX* context = owner.get();
    if (context == nullptr) return owner;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    // An idle connection gives its record buffers back. Reading ahead takes header and body of a record in one recv.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    return owner;
}

Outcome<std::chrono::system_clock::time_point> use_certificate(SSL_CTX* context, const std::string& certificate,
                                                               const std::string& private_key) {
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) return about("certificate", certificate);
    if (SSL_CTX_use_PrivateKey_file(context, private_key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return about("private key", private_key);
    }
    if (SSL_CTX_check_private_key(context) != 1) return about("private key", private_key);
    return expiry_of(SSL_CTX_get0_certificate(context));
}

Outcome<void> trust(SSL_CTX* context, const std::string& ca) {
    ERR_clear_error();
    if (SSL_CTX_load_verify_file(context, ca.c_str()) != 1) return about("CA file", ca);
    return {};
}

}  // namespace pgsluice::net
