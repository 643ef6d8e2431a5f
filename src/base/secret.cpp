#include <pgsluice/base/secret.hpp>

#include <openssl/crypto.h>

#include <utility>

namespace pgsluice {

// A short string lives inside the object, so a move leaves a copy of it behind: cleanse the source.
Secret::Secret(Secret&& other) noexcept : value_(other.value_.data(), other.value_.size()) {
    other.cleanse();
}

Secret& Secret::operator=(Secret other) noexcept {
    cleanse();
    value_.swap(other.value_);
    return *this;
}

Secret::~Secret() {
    cleanse();
}

void Secret::cleanse() {
    OPENSSL_cleanse(value_.data(), value_.size());
    value_.clear();
}

bool Secret::equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace pgsluice
