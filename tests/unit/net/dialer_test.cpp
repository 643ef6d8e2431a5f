#include "loop.hpp"
#include "support/certificates.hpp"
#include "told_options.hpp"

#include <pgsluice/net/acceptor.hpp>
#include <pgsluice/net/dialer.hpp>
#include <pgsluice/net/listener.hpp>

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <thread>
#include <vector>

namespace pgsluice::net {
namespace {

namespace asio = boost::asio;

// From here on epoll takes no more sockets of this thread, as beyond /proc/sys/fs/epoll/max_user_watches. There is no
// way back.
bool refuse_new_watches() {
    std::array<sock_filter, 6> filter{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_ctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, EPOLL_CTL_ADD, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog program{filter.size(), filter.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

struct DialerTest : testing::Test {
    Outcome<LinkPtr> dial_now(DialTarget target, Milliseconds time = Milliseconds(5000)) {
        const SocketOptions options;
        return loop.await(dial(loop.reactor, std::move(target), options, in(time)));
    }
    Loop loop;
};

TEST_F(DialerTest, ConnectsByAddressAndByName) {
    auto address = TcpAddress::listen("127.0.0.1", 0, {});
    ASSERT_TRUE(address.has_value());
    std::vector<Descriptor> accepted;
    Acceptor acceptor(loop.io, *address->open(), [&](Descriptor socket) { accepted.push_back(std::move(socket)); });
    for (const char* host : {"127.0.0.1", "localhost"}) {
        auto link = dial_now({.host = host, .port = address->port()});
        ASSERT_TRUE(link.has_value()) << link.error().text;
        EXPECT_EQ((*link)->side(), Side::server);
        EXPECT_EQ((*link)->remote().to_string(), "127.0.0.1");
        EXPECT_EQ((*link)->remote().port, address->port());
        EXPECT_EQ(loop.await((*link)->write_all("hello", in(Milliseconds(5000)))), error_code());
    }
    ASSERT_TRUE(loop.run_until([&] { return accepted.size() == 2; }));
    char bytes[5];
    EXPECT_EQ(::recv(accepted[1].get(), bytes, 5, MSG_WAITALL), 5);
}

TEST_F(DialerTest, TellsAConnectionItsOptions) {
    auto address = TcpAddress::listen("127.0.0.1", 0, {});
    ASSERT_TRUE(address.has_value());
    const Descriptor listening = *address->open();
    const DialTarget target{.host = "127.0.0.1", .port = address->port()};
    auto link = loop.await(dial(loop.reactor, target, unusual_options(), in(Milliseconds(5000))));
    ASSERT_TRUE(link.has_value()) << link.error().text;
    expect_unusual_options((*link)->descriptor());
}

TEST_F(DialerTest, ConnectsToAUnixSocket) {
    const test::TemporaryDirectory directory;
    auto address = UnixAddress::listen(directory.string(), 6432, 0700);
    ASSERT_TRUE(address.has_value());
    const auto link = dial_now({.host = directory.string(), .port = 6432});
    ASSERT_TRUE(link.has_value()) << link.error().text;
    EXPECT_EQ((*link)->remote().family, Address::Family::unix_socket);

    const auto missing = dial_now({.host = directory.string(), .port = 7432});
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().text,
              "could not connect to " + (directory / ".s.PGSQL.7432") + ": No such file or directory");
}

TEST_F(DialerTest, TellsWhatRefused) {
    auto free = TcpAddress::listen("127.0.0.1", 0, {});
    const std::uint16_t port = free->port();
    free = Error{};
    const auto refused = dial_now({.host = "127.0.0.1", .port = port});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().text, "could not connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
    const auto six = dial_now({.host = "::1", .port = port});
    ASSERT_FALSE(six.has_value());
    EXPECT_EQ(six.error().text.find("could not connect to [::1]:" + std::to_string(port) + ": "), 0U);
}

TEST_F(DialerTest, GivesUpAtTheDeadline) {
    // A listener whose queue is full drops what comes: the nearest thing to a host that is not there.
    Descriptor listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(listening.get(), 0), 0);
    ::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size);
    const std::uint16_t port = ntohs(address.sin_port);
    std::vector<LinkPtr> filling;
    Outcome<LinkPtr> last = Error{};
    for (int count = 0; count < 8; ++count) {
        last = dial_now({.host = "127.0.0.1", .port = port}, Milliseconds(200));
        if (!last) break;
        filling.push_back(std::move(*last));
    }
    ASSERT_FALSE(last.has_value());
    EXPECT_EQ(last.error().code, asio::error::timed_out);
    EXPECT_EQ(last.error().text, "could not connect to 127.0.0.1:" + std::to_string(port) + ": timed out");
}

TEST_F(DialerTest, ANameThatNobodyKnowsIsAnError) {
    const auto unknown = dial_now({.host = "no-such-host.invalid", .port = 5432});
    ASSERT_FALSE(unknown.has_value());
    EXPECT_EQ(unknown.error().text.find("could not resolve \"no-such-host.invalid\": "), 0U);
}

TEST_F(DialerTest, ADialThatIsUnderWayGoesWithTheLoop) {
    Loop dying;
    const SocketOptions options;
    const DialTarget target{.host = "localhost", .port = 1};
    asio::co_spawn(dying.io, dial(dying.reactor, target, options, in(Milliseconds(60'000))),
                   [](std::exception_ptr, Outcome<LinkPtr>) {});
    dying.poll();
}

TEST_F(DialerTest, a_socket_that_epoll_does_not_take_is_a_failure_and_closed) {
    auto address = TcpAddress::listen("127.0.0.1", 0, {});
    ASSERT_TRUE(address.has_value());
    const Descriptor listening = *address->open();
    std::thread([&] {
        if (!refuse_new_watches()) GTEST_SKIP() << "no seccomp filters here";
        const std::ptrdiff_t before = open_descriptors();
        const auto link = dial_now({.host = "127.0.0.1", .port = address->port()});
        ASSERT_FALSE(link.has_value());
        EXPECT_EQ(link.error().code, boost::system::errc::no_space_on_device);
        EXPECT_EQ(open_descriptors(), before);
    }).join();
}

}  // namespace
}  // namespace pgsluice::net
