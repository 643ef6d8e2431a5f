#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/sql/statement_kind.hpp>

#include <array>
#include <map>
#include <string>

namespace pgsluice::sql {
namespace {

// What CREATE, ALTER and DROP are about.
constexpr auto objects = std::to_array<std::string_view>({"access method",
                                                          "aggregate",
                                                          "cast",
                                                          "collation",
                                                          "conversion",
                                                          "database",
                                                          "default privileges",
                                                          "domain",
                                                          "event trigger",
                                                          "extension",
                                                          "foreign data wrapper",
                                                          "foreign table",
                                                          "function",
                                                          "index",
                                                          "language",
                                                          "large object",
                                                          "materialized view",
                                                          "operator",
                                                          "operator class",
                                                          "operator family",
                                                          "policy",
                                                          "procedure",
                                                          "publication",
                                                          "role",
                                                          "routine",
                                                          "rule",
                                                          "schema",
                                                          "sequence",
                                                          "server",
                                                          "statistics",
                                                          "subscription",
                                                          "system",
                                                          "table",
                                                          "tablespace",
                                                          "text search configuration",
                                                          "text search dictionary",
                                                          "text search parser",
                                                          "text search template",
                                                          "transform",
                                                          "trigger",
                                                          "type",
                                                          "user mapping",
                                                          "view"});

constexpr auto others = std::to_array<std::string_view>(
    {"select", "insert", "update", "delete", "merge", "copy from", "copy to", "truncate table",
     // of the schema
     "create table as", "select into", "comment", "security label", "grant", "revoke", "import foreign schema",
     "refresh materialized view", "drop owned", "reassign owned",
     // of the transaction
     "begin", "start transaction", "commit", "rollback", "savepoint", "release", "prepare transaction",
     "commit prepared", "rollback prepared", "set constraints", "lock table",
     // of the session
     "set", "reset", "show", "discard", "load", "listen", "notify", "unlisten", "prepare", "execute", "deallocate",
     "declare cursor", "fetch", "move", "close cursor",
     // and the rest; the last is what has no word of its own
     "call", "do", "explain", "vacuum", "analyze", "cluster", "reindex", "checkpoint", "other"});

std::vector<std::string_view> all_names() {
    static const std::vector<std::string> made = [] {
        std::vector<std::string> names(others.begin(), others.end());
        for (const std::string_view verb : {"create ", "alter ", "drop "}) {
            for (const std::string_view object : objects) names.push_back(std::string(verb) + std::string(object));
        }
        return names;
    }();
    return {made.begin(), made.end()};
}

Kinds those_that_begin(std::string_view verb) {
    Kinds kinds;
    const auto& names = kind_names();
    for (std::size_t bit = 0; bit < names.size(); ++bit) kinds[bit] = names[bit].starts_with(verb);
    return kinds;
}

Kinds those(std::initializer_list<std::string_view> words) {
    Kinds kinds;
    for (const std::string_view word : words) kinds |= *kinds_named(word);
    return kinds;
}

std::map<std::string, Kinds, std::less<>> make_groups() {
    const Kinds ddl = those_that_begin("create ") | those_that_begin("alter ") | those_that_begin("drop ") |
                      those({"select into", "comment", "security label", "import foreign schema",
                             "refresh materialized view", "reassign owned"});
    const Kinds copy = those({"copy from", "copy to"});
    return {{"create", those_that_begin("create ")},
            {"alter", those_that_begin("alter ")},
            {"drop", those_that_begin("drop ")},
            {"ddl", ddl},
            {"copy", copy},
            {"truncate", those({"truncate table"})},
            {"lock", those({"lock table"})},
            {"declare", those({"declare cursor"})},
            {"close", those({"close cursor"})},
            {"write", ddl | those({"insert", "update", "delete", "merge", "copy from", "truncate table"})},
            {"transaction", those({"begin", "start transaction", "commit", "rollback", "savepoint", "release",
                                   "prepare transaction", "commit prepared", "rollback prepared"})}};
}

const std::map<std::string, Kinds, std::less<>>& groups() {
    static const auto made = make_groups();
    return made;
}

}  // namespace

const std::vector<std::string_view>& kind_names() {
    static const std::vector<std::string_view> names = all_names();
    return names;
}

const std::vector<std::string_view>& group_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> made;
        for (const auto& [name, kinds] : groups()) made.push_back(name);
        return made;
    }();
    return names;
}

std::optional<Kinds> kinds_named(std::string_view word) {
    const std::string wanted = lower_case(word);
    const auto& names = kind_names();
    for (std::size_t bit = 0; bit < names.size(); ++bit) {
        if (names[bit] == wanted) return Kinds().set(bit);
    }
    const auto found = groups().find(wanted);
    if (found == groups().end()) return std::nullopt;
    return found->second;
}

}  // namespace pgsluice::sql
