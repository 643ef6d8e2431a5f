#include "kind_groups.hpp"

#include <algorithm>
#include <array>

namespace pgsluice::sql {

namespace {

template <std::size_t size>
bool is_one_of(const std::array<std::string_view, size>& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

bool begins_with_verb(std::string_view kind, std::string_view verb) {
    return kind.size() > verb.size() && kind.starts_with(verb) && kind[verb.size()] == ' ';
}

bool is_create(std::string_view kind) {
    return begins_with_verb(kind, "create") || kind == "select into";
}

// What PostgreSQL's log_statement = ddl logs.
bool is_ddl(std::string_view kind) {
    static constexpr std::array<std::string_view, 11> others{"cluster",
                                                             "comment",
                                                             "drop owned",
                                                             "grant",
                                                             "grant role",
                                                             "import foreign schema",
                                                             "revoke",
                                                             "revoke role",
                                                             "reassign owned",
                                                             "security label",
                                                             "refresh materialized view"};
    return is_create(kind) || begins_with_verb(kind, "alter") || begins_with_verb(kind, "drop") ||
           is_one_of(others, kind);
}

bool is_write(std::string_view kind) {
    static constexpr std::array<std::string_view, 6> others{"insert", "update",         "delete",
                                                            "merge",  "truncate table", "copy from"};
    return is_ddl(kind) || is_one_of(others, kind);
}

bool is_transaction(std::string_view kind) {
    static constexpr std::array<std::string_view, 8> all{
        "begin",    "commit",  "commit prepared",   "prepare transaction",
        "rollback", "release", "rollback prepared", "savepoint"};
    return is_one_of(all, kind);
}

// PostgreSQL's word for all that is not planned.
bool is_utility(std::string_view kind) {
    static constexpr std::array<std::string_view, 5> planned{"select", "insert", "update", "delete", "merge"};
    return !is_one_of(planned, kind);
}

bool is_of(std::string_view group, std::string_view kind) {
    if (group == "alter" || group == "drop") return begins_with_verb(kind, group);
    if (group == "copy") return begins_with_verb(kind, group);
    if (group == "create") return is_create(kind);
    if (group == "ddl") return is_ddl(kind);
    if (group == "transaction") return is_transaction(kind);
    if (group == "utility") return is_utility(kind);
    return group == "write" && is_write(kind);
}

}  // namespace

const std::vector<std::string_view>& group_names() {
    static const std::vector<std::string_view> names{"alter", "copy",        "create",  "ddl",
                                                     "drop",  "transaction", "utility", "write"};
    return names;
}

Kinds kinds_of_group(std::string_view group) {
    const std::vector<std::string_view>& names = kind_names();
    Kinds kinds;
    for (std::size_t i = 0; i < names.size(); ++i) kinds.set(i, is_of(group, names[i]));
    return kinds;
}

}  // namespace pgsluice::sql
