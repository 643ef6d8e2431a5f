#include "statement_kind.hpp"

#include <array>
#include <initializer_list>
#include <string_view>

namespace pgsluice::session {
namespace {

using metrics::StatementKind;

struct Named {
    StatementKind kind;
    sql::Kinds kinds;
};

Named named(StatementKind kind, std::initializer_list<std::string_view> words) {
    Named all{kind, {}};
    for (const std::string_view word : words) all.kinds |= *sql::kinds_named(word);
    return all;
}

}  // namespace

StatementKind statement_kind(const sql::Facts* facts) {
    static const std::array all{named(StatementKind::ddl, {"ddl"}),
                                named(StatementKind::remove, {"delete"}),
                                named(StatementKind::update, {"update"}),
                                named(StatementKind::insert, {"insert"}),
                                named(StatementKind::merge, {"merge"}),
                                named(StatementKind::copy, {"copy"}),
                                named(StatementKind::call, {"call", "do"}),
                                named(StatementKind::transaction, {"transaction"}),
                                named(StatementKind::set, {"set", "reset", "discard"}),
                                named(StatementKind::select, {"select"})};
    if (facts == nullptr) return StatementKind::not_parsed;
    // Most of them, and nothing else: not worth the search.
    if (facts->kinds == all.back().kinds) return StatementKind::select;
    for (const Named& each : all) {
        if ((facts->kinds & each.kinds).any()) return each.kind;
    }
    return StatementKind::other;
}

}  // namespace pgsluice::session
