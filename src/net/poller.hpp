// Asks the kernel which sockets of links are ready, for the whole loop of a worker. It takes the place of Asio's own
// reactor in an io_context, and is one: whatever is not a link (accepting, dialing, timers, posts from other threads)
// goes on as Asio has it, in Asio's epoll set. That set is in ours, and is looked at when it has something. So a link's
// event takes one look into our set and one call, without Asio's queue, operations and locks (docs/adr/0006).
//
// This is below Asio's public interface (boost::asio::detail of Boost 1.81); nothing outside this file and
// readiness.* is.
#pragma once

#include <pgsluice/net/descriptor.hpp>

#include <boost/asio/detail/reactor.hpp>
#include <boost/asio/io_context.hpp>
#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#if !defined(BOOST_ASIO_HAS_EPOLL)
#error "Poller is written for Asio's epoll reactor"
#endif

namespace pgsluice::net {

class Readiness;

class Poller final : public boost::asio::detail::reactor {
  public:
    // Before anything else of `io` is used, which then owns it, and which one thread may run. Throws std::system_error
    // where the kernel refuses.
    static Poller& install(boost::asio::io_context& io);

    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;
    ~Poller() override;

    // Tells `readiness` of bytes, of the peer's end and of errors, edge by edge, until forget(). False where the kernel
    // refuses.
    bool watch(int fd, Readiness& readiness);
    // And of room to write; that is told at once where there is some.
    bool watch_writing(int fd, Readiness& readiness);
    // Before the descriptor is closed.
    void forget(int fd);
    // Destroys it, at the end of the round that is being gone through, which may still name it.
    void release(std::unique_ptr<Readiness> readiness);

    // For Asio's scheduler: rounds of events until it has something to do, or one with no more than this to wait;
    // without limit where that is negative.
    void run(long microseconds, boost::asio::detail::op_queue<boost::asio::detail::operation>& operations) override;

  private:
    explicit Poller(boost::asio::io_context& io);

    // False where Asio's set had something.
    bool go_round(long microseconds, boost::asio::detail::op_queue<boost::asio::detail::operation>& operations);
    bool control(int operation, int fd, std::uint32_t events, void* whom);

    Descriptor set_;
    std::array<epoll_event, 128> events_{};  // of one round
    bool is_in_round_ = false;
    std::vector<std::unique_ptr<Readiness>> released_;  // in this round
};

}  // namespace pgsluice::net
