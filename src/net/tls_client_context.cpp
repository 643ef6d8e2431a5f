#include "tls_error.hpp"
#include "tls_files.hpp"

#include <pgsluice/net/tls_context.hpp>

#include <openssl/err.h>

namespace pgsluice::net {

Outcome<std::shared_ptr<const TlsClientContext>> TlsClientContext::load(const Files& files) {
    std::shared_ptr<TlsClientContext> made(new TlsClientContext);
    made->verify_ = files.verify;
    made->context_ = make_ssl_context(TLS_client_method());
    SSL_CTX* context = made->context_.get();
    if (context == nullptr) return Error{.code = {}, .text = "could not set up TLS: " + take_openssl_error()};

    if (files.verify != Verify::require) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
        if (!files.ca.empty()) {
            if (const auto trusted = trust(context, files.ca); !trusted) return trusted.error();
        } else if (SSL_CTX_set_default_verify_paths(context) != 1) {
            return Error{.code = {}, .text = "could not load the system's CA store: " + take_openssl_error()};
        }
    }
    if (!files.certificate.empty()) {
        const auto expiry = use_certificate(context, files.certificate, files.private_key);
        if (!expiry) return expiry.error();
        made->expiry_ = *expiry;
    }
    // Returns 0 for success, unlike its neighbours.
    SSL_CTX_set_alpn_protos(context, alpn_postgresql, sizeof alpn_postgresql);
    ERR_clear_error();
    return std::shared_ptr<const TlsClientContext>(std::move(made));
}

}  // namespace pgsluice::net
