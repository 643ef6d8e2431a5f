#include "key_cache.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

namespace pgsluice::daemon {
namespace {

std::string digest_of(const auth::Derivation& wanted) {
    std::string text = std::to_string(wanted.iterations) + '/' + std::to_string(wanted.salt.size()) + '/' + wanted.salt;
    text += wanted.password.reveal();
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    OPENSSL_cleanse(text.data(), text.size());
    return {digest.begin(), digest.begin() + size};
}

}  // namespace

std::optional<auth::ScramKeys> KeyCache::find(const auth::Derivation& wanted) const {
    const std::string digest = digest_of(wanted);
    const std::lock_guard lock(mutex_);
    const auto found = keys_.find(digest);
    if (found == keys_.end()) return std::nullopt;
    return found->second;
}

void KeyCache::add(const auth::Derivation& wanted, const auth::ScramKeys& keys) {
    const std::lock_guard lock(mutex_);
    if (keys_.size() >= limit) keys_.clear();
    keys_.insert_or_assign(digest_of(wanted), keys);
}

}  // namespace pgsluice::daemon
