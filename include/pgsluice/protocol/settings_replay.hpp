// Restores a client's settings on a server that another client used before: the difference between what the server has
// and what the client wants, in a batch of its own with its own Sync, ahead of anything the client sent. Values travel
// as bind parameters of set_config and are never put into SQL text; a setting that the client never made is RESET.
#pragma once

#include <pgsluice/protocol/exchange.hpp>
#include <pgsluice/protocol/parameter_set.hpp>

namespace pgsluice::protocol {

// What of ours is prepared on a server connection under reserved names.
struct ReservedStatements {
    bool set_config = false;
};

// Appends the messages to `to_server` and their replies, all swallowed, to the ledger. Returns how many settings
// differ; appends nothing where that is none. An error shows as Settled::replay_failed.
std::size_t append_replay(Bytes& to_server, Exchange& exchange, ReservedStatements& reserved, const ParameterSet& has,
                          const ParameterSet& wants);

}  // namespace pgsluice::protocol
