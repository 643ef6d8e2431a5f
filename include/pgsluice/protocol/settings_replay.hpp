// Restores a client's settings on a server that another client used before: the difference between what the server has
// and what the client wants, in a batch of its own with its own Sync, ahead of anything the client sent. Values travel
// as bind parameters of set_config and are never put into SQL text; a setting that the client never made is RESET. What
// another client's transactions begin with is RESET in a batch before that one. What is not ASCII goes out while
// client_encoding is the one that it is in.
#pragma once

#include <pgsluice/protocol/exchange.hpp>
#include <pgsluice/protocol/settings_difference.hpp>

namespace pgsluice::protocol {

// What of ours is prepared on a server connection under reserved names.
struct ReservedStatements {
    bool set_config = false;
    bool inspect = false;   // both of inspection.hpp
    bool doubtful = false;  // somebody may have prepared another text by one of the names
};

// Appends the messages to `to_server` and their replies, all swallowed, to the ledger. Returns how many settings
// differ; appends nothing where that is none. An error shows as Settled::replay_failed, or where the server will not
// have a setting of another client's taken back, as Settled::not_taken_back.
//
// Rights come off before anything else and go on last, session_authorization before role: what a superuser has set
// nobody else may take back, and a role can be taken on by the session's user only.
std::size_t append_replay(Bytes& to_server, Exchange& exchange, ReservedStatements& reserved,
                          const SettingsDifference& difference);

}  // namespace pgsluice::protocol
