// Certificates for tests, made on the spot: authorities, servers, clients, expired ones. EC keys, so they cost nothing.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace pgsluice::test {

// A directory that goes with the object.
class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "pgsluice-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        path_ = name;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

    std::string operator/(const std::string& file) const { return (path_ / file).string(); }
    std::string string() const { return path_.string(); }

  private:
    std::filesystem::path path_;
};

struct FreeOpenSsl {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
};

struct Certificate {
    std::unique_ptr<EVP_PKEY, FreeOpenSsl> key;
    std::unique_ptr<X509, FreeOpenSsl> certificate;

    void write(const std::string& certificate_file, const std::string& key_file = "") const {
        std::FILE* file = std::fopen(certificate_file.c_str(), "w");
        PEM_write_X509(file, certificate.get());
        std::fclose(file);
        if (key_file.empty()) return;
        file = std::fopen(key_file.c_str(), "w");
        PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
    }
};

struct CertificateRequest {
    std::string common_name;
    std::string alternative_names = "";   // "DNS:localhost,IP:127.0.0.1"
    const Certificate* issuer = nullptr;  // nullptr: an authority that signs itself
    long valid_from_seconds = -3600;      // from now
    long valid_until_seconds = 24 * 3600;
};

inline void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    if (extension == nullptr) std::abort();
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

inline Certificate make_certificate(const CertificateRequest& request) {
    static std::atomic<long> serial{1};
    Certificate made;
    made.key.reset(EVP_EC_gen("P-256"));
    made.certificate.reset(X509_new());
    X509* certificate = made.certificate.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), request.valid_from_seconds);
    X509_gmtime_adj(X509_getm_notAfter(certificate), request.valid_until_seconds);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME* name = X509_get_subject_name(certificate);
    const auto* text = reinterpret_cast<const unsigned char*>(request.common_name.data());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, static_cast<int>(request.common_name.size()), -1, 0);

    X509* issuer = request.issuer != nullptr ? request.issuer->certificate.get() : certificate;
    EVP_PKEY* signing_key = request.issuer != nullptr ? request.issuer->key.get() : made.key.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    add_extension(certificate, issuer, NID_basic_constraints,
                  request.issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
    if (!request.alternative_names.empty()) {
        add_extension(certificate, issuer, NID_subject_alt_name, request.alternative_names);
    }
    X509_sign(certificate, signing_key, EVP_sha256());
    return made;
}

}  // namespace pgsluice::test
