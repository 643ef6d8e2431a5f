// The border between the pure layers and the network. A Peer is one connection as protocol code sees it; a Sink is
// whoever consumes that connection's bytes. net::Link implements Peer over sockets; tests implement it over strings.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace pgsluice {

// Why reading from a peer is paused. Reasons are independent: reading goes on when none is left.
enum class Pause : std::uint8_t {
    slow_reader = 1,    // the other side of the relay does not take bytes as fast as this one sends
    unread = 2,         // it does not read what it has been sent, so it is not heard either
    suspended = 4,      // nobody is heard: SUSPEND of the console
    ahead = 8,          // a client has asked for all that it wants, or for much, ahead of the answers
    no_server = 16,     // a client waits for a server connection
    held = 32,          // a client's next message waits for the answers in front of it, or for its turn
    housekeeping = 64,  // a server is asked or set something of ours between two messages of its client
    draining = 128,     // nothing more is wanted from this peer
};

// Of a mask of Pause: nothing of it keeps from being served what the peer sent before an orderly end, so that such an
// end comes to light when it is read, and not before. Where the rest could only be thrown away, it is looked for.
constexpr bool is_passing(std::uint8_t pauses) {
    constexpr unsigned passing = static_cast<unsigned>(Pause::slow_reader) | static_cast<unsigned>(Pause::unread) |
                                 static_cast<unsigned>(Pause::suspended) | static_cast<unsigned>(Pause::ahead) |
                                 static_cast<unsigned>(Pause::housekeeping);
    return pauses != 0 && (pauses & ~passing) == 0;
}

enum class Closed : std::uint8_t {
    by_peer,  // an orderly end of stream
    reset,    // the connection broke: reset, timed out (TCP_USER_TIMEOUT, keepalive), TLS failure
};

class Peer {
  public:
    Peer() = default;
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    virtual ~Peer() = default;

    // Hands bytes to the connection. Writes to the socket at once; what the kernel does not take is copied and sent
    // later. A failed write is reported to the sink from the loop, never from inside this call.
    virtual void write(ByteView bytes) = 0;
    // True while bytes wait to be sent: whoever feeds this peer should pause its source until Sink::on_drained.
    virtual bool congested() const = 0;
    virtual void pause(Pause reason) = 0;
    // Reading resumes from the loop, never from inside this call; bytes that the sink left unconsumed come again.
    virtual void resume(Pause reason) = 0;
    // What the sink leaves unconsumed comes again from the loop, when others have had their turn.
    virtual void yield() = 0;
    // Sends what still waits, then closes (within a bounded time). The sink hears nothing any more. Idempotent.
    virtual void close() = 0;
    // Breaks the connection at once: what waits is not sent, and where the peer writes it fails. As close() else.
    virtual void reset() = 0;
};

// Whoever holds it may drop it from anywhere, also from inside a callback of the peer's sink: the implementation's
// deleter sees to that.
using PeerPtr = std::unique_ptr<Peer, void (*)(Peer*)>;

class Sink {
  public:
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;

    // Bytes have come. Returns how many were consumed from the front; the rest is kept and comes again, with more
    // behind it or after a resume(). The view dies when the call returns.
    virtual std::size_t on_bytes(ByteView bytes) = 0;
    // Everything written has been taken by the kernel, after congested() had been true.
    virtual void on_drained() = 0;
    // The connection is gone; nothing follows.
    virtual void on_closed(Closed how) = 0;

  protected:
    Sink() = default;
    ~Sink() = default;
};

}  // namespace pgsluice
