#include "spelled_out.hpp"

#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/sql/passwords.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::sql {

namespace {

constexpr std::array<std::string_view, 23> telling_kinds{"alter database",
                                                         "alter foreign data wrapper",
                                                         "alter foreign table",
                                                         "alter function",
                                                         "alter procedure",
                                                         "alter role",
                                                         "alter routine",
                                                         "alter server",
                                                         "alter subscription",
                                                         "alter system",
                                                         "alter user mapping",
                                                         "copy from",
                                                         "copy to",
                                                         "create foreign data wrapper",
                                                         "create foreign table",
                                                         "create function",
                                                         "create procedure",
                                                         "create role",
                                                         "create server",
                                                         "create subscription",
                                                         "create user mapping",
                                                         "do",
                                                         "import foreign schema"};

Kinds telling() {
    Kinds all;
    for (const std::string_view name : telling_kinds) all |= *kinds_named(name);
    return all;
}

bool contains(ByteView text, ByteView word) {
    const auto same = [](char a, char b) { return lower_case(a) == b; };
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

// user:password@ behind the "//" of a URI; libpq looks for the @ in front of the next slash.
bool has_uri_with_password(ByteView text) {
    constexpr ByteView mark = "://";
    for (std::size_t at = text.find(mark); at != ByteView::npos; at = text.find(mark, at)) {
        at += mark.size();
        const ByteView authority = text.substr(at, std::min(text.find('/', at), text.size()) - at);
        const std::size_t last_at = authority.rfind('@');
        if (last_at != ByteView::npos && authority.find(':') < last_at) return true;
    }
    return false;
}

bool names_password(ByteView text) {
    return contains(text, "passw") || has_uri_with_password(text);
}

// Its escapes begin with a character that the text itself chooses.
bool has_unicode_string(ByteView text) {
    return contains(text, "u&'") || contains(text, "u&\"");
}

// They take connection strings, in which a password may be spelled with escapes, or as part of a URI; or are those of
// pgcrypto, which take passwords and keys as they are.
bool takes_password(const Function& function) {
    static constexpr std::array<std::string_view, 4> beginnings{"dblink", "postgres_fdw", "pgp_sym_",
                                                                "pgp_pub_decrypt"};
    static constexpr std::array<std::string_view, 6> names{"crypt",   "decrypt",    "decrypt_iv",
                                                           "encrypt", "encrypt_iv", "hmac"};
    const auto begins = [&](std::string_view each) { return function.name.starts_with(each); };
    return std::find(names.begin(), names.end(), function.name) != names.end() ||
           std::any_of(beginnings.begin(), beginnings.end(), begins);
}

}  // namespace

bool may_hold_password(ByteView text, const Facts& facts) {
    static const Kinds kinds = telling();
    if ((facts.kinds & kinds).any() || names_password(text) || has_unicode_string(text) ||
        std::any_of(facts.functions.begin(), facts.functions.end(), takes_password))
        return true;
    const auto spelled = spelled_out(text);
    return spelled && names_password(*spelled);
}

}  // namespace pgsluice::sql
