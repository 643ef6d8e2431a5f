// Readiness of one socket, edge by edge, for a Link. Built on the reactor inside Asio 1.81 (boost::asio::detail) rather
// than on socket.async_wait(): async_wait re-arms the descriptor with an epoll_ctl for every wait, which costs a relay
// about as much as another recv per message (docs/adr/0006). Here a wait is two pointer writes: the
// descriptor is registered once, edge-triggered, and the operations are part of this object.
//
// The price is the rule of edge-triggered readiness: wait_read() only after a read that came back `drained`, since
// nothing announces again what was there already. The peer's end is the exception: Hangups announces it by itself.
#pragma once

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/asio/io_context.hpp>

#if !defined(BOOST_ASIO_HAS_EPOLL)
#error "Readiness is written for Asio's epoll reactor"
#endif

namespace pgsluice::net {

class Hangups;
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
    void wait_read();
    void wait_write();
    bool waits_to_read() const { return read_.queued; }

    // Calls Link::on_turn once, from the loop.
    void post_turn();
    void on_hangup(bool is_error);

    // Ends the watch and lets go of the link; the object deletes itself as soon as Asio holds none of its operations.
    // `stays_open`: the descriptor is not about to be closed.
    void abandon(bool stays_open);

  private:
    // An operation that Asio's queues link up. It is never destroyed while `queued`.
    struct Operation : boost::asio::detail::reactor_op {
        Operation(Readiness& readiness, void (Link::*event)());
        static status perform(reactor_op* base);
        static void complete(void* owner, boost::asio::detail::operation* base, const boost::system::error_code&,
                             std::size_t);
        Readiness* readiness;
        void (Link::*event)();
        bool queued = false;
    };

    ~Readiness() = default;
    void wait(int kind, Operation& operation);
    void delete_if_unused();

    boost::asio::detail::reactor& reactor_;
    Hangups& hangups_;
    boost::asio::detail::reactor::per_descriptor_data descriptor_data_{};
    Link* link_;
    int fd_ = -1;
    Operation read_;
    Operation write_;
    Operation turn_;
};

}  // namespace pgsluice::net
