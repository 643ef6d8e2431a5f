#include "kind_groups.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <array>
#include <string>
#include <unordered_map>
#include <utility>

namespace pgsluice::sql {

namespace {

// One kind where PostgreSQL has several tags, or another word for it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> synonyms{{
    {"abort", "rollback"},
    {"close cursor", "close"},
    {"create group", "create role"},
    {"create user", "create role"},
    {"deallocate all", "deallocate"},
    {"declare", "declare cursor"},
    {"discard all", "discard"},
    {"end", "commit"},
    {"lock", "lock table"},
    {"start transaction", "begin"},
    {"truncate", "truncate table"},
    {"values", "select"},
}};

using Words = std::unordered_map<std::string_view, Kinds>;

const Words& words() {
    static const Words all = [] {
        Words made;
        const std::vector<std::string_view>& names = kind_names();
        for (std::size_t i = 0; i < names.size(); ++i) made[names[i]].set(i);
        for (const std::string_view group : group_names()) made[group] = kinds_of_group(group);
        for (const auto& [word, kind] : synonyms) made[word] = made.at(kind);
        return made;
    }();
    return all;
}

}  // namespace

std::optional<Kinds> kinds_named(std::string_view word) {
    const std::string lower = lower_case(word);
    const auto found = words().find(lower);
    return found == words().end() ? std::nullopt : std::optional(found->second);
}

}  // namespace pgsluice::sql
