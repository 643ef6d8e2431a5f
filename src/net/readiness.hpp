// Readiness of one socket, edge by edge, for a Link. A wait is a flag: the descriptor is registered once with the
// worker's Poller, so that waiting costs no system call (docs/adr/0006).
//
// The price is the rule of edge-triggered readiness: wait_read() only after a read that came back `drained`, since
// nothing announces again what was there already. The peer's end is the exception: it is announced by itself, also to a
// link that does not wait, and where it came together with the last bytes.
#pragma once

#include "poller.hpp"

#include <boost/asio/detail/operation.hpp>

#include <cstdint>

namespace pgsluice::net {

class Link;
class Reactor;

class Readiness {
  public:
    Readiness(Reactor& reactor, Link& link);
    Readiness(const Readiness&) = delete;
    Readiness& operator=(const Readiness&) = delete;

    // False where the kernel refuses another watch.
    bool watch(int fd);

    // Calls Link::on_readable / on_writable once, from the loop, at the next edge. Nothing where it waits already.
    void wait_read() { waits_to_read_ = true; }
    void wait_write();
    bool waits_to_read() const { return waits_to_read_; }

    // Calls Link::on_turn once, from the loop.
    void post_turn() { post(turn_); }

    // For the Poller: what epoll says of the descriptor. Edges that an exception passed over would be lost, so none may
    // come from a link.
    void on_events(std::uint32_t events) noexcept;

    // Ends the watch, before the descriptor is closed or given away, and lets go of the link. The object is destroyed
    // as soon as Asio holds none of its operations and the Poller no event for it.
    void abandon();

  private:
    // An operation that Asio's queues link up. It is never destroyed while `queued`.
    struct Operation : boost::asio::detail::operation {
        Operation(Readiness& readiness, void (Link::*event)());
        static void complete(void* owner, boost::asio::detail::operation* base, const boost::system::error_code&,
                             std::size_t);
        Readiness* readiness;
        void (Link::*event)();
        bool queued = false;
    };

    void post(Operation& operation);
    void release_if_unused();

    Poller& poller_;
    Link* link_;
    int fd_ = -1;
    bool waits_to_read_ = false;
    bool waits_to_write_ = false;
    bool watches_writing_ = false;
    std::uint32_t ends_told_ = 0;  // of the peer, as epoll's events
    Operation turn_;
    Operation unwatched_write_;  // a try, where the kernel refuses to tell of room
};

}  // namespace pgsluice::net
