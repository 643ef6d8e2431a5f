#include "resolver.hpp"
#include "socket_address.hpp"

#include <pgsluice/net/asio.hpp>
#include <pgsluice/net/dialer.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace pgsluice::net {

namespace {

using AsioStream = asio::posix::stream_descriptor;

error_code system_error(int error) {
    return {error, boost::system::system_category()};
}

// A connect under way, and its deadline.
class Attempt final : Deadlined {
  public:
    explicit Attempt(Reactor& reactor) : Deadlined(reactor), reactor_(reactor), stream_(reactor.io()) {}

    // Takes a socket that connects. An error where epoll takes no more, and the socket is closed then.
    error_code begin(Descriptor socket, TimePoint until) {
        error_code error;
        stream_.assign(socket.get(), error);
        if (error) return error;
        socket.release();
        reactor_.set_deadline(*this, until);
        return {};
    }

    AsioStream& stream() { return stream_; }
    error_code result(error_code waited) {
        if (timed_out_) return asio::error::timed_out;
        if (waited) return waited;
        int error = 0;
        socklen_t size = sizeof error;
        if (::getsockopt(stream_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
        return error == 0 ? error_code{} : system_error(error);
    }
    Descriptor take() { return Descriptor(stream_.release()); }

  private:
    void on_deadline() override {
        timed_out_ = true;
        stream_.cancel();
    }
    void on_reactor_gone() override { stream_.cancel(); }

    Reactor& reactor_;
    AsioStream stream_;
    bool timed_out_ = false;
};

asio::awaitable<Result<Descriptor>> connect(Reactor& reactor, SocketAddress address, SocketOptions options,
                                            TimePoint until) {
    Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) co_return system_error(errno);
    apply(options, socket.get());
    if (::connect(socket.get(), &address.any, address.size) == 0) co_return std::move(socket);
    if (errno != EINPROGRESS) co_return system_error(errno);

    Attempt attempt(reactor);
    if (const error_code refused = attempt.begin(std::move(socket), until)) co_return refused;
    const auto [waited] = co_await attempt.stream().async_wait(AsioStream::wait_write, as_tuple);
    const error_code error = attempt.result(waited);
    if (error) co_return error;
    co_return attempt.take();
}

std::string failure(const std::string& where, error_code error) {
    const std::string reason = error == asio::error::timed_out ? "timed out" : error.message();
    return "could not connect to " + where + ": " + reason;
}

// An address that swallows packets must not use up the time of those behind it.
TimePoint fair_share(TimePoint until, std::size_t addresses_left) {
    if (until == never || addresses_left < 2) return until;
    const TimePoint now = std::chrono::steady_clock::now();
    return now + std::max(until - now, TimePoint::duration::zero()) / static_cast<TimePoint::rep>(addresses_left);
}

asio::awaitable<Outcome<LinkPtr>> dial_unix(Reactor& reactor, DialTarget target, TimePoint until) {
    const std::string path = unix_socket_path(target.host, target.port);
    const std::optional<SocketAddress> address = unix_socket_address(path);
    if (!address) co_return Error{asio::error::name_too_long, failure(path, asio::error::name_too_long)};
    SocketOptions options;
    Result<Descriptor> socket = co_await connect(reactor, *address, options, until);
    if (!socket) co_return Error{socket.error(), failure(path, socket.error())};
    co_return Link::create(reactor, std::move(*socket), Side::server);
}

}  // namespace

asio::awaitable<Outcome<LinkPtr>> dial(Reactor& reactor, DialTarget target, SocketOptions options, TimePoint until) {
    if (target.host.starts_with('/')) co_return co_await dial_unix(reactor, target, until);

    const Outcome<std::vector<Address>> addresses = co_await resolve(reactor.io(), target.host, until);
    if (!addresses) co_return addresses.error();
    Error failed;
    for (std::size_t index = 0; index < addresses->size(); ++index) {
        const Address& address = (*addresses)[index];
        const SocketAddress where = socket_address(address, target.port);
        const TimePoint share = fair_share(until, addresses->size() - index);
        Result<Descriptor> socket = co_await connect(reactor, where, options, share);
        if (socket) co_return Link::create(reactor, std::move(*socket), Side::server);
        failed.code = socket.error();
        if (!failed.text.empty()) failed.text += "; ";
        failed.text += failure(with_port(address.to_string(), target.port), socket.error());
    }
    co_return failed;
}

}  // namespace pgsluice::net
