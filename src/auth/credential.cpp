#include <pgsluice/auth/credential.hpp>
#include <pgsluice/auth/md5.hpp>

#include <string>

namespace pgsluice::auth {

Credential parse_credential(const Secret& stored) {
    const auto text = stored.reveal();
    if (text.empty()) return NoPassword{};
    if (is_md5_hash(text)) return Md5Password{stored};
    if (auto verifier = ScramVerifier::parse(text)) return std::move(*verifier);
    return PlainPassword{stored};
}

std::variant<bool, Derivation> check_password(const Credential& stored, std::string_view user, const Secret& password) {
    // CVE-2017-7546: an empty password is none, whatever is stored.
    if (password.empty()) return false;
    if (const auto* plain = std::get_if<PlainPassword>(&stored)) return plain->value == password;
    if (const auto* md5 = std::get_if<Md5Password>(&stored)) return md5->hash == md5_hash(password.reveal(), user);
    if (const auto* verifier = std::get_if<ScramVerifier>(&stored)) {
        return Derivation{password, verifier->salt, verifier->iterations};
    }
    return false;
}

}  // namespace pgsluice::auth
