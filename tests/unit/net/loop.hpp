// An event loop for tests: runs until something has happened, never for ever.
#pragma once

#include <pgsluice/net/link.hpp>
#include <pgsluice/net/reactor.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace pgsluice::net {

inline constexpr std::chrono::seconds patience{10};

inline TimePoint in(Milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

struct Loop {
    boost::asio::io_context io{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    Reactor reactor{io};

    // False when it has not happened within our patience.
    template <class Condition>
    bool run_until(Condition condition) {
        const TimePoint end = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            io.restart();
            io.run_one_for(std::chrono::milliseconds(1));  // what links are told does not count as a handler
        }
        return true;
    }

    void run_for(Milliseconds time) {
        io.restart();
        io.run_for(time);
    }

    // Runs what is ready now.
    void poll() {
        io.restart();
        io.poll();
    }

    template <class T>
    T await(boost::asio::awaitable<T> operation) {
        std::optional<T> result;
        std::exception_ptr thrown;
        boost::asio::co_spawn(io, std::move(operation), [&](std::exception_ptr exception, T value) {
            thrown = exception;
            result.emplace(std::move(value));
        });
        if (!run_until([&] { return result.has_value(); })) throw std::runtime_error("nothing came of it in time");
        if (thrown) std::rethrow_exception(thrown);
        return std::move(*result);
    }
};

// Collects what comes; tests hang their own behaviour on it.
struct RecordingSink : Sink {
    std::string received;
    int calls = 0;
    int drained = 0;
    std::optional<Closed> closed;
    std::function<std::size_t(ByteView)> consume;  // instead of taking everything
    std::function<void()> when_drained;
    std::function<void(Closed)> when_closed;

    virtual ~RecordingSink() = default;

    std::size_t on_bytes(ByteView bytes) override {
        ++calls;
        const std::size_t count = consume ? consume(bytes) : bytes.size();
        received.append(bytes.substr(0, count));
        return count;
    }
    void on_drained() override {
        ++drained;
        if (when_drained) when_drained();
    }
    void on_closed(Closed how) override {
        closed = how;
        if (when_closed) when_closed(how);
    }
};

inline std::pair<Descriptor, Descriptor> unix_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
    return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// Connected over the loopback interface: the one that connected first, the accepted one second.
inline std::pair<Descriptor, Descriptor> tcp_pair() {
    Descriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (::bind(listening.get(), generic, size) != 0 || ::listen(listening.get(), 1) != 0) std::abort();
    ::getsockname(listening.get(), generic, &size);
    Descriptor near(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(near.get(), generic, size) != 0) std::abort();
    Descriptor far(::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const int on = 1;
    ::setsockopt(near.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(far.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return {std::move(near), std::move(far)};
}

// Small buffers in the kernel, so that a reader that stops is felt soon.
inline void shrink_buffers(const Descriptor& socket) {
    const int size = 65536;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

// Bytes that show where they come from, so that none can be lost, doubled or swapped unseen.
inline std::string pattern(std::size_t size, unsigned seed = 1) {
    std::string bytes(size, '\0');
    std::uint32_t state = seed * 2654435761U + 1;
    for (char& byte : bytes) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<char>(state >> 24);
    }
    return bytes;
}

}  // namespace pgsluice::net
