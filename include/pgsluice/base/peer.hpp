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
    slow_reader = 1,  // the other side of the relay does not take bytes as fast as this one sends
    no_server = 2,    // a client waits for a server connection
    unsettled = 4,    // a client must not go on before the replies it is owed have come
    draining = 8,     // nothing more is wanted from this peer
    settling = 32,    // a client waits for what is asked or set between two of its messages
    unread = 16,      // it does not read what it has been sent, so it is not heard either
    suspended = 64,   // nobody is heard: SUSPEND of the console
};

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
    // Sends what still waits, then closes (within a bounded time). The sink hears nothing any more. Idempotent.
    virtual void close() = 0;
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
