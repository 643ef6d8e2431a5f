// Readiness of one socket, edge by edge, for a Link. Built on the reactor inside Asio 1.81 (boost::asio::detail) rather
// than on socket.async_wait(): async_wait re-arms the descriptor with an epoll_ctl for every wait, which costs a relay
// about as much as another recv per message (docs/adr/0006). Here a wait to read is a flag: the descriptor is
// registered once, edge-triggered, and the operation that reads, which is part of this object, stays in Asio's queue
// for good. So Asio calls from where it holds the lock of its descriptor: the io_context must be one that has none
// (BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO).
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
    bool waits_to_read() const { return waits_to_read_; }

    // Calls Link::on_turn once, from the loop.
    void post_turn();
    void on_hangup(bool is_error);

    // Ends the watch and lets go of the link; the object deletes itself as soon as Asio holds none of its operations.
    // `stays_open`: the descriptor is not about to be closed.
    void abandon(bool stays_open);

  private:
    // An operation that Asio's queues link up. It is never destroyed while `queued`.
    struct Operation : boost::asio::detail::reactor_op {
        Operation(Readiness& readiness, void (Link::*event)(), perform_func_type asked);
        static void complete(void* owner, boost::asio::detail::operation* base, const boost::system::error_code&,
                             std::size_t);
        Readiness* readiness;
        void (Link::*event)();
        bool queued = false;
    };

    ~Readiness() = default;
    static boost::asio::detail::reactor_op::status perform_read(boost::asio::detail::reactor_op* base);
    static boost::asio::detail::reactor_op::status perform_write(boost::asio::detail::reactor_op* base);
    void wait(int kind, Operation& operation);
    void delete_if_unused();

    boost::asio::detail::reactor& reactor_;
    Hangups& hangups_;
    boost::asio::detail::reactor::per_descriptor_data descriptor_data_{};
    Link* link_;
    int fd_ = -1;
    bool waits_to_read_ = false;
    Operation read_;
    Operation write_;
    Operation turn_;
};

}  // namespace pgsluice::net
