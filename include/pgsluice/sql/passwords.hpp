// Which texts may hold a password, so that their constants are written to no log.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/sql/facts.hpp>

namespace pgsluice::sql {

// True for what PostgreSQL takes passwords by (roles, user mappings, subscriptions, servers, connection strings,
// programs, pgcrypto), for settings that ALTER DATABASE and ALTER ROLE keep, for bodies of functions and DO, which may
// do any of it, and for all texts in which "passw" or a URI with user:password@ stands, with escapes in place of some
// of its characters too, and for those with U&'...'. A password that an application keeps in a table of its own under
// another name is not known as one.
bool may_hold_password(ByteView text, const Facts& facts);

}  // namespace pgsluice::sql
