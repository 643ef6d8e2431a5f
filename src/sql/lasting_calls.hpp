// Functions that leave in their session what the server neither tells of nor clears by DISCARD ALL: connections of
// dblink, a backup that is being made, a replication origin, temporary replication slots.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <boost/json/object.hpp>

#include <string_view>

namespace pgsluice::sql {

// A FuncCall.
bool is_lasting_call(const boost::json::object& call);

// A ColumnRef or A_Indirection that may be a call: x.pg_backup_start, (x).dblink_connect.
bool may_be_lasting_call(std::string_view kind, const boost::json::object& node);

// Of a text of which there is no tree: outside of its strings and comments, where it can be told what they are.
bool may_hold_lasting_call(ByteView text);

}  // namespace pgsluice::sql
