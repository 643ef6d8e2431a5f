// Settles the doubt that a failed COPY may leave (Exchange::needs_proof): whether a Sync that was sent meanwhile has
// been read and ignored, or stands unread and will be answered. The server is asked to close a statement that it does
// not have, which succeeds in every state of a transaction: whatever it had not read before, it answers before that.
#pragma once

#include <pgsluice/protocol/exchange.hpp>

namespace pgsluice::protocol {

// Appends the messages to `to_server` and their replies, all swallowed, to the ledger.
void append_sync_proof(Bytes& to_server, Exchange& exchange);

}  // namespace pgsluice::protocol
