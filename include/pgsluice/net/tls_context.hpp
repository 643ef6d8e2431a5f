// TLS settings for one side, loaded from files and immutable: a reload makes new ones, and a connection keeps alive
// those that it was made with. TLS 1.2 and up, no renegotiation, tickets, session cache or compression.
#pragma once

#include <pgsluice/net/error.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

struct ssl_ctx_st;

namespace pgsluice::net {

struct FreeSslContext {
    void operator()(ssl_ctx_st* context) const;
};
using SslContextPtr = std::unique_ptr<ssl_ctx_st, FreeSslContext>;

// For connections that clients make to us.
class TlsServerContext {
  public:
    enum class ClientCertificate : std::uint8_t {
        none,     // not asked for
        ask,      // asked for and verified against client_ca; none at all is accepted
        require,  // the handshake fails without a certificate that client_ca vouches for
    };
    struct Files {
        std::string certificate;  // PEM, the chain behind the leaf
        std::string private_key;
        std::string client_ca;  // needed unless client_certificate is none
        ClientCertificate client_certificate = ClientCertificate::none;
    };

    // The error names the file. A key that is protected by a passphrase is refused rather than asked for.
    static Outcome<std::shared_ptr<const TlsServerContext>> load(const Files& files);

    std::chrono::system_clock::time_point certificate_expiry() const { return expiry_; }
    ssl_ctx_st* native() const { return context_.get(); }

  private:
    TlsServerContext() = default;
    SslContextPtr context_;
    std::chrono::system_clock::time_point expiry_;
};

// For connections that we make to servers.
class TlsClientContext {
  public:
    enum class Verify : std::uint8_t {  // libpq's sslmode of the same name
        require,                        // encrypts, trusts anyone
        verify_ca,                      // the certificate must come from a trusted authority
        verify_full,                    // and must be made out to the host
    };
    struct Files {
        Verify verify = Verify::verify_full;
        std::string ca;           // empty: the system's store
        std::string certificate;  // ours, optional, with its key
        std::string private_key;
    };

    static Outcome<std::shared_ptr<const TlsClientContext>> load(const Files& files);

    Verify verify() const { return verify_; }
    // Of our own certificate; time_point::max() where there is none.
    std::chrono::system_clock::time_point certificate_expiry() const { return expiry_; }
    ssl_ctx_st* native() const { return context_.get(); }

  private:
    TlsClientContext() = default;
    SslContextPtr context_;
    Verify verify_ = Verify::verify_full;
    std::chrono::system_clock::time_point expiry_ = std::chrono::system_clock::time_point::max();
};

}  // namespace pgsluice::net
