#include "hangups.hpp"

#include "readiness.hpp"

#include <sys/epoll.h>

#include <system_error>

namespace pgsluice::net {

struct Hangups::State : std::enable_shared_from_this<State> {
    State(boost::asio::io_context& io, int fd) : set(io, fd) {}

    void wait() {
        set.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                           if (!error && self->set.is_open()) self->report();
                       });
    }

    // One at a time: what is called may end any other link, whose event must not be in our hands then.
    void report() {
        epoll_event event{};
        while (set.is_open() && ::epoll_wait(set.native_handle(), &event, 1, 0) == 1) {
            static_cast<Readiness*>(event.data.ptr)->on_hangup((event.events & EPOLLERR) != 0);
        }
        if (set.is_open()) wait();
    }

    boost::asio::posix::stream_descriptor set;
};

Hangups::Hangups(boost::asio::io_context& io) {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "could not create an epoll set");
    state_ = std::make_shared<State>(io, fd);
    state_->wait();
}

Hangups::~Hangups() {
    boost::system::error_code ignored;
    state_->set.close(ignored);
}

bool Hangups::watch(int fd, Readiness& readiness) {
    epoll_event event{};
    event.events = EPOLLRDHUP | EPOLLET;
    event.data.ptr = &readiness;
    return ::epoll_ctl(state_->set.native_handle(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Hangups::forget(int fd) {
    ::epoll_ctl(state_->set.native_handle(), EPOLL_CTL_DEL, fd, nullptr);
}

}  // namespace pgsluice::net
