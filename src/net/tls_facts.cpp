#include "tls_stream.hpp"

#include <boost/asio/error.hpp>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace pgsluice::net {

namespace {

// The first common name of the subject, as PostgreSQL takes it. A NUL inside could make two names look alike.
std::string common_name_of(const X509* certificate) {
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0) return {};
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (size < 0) return {};
    std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return name.find('\0') == std::string::npos ? name : std::string();
}

// RFC 5929 section 4.1: the hash of the certificate's signature, but SHA-256 in place of MD5 and SHA-1.
std::string end_point_of(X509* certificate) {
    int digest = NID_undef;
    if (certificate == nullptr || X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1)
        return {};
    if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;
    const EVP_MD* algorithm = EVP_get_digestbynid(digest);
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (algorithm == nullptr || X509_digest(certificate, algorithm, hash, &size) != 1) return {};
    return {reinterpret_cast<const char*>(hash), size};
}

std::string text_or_empty(const char* text) {
    return text != nullptr ? text : "";
}

}  // namespace

std::string TlsStream::name() const {
    return text_or_empty(SSL_get_version(ssl_)) + '/' + text_or_empty(SSL_get_cipher_name(ssl_));
}

TlsFacts TlsStream::facts() const {
    TlsFacts facts;
    facts.version = text_or_empty(SSL_get_version(ssl_));
    facts.cipher = text_or_empty(SSL_get_cipher_name(ssl_));
    facts.cipher_bits = SSL_get_cipher_bits(ssl_, nullptr);
    if (SSL_is_server(ssl_) == 1)
        facts.server_name = text_or_empty(SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name));

    const unsigned char* protocol = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl_, &protocol, &length);
    if (length > 0) facts.alpn.assign(reinterpret_cast<const char*>(protocol), length);

    X509* certificate = SSL_get0_peer_certificate(ssl_);
    facts.server_end_point = end_point_of(SSL_is_server(ssl_) == 1 ? SSL_get_certificate(ssl_) : certificate);
    const bool was_checked = (SSL_get_verify_mode(ssl_) & SSL_VERIFY_PEER) != 0;
    if (certificate != nullptr && was_checked && SSL_get_verify_result(ssl_) == X509_V_OK) {
        facts.peer_certificate = true;
        facts.common_name = common_name_of(certificate);
    }
    return facts;
}

}  // namespace pgsluice::net
