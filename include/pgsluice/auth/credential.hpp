// A stored password, told apart by its shape as PostgreSQL does (get_password_type in src/backend/libpq/crypt.c).
#pragma once

#include <pgsluice/auth/scram_verifier.hpp>
#include <pgsluice/base/secret.hpp>

#include <string_view>
#include <variant>

namespace pgsluice::auth {

struct NoPassword {};  // the user exists, and no password lets it in
struct PlainPassword {
    Secret value;
};
struct Md5Password {
    Secret hash;  // with its "md5"
};

using Credential = std::variant<NoPassword, PlainPassword, Md5Password, ScramVerifier>;

Credential parse_credential(const Secret& stored);

// Whether a password that arrived in clear is the stored one. A SCRAM verifier answers with the Derivation whose keys
// its accepts() has to be asked about.
std::variant<bool, Derivation> check_password(const Credential& stored, std::string_view user, const Secret& password);

}  // namespace pgsluice::auth
