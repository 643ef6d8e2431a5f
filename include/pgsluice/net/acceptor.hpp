// Takes connections from one listening socket on one worker's loop. Where descriptors or memory run out it pauses,
// first for 100 ms, then twice as long each time up to 1 s: connections wait in the kernel's queue meanwhile, and
// nothing spins.
#pragma once

#include <pgsluice/net/descriptor.hpp>
#include <pgsluice/net/error.hpp>

#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace pgsluice::net {

class Acceptor {
  public:
    // Called from the loop with a connected, non-blocking socket.
    using OnAccept = std::function<void(Descriptor socket)>;
    // Called when accepting pauses, with the reason: for a log line.
    using OnTrouble = std::function<void(const Error& error)>;

    // Starts at once. Neither callback is called after stop() or the destructor.
    Acceptor(boost::asio::io_context& io, Descriptor listening, OnAccept on_accept, OnTrouble on_trouble = {});
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    // Closes the listening socket: connections that wait in its queue are reset. Idempotent.
    void stop();

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the handler that waits, which may outlive us
};

}  // namespace pgsluice::net
