// Finds the names of custom settings in what a client sends: in trees, as PostgreSQL reads them; in other bytes, by
// what such a name looks like.
#pragma once

#include <pgsluice/sql/session_effect.hpp>

#include <boost/json/value.hpp>

#include <string_view>
#include <vector>

namespace pgsluice::sql {

// What is behind casts to text, which change nothing of it.
const boost::json::value* uncast(const boost::json::value* value);

// What a node of a parse tree, of the given kind, does to custom settings. Its outcome goes behind `outcomes`, for
// trees are read from their end.
void note_names_of(std::string_view kind, const boost::json::object& node, SettingNames& names,
                   std::vector<Resets>& outcomes);

// Whether SET, RESET or set_config may stand in a text that is not parsed.
bool may_set(ByteView text);

}  // namespace pgsluice::sql
