#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/sql/passwords.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::sql {

namespace {

constexpr std::array<std::string_view, 19> telling_kinds{"alter foreign data wrapper",
                                                         "alter foreign table",
                                                         "alter role",
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

// They take connection strings, in which a password may be spelled with escapes, or as part of a URI; or are those of
// pgcrypto, which take passwords and keys as they are.
bool takes_password(const Function& function) {
    static constexpr std::array<std::string_view, 4> beginnings{"dblink", "postgres_fdw", "pgp_sym_",
                                                                "pgp_pub_decrypt"};
    return function.name == "crypt" || std::any_of(beginnings.begin(), beginnings.end(), [&](std::string_view each) {
               return function.name.starts_with(each);
           });
}

}  // namespace

bool may_hold_password(ByteView text, const Facts& facts) {
    static const Kinds kinds = telling();
    return (facts.kinds & kinds).any() || contains(text, "passw") ||
           std::any_of(facts.functions.begin(), facts.functions.end(), takes_password);
}

}  // namespace pgsluice::sql
