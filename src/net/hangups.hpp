// Tells links that their peer has ended: an end of stream, a reset, a timeout. Asio's reactor does not ask the kernel
// for EPOLLRDHUP, and without it an end is invisible while a link is paused, or where it came together with the last
// bytes. So every link's socket is in a second epoll set, for hang-ups only: traffic does not touch it, and one Asio
// wait watches it.
#pragma once

#include <pgsluice/net/descriptor.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <memory>

namespace pgsluice::net {

class Readiness;

class Hangups {
  public:
    explicit Hangups(boost::asio::io_context& io);
    Hangups(const Hangups&) = delete;
    Hangups& operator=(const Hangups&) = delete;
    ~Hangups();

    // Calls readiness.on_hangup() at the peer's end, from the loop. False where the kernel refuses. Closing the
    // descriptor ends the watch; where it stays open, forget() does.
    bool watch(int fd, Readiness& readiness);
    void forget(int fd);

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the handler that waits, which may outlive us
};

}  // namespace pgsluice::net
