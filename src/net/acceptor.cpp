#include <pgsluice/base/time.hpp>
#include <pgsluice/net/acceptor.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pgsluice::net {

namespace {

namespace asio = boost::asio;

constexpr Milliseconds first_pause{100};
constexpr Milliseconds longest_pause{1000};
constexpr int accepts_per_turn = 64;  // before links have their turn

// Trouble of the one connection that was being accepted, not of the socket.
bool is_about_the_connection(int error) {
    switch (error) {
        case ECONNABORTED:
        case EINTR:
        case EPROTO:
        case EPERM:  // a firewall
        case ENETDOWN:
        case ENETUNREACH:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENOPROTOOPT:
        case EOPNOTSUPP: return true;
        default: return false;
    }
}

}  // namespace

struct Acceptor::State : std::enable_shared_from_this<State> {
    State(asio::io_context& io, int fd, OnAccept accept, OnTrouble trouble)
        : listening(io, fd), timer(io), on_accept(std::move(accept)), on_trouble(std::move(trouble)) {}

    void wait() {
        listening.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](error_code error) {
            if (!error && !self->stopped) self->accept();
        });
    }

    void accept() {
        for (int count = 0; count < accepts_per_turn && !stopped; ++count) {
            Descriptor socket(::accept4(listening.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (socket) {
                pause = first_pause;
                on_accept(std::move(socket));
            } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
                break;
            } else if (!is_about_the_connection(errno)) {
                return back_off(errno);
            }
        }
        if (!stopped) wait();
    }

    void back_off(int error) {
        timer.expires_after(pause);
        pause = std::min(pause * 2, longest_pause);
        timer.async_wait([self = shared_from_this()](error_code cancelled) {
            if (!cancelled && !self->stopped) self->accept();
        });
        const error_code code(error, boost::system::system_category());
        if (on_trouble) on_trouble({code, "could not accept a connection: " + code.message()});
    }

    asio::posix::stream_descriptor listening;
    asio::steady_timer timer;
    OnAccept on_accept;
    OnTrouble on_trouble;
    Milliseconds pause = first_pause;
    bool stopped = false;
};

Acceptor::Acceptor(asio::io_context& io, Descriptor listening, OnAccept on_accept, OnTrouble on_trouble)
    : state_(std::make_shared<State>(io, listening.release(), std::move(on_accept), std::move(on_trouble))) {
    state_->wait();
}

Acceptor::~Acceptor() {
    stop();
}

void Acceptor::stop() {
    if (std::exchange(state_->stopped, true)) return;
    error_code ignored;
    state_->timer.cancel();
    state_->listening.close(ignored);
}

}  // namespace pgsluice::net
