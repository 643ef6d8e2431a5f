// Feeds a stream to a login machine as its driver does: unread bytes gather in a buffer, and what the machine consumed
// is dropped from its front.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <support/splits.hpp>

#include <utility>

namespace pgsluice::test {

// Feeds portion after portion until `is_waiting(action)` says that the machine wants no more bytes, or they run out.
// Returns the last action; `unread` gets what is left in the buffer.
template <class Machine, class Waiting>
auto feed(Machine& machine, const Portions& portions, Bytes& out, Waiting is_waiting, Bytes& unread) {
    auto action = machine.resume(ByteView(unread), out).action;
    for (const ByteView portion : portions) {
        if (!is_waiting(action)) {
            unread += portion;
            continue;
        }
        unread += portion;
        auto step = machine.resume(ByteView(unread), out);
        unread.erase(0, step.consumed);
        action = std::move(step.action);
    }
    return action;
}

}  // namespace pgsluice::test
