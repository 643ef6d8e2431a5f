// Commands of a replication connection that are no SQL: a walsender has a grammar of its own for them.
//
// Sources: PostgreSQL documentation, "Streaming Replication Protocol"; src/backend/replication/repl_scanner.l,
// replication_scanner_is_replication_command, and exec_replication_command in walsender.c.
#pragma once

#include <pgsluice/base/bytes.hpp>

namespace pgsluice::protocol {

// By the first token, as a walsender tells it: what begins so is never read as SQL, whatever follows. Not of SHOW,
// which is one too and says no more than SHOW of SQL does.
bool is_replication_command(ByteView text);

}  // namespace pgsluice::protocol
