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

// They take connection strings, in which a password may be spelled with escapes, or as part of a URI.
bool takes_connection_string(const Function& function) {
    return function.name.starts_with("dblink") || function.name.starts_with("postgres_fdw");
}

}  // namespace

bool may_hold_password(ByteView text, const Facts& facts) {
    static const Kinds kinds = telling();
    return (facts.kinds & kinds).any() || contains(text, "passw") ||
           std::any_of(facts.functions.begin(), facts.functions.end(), takes_connection_string);
}

}  // namespace pgsluice::sql
