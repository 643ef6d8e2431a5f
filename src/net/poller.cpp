#include "poller.hpp"

#include "readiness.hpp"

#include <pgsluice/base/check.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

namespace pgsluice::net {
namespace {

namespace detail = boost::asio::detail;

// Asio shows its descriptors to nobody. An explicit instantiation may name a private member, and hands it on.
using Member = int detail::epoll_reactor::*;
template <class Name, Member member>
struct Shown {
    friend constexpr Member member_of(Name) { return member; }
};
struct EpollSet {
    friend constexpr Member member_of(EpollSet);
};
struct TimerDescriptor {
    friend constexpr Member member_of(TimerDescriptor);
};
template struct Shown<EpollSet, &detail::epoll_reactor::epoll_fd_>;
template struct Shown<TimerDescriptor, &detail::epoll_reactor::timer_fd_>;

constexpr std::uint32_t reading = EPOLLIN | EPOLLRDHUP | EPOLLET;

int to_milliseconds(long microseconds) {
    return microseconds <= 0 ? static_cast<int>(microseconds) : static_cast<int>((microseconds - 1) / 1000 + 1);
}

// The system call itself: the C library's is a cancellation point (socket_io.cpp).
int wait_for_events(int set, std::span<epoll_event> into, long microseconds) {
    return static_cast<int>(::syscall(SYS_epoll_pwait, set, into.data(), static_cast<int>(into.size()),
                                      to_milliseconds(microseconds), nullptr, 0));
}

[[noreturn]] void refuse(int error, const char* what) {
    throw std::system_error(error, std::generic_category(), what);
}

}  // namespace

Poller& Poller::install(boost::asio::io_context& io) {
    PGSLUICE_CHECK(!boost::asio::has_service<detail::reactor>(io));
    auto poller = std::unique_ptr<Poller>(new Poller(io));
    boost::asio::add_service<detail::reactor>(io, poller.get());
    poller->init_task();
    return *poller.release();
}

Poller::Poller(boost::asio::io_context& io) : epoll_reactor(io), set_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (!set_) refuse(errno, "could not create an epoll set");
    // Without that descriptor Asio's timers live by the timeout of its own wait, which is not ours.
    if (this->*member_of(TimerDescriptor{}) < 0) refuse(EMFILE, "could not create a descriptor for timers");
    // By level: what one look leaves in Asio's set, which may be more than it takes at a time, is told of again.
    if (!control(EPOLL_CTL_ADD, this->*member_of(EpollSet{}), EPOLLIN, this))
        refuse(errno, "could not watch an epoll set");
}

Poller::~Poller() = default;

bool Poller::control(int operation, int fd, std::uint32_t events, void* whom) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = whom;
    return ::epoll_ctl(set_.get(), operation, fd, &event) == 0;
}

bool Poller::watch(int fd, Readiness& readiness) {
    return control(EPOLL_CTL_ADD, fd, reading, &readiness);
}

bool Poller::watch_writing(int fd, Readiness& readiness) {
    return control(EPOLL_CTL_MOD, fd, reading | EPOLLOUT, &readiness);
}

void Poller::forget(int fd) {
    control(EPOLL_CTL_DEL, fd, 0, nullptr);
}

void Poller::release(std::unique_ptr<Readiness> readiness) {
    if (is_in_round_) released_.push_back(std::move(readiness));
}

// Asio has nothing to do between two rounds that have left it nothing: what this thread posts stands in `operations`,
// and a post from another thread, or a stop, shows in its set.
void Poller::run(long microseconds, detail::op_queue<detail::operation>& operations) {
    bool are_all_links;
    do {
        are_all_links = go_round(microseconds, operations);
    } while (microseconds < 0 && are_all_links && operations.empty());
}

bool Poller::go_round(long microseconds, detail::op_queue<detail::operation>& operations) {
    bool are_all_links = true;
    const int count = wait_for_events(set_.get(), events_, microseconds);
    is_in_round_ = true;
    for (int at = 0; at < count; ++at) {  // none where the wait was interrupted
        const epoll_event& event = events_[static_cast<std::size_t>(at)];
        if (event.data.ptr == this) {
            are_all_links = false;
            epoll_reactor::run(0, operations);
        } else {
            static_cast<Readiness*>(event.data.ptr)->on_events(event.events);
        }
    }
    is_in_round_ = false;
    released_.clear();
    return are_all_links;
}

}  // namespace pgsluice::net
