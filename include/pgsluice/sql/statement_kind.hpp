// What statements do, by the command tags that PostgreSQL answers with: in lower case, they are the words of
// when.statements in a policy. Groups have words of their own: ddl (what log_statement = ddl logs), write (ddl, and
// what changes data), transaction, utility (all that is not planned), and a verb for all its objects ("create" for
// "create table", "create index" ...; "copy" for "copy from" and "copy to").
// A tag is all that counts: MERGE that deletes is merge, INSERT ... ON CONFLICT DO UPDATE is insert, and the SELECT
// that INSERT takes its rows from is no select.
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace pgsluice::sql {

// A set of kinds: bit by bit as kind_names() lists them.
using Kinds = std::bitset<256>;

// Every kind once: "select", "delete", "create table" ...; the position is the bit.
const std::vector<std::string_view>& kind_names();
// The words for several kinds at once.
const std::vector<std::string_view>& group_names();
// By the word of a kind or a group; nullopt for any other.
std::optional<Kinds> kinds_named(std::string_view word);

}  // namespace pgsluice::sql
