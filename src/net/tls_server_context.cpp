#include "tls_error.hpp"
#include "tls_files.hpp"

#include <pgsluice/net/tls_context.hpp>

#include <openssl/err.h>

namespace pgsluice::net {

namespace {

// libpq reads at least 8 KiB at a time and then trusts select(); of a larger record the rest would stay inside its
// OpenSSL while an asynchronous application waits on the socket for bytes that have come already.
constexpr long largest_record_to_clients = 8192;

// Agrees on "postgresql" where the client offers it. Other offers are ignored, as PostgreSQL before 17 does.
int select_alpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                unsigned offered_length, void*) {
    unsigned char* selected = nullptr;
    const int found =
        SSL_select_next_proto(&selected, out_length, alpn_postgresql, sizeof alpn_postgresql, offered, offered_length);
    if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

Outcome<std::shared_ptr<const TlsServerContext>> TlsServerContext::load(const Files& files) {
    std::shared_ptr<TlsServerContext> made(new TlsServerContext);
    made->context_ = make_ssl_context(TLS_server_method());
    SSL_CTX* context = made->context_.get();
    if (context == nullptr) return Error{.code = {}, .text = "could not set up TLS: " + take_openssl_error()};

    const auto expiry = use_certificate(context, files.certificate, files.private_key);
    if (!expiry) return expiry.error();
    made->expiry_ = *expiry;

    if (files.client_certificate != ClientCertificate::none) {
        if (const auto trusted = trust(context, files.client_ca); !trusted) return trusted.error();
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(files.client_ca.c_str()));
        const int insist = files.client_certificate == ClientCertificate::require ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | insist, nullptr);
    }
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_max_send_fragment(context, largest_record_to_clients);
    SSL_CTX_set_alpn_select_cb(context, select_alpn, nullptr);
    ERR_clear_error();
    return std::shared_ptr<const TlsServerContext>(std::move(made));
}

}  // namespace pgsluice::net
