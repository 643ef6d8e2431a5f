// What a client has read, held against what a server of its own would have answered to what it sent.
#pragma once

#include "model_server.hpp"

#include <string>

namespace pgsluice::sim {

struct Conversation {
    std::string tags;  // what those of its statements begin with
    ByteView sent, received;
    bool is_there;  // else answers may be missing
    bool has_asked_to_cancel;
    bool may_be_ended;  // by a fault
};

// What is wrong, for people; empty: nothing.
//
// A message that pgsluice refused in a server's place (the client waited too long, or asked to cancel while it waited;
// nothing can be prepared again in a transaction that has failed, see docs/compatibility.md) is one that the server of
// its own never got, and the client goes on from there.
std::string judge(const Conversation& conversation, Events& events);

// How many ReadyForQuery there are behind the greeting.
std::size_t readies_in(ByteView received);

}  // namespace pgsluice::sim
