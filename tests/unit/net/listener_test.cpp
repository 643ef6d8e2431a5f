#include "loop.hpp"
#include "socket_address.hpp"
#include "support/certificates.hpp"
#include "told_options.hpp"

#include <pgsluice/net/acceptor.hpp>
#include <pgsluice/net/descriptor_limit.hpp>
#include <pgsluice/net/listener.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace pgsluice::net {
namespace {

Descriptor connect_to(const SocketAddress& address) {
    Descriptor socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket.get(), &address.any, address.size) != 0) socket.reset();
    return socket;
}

Descriptor connect_to(const std::string& ip, std::uint16_t port) {
    return connect_to(socket_address(*Address::parse(ip), port));
}

TEST(TcpAddress, EveryWorkerGetsConnections) {
    auto address = TcpAddress::listen("127.0.0.1", 0, {});
    ASSERT_TRUE(address.has_value()) << address.error().text;
    ASSERT_NE(address->port(), 0);

    Loop loop;
    constexpr int workers = 3;
    int accepted[workers] = {};
    std::vector<std::unique_ptr<Acceptor>> acceptors;
    for (int& count : accepted) {
        auto socket = address->open();
        ASSERT_TRUE(socket.has_value()) << socket.error().text;
        acceptors.push_back(std::make_unique<Acceptor>(loop.io, std::move(*socket), [&](Descriptor) { ++count; }));
    }
    for (int count = 0; count < 120; ++count) EXPECT_TRUE(connect_to("127.0.0.1", address->port()));
    ASSERT_TRUE(loop.run_until([&] { return accepted[0] + accepted[1] + accepted[2] == 120; }));
    for (const int count : accepted) EXPECT_GT(count, 0);
}

TEST(TcpAddress, ASecondListenerIsRefused) {
    auto first = TcpAddress::listen("127.0.0.1", 0, {});
    ASSERT_TRUE(first.has_value());
    const std::string refused =
        "could not listen on 127.0.0.1:" + std::to_string(first->port()) + ": Address already in use";
    auto second = TcpAddress::listen("127.0.0.1", first->port(), {});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().text, refused);

    auto one = first->open();
    auto two = first->open();
    ASSERT_TRUE(one && two);
    second = TcpAddress::listen("127.0.0.1", first->port(), {});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().text, refused);
    EXPECT_FALSE(TcpAddress::listen("0.0.0.0", first->port(), {}).has_value()) << "the wildcard covers it";
    EXPECT_TRUE(TcpAddress::listen("127.0.0.2", first->port(), {}).has_value()) << "another address does not";
}

TEST(TcpAddress, OfProcessesThatStartTogetherOnePasses) {
    auto free = TcpAddress::listen("127.0.0.1", 0, {});
    ASSERT_TRUE(free.has_value());
    const std::uint16_t port = free->port();
    free = Error{};
    int ready[2];
    int done[2];
    ASSERT_EQ(::pipe(ready), 0);
    ASSERT_EQ(::pipe(done), 0);
    std::vector<pid_t> children;
    for (int count = 0; count < 8; ++count) {
        const pid_t child = ::fork();
        if (child == 0) {
            char byte;
            ::close(ready[1]);
            ::close(done[1]);
            (void)!::read(ready[0], &byte, 1);
            auto address = TcpAddress::listen("127.0.0.1", port, {});
            if (!address) ::_exit(0);
            const auto one = address->open();
            const auto two = address->open();
            (void)!::read(done[0], &byte, 1);
            ::_exit(one && two ? 7 : 0);
        }
        children.push_back(child);
    }
    ::close(ready[1]);  // off they go
    ::usleep(200'000);
    ::close(done[1]);
    int passed = 0;
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        passed += WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 1 : 0;
    }
    EXPECT_EQ(passed, 1);
    ::close(ready[0]);
    ::close(done[0]);
}

TEST(TcpAddress, FreesThePortWhenItGoes) {
    auto first = TcpAddress::listen("127.0.0.1", 0, {});
    const std::uint16_t port = first->port();
    Loop loop;
    int accepted = 0;
    {
        Acceptor acceptor(loop.io, *first->open(), [&](Descriptor) { ++accepted; });
        const Descriptor client = connect_to("127.0.0.1", port);
        ASSERT_TRUE(loop.run_until([&] { return accepted == 1; }));
        acceptor.stop();
        acceptor.stop();
    }
    EXPECT_TRUE(TcpAddress::listen("127.0.0.1", port, {}).has_value());
}

TEST(TcpAddress, Ipv6IsItsOwnPort) {
    auto six = TcpAddress::listen("::1", 0, {});
    if (!six) GTEST_SKIP() << six.error().text;
    // The port of the one wildcard may be another program's in the other family: one of several is free in both.
    bool both = false;
    for (int attempt = 0; attempt < 16 && !both; ++attempt) {
        auto wild = TcpAddress::listen("::", 0, {});
        ASSERT_TRUE(wild.has_value());
        both = TcpAddress::listen("0.0.0.0", wild->port(), {}).has_value();
    }
    EXPECT_TRUE(both);
    const Descriptor client = connect_to("::1", six->port());
    EXPECT_TRUE(client);
    EXPECT_EQ(remote_address(client.get()).to_string(), "::1");
}

TEST(TcpAddress, ConnectionsInheritItsOptions) {
    auto address = TcpAddress::listen("127.0.0.1", 0, unusual_options());
    ASSERT_TRUE(address.has_value());
    for (int socket = 0; socket < 2; ++socket) {
        Loop loop;
        Descriptor accepted;
        Acceptor acceptor(loop.io, *address->open(), [&](Descriptor taken) { accepted = std::move(taken); });
        const Descriptor client = connect_to("127.0.0.1", address->port());
        ASSERT_TRUE(loop.run_until([&] { return static_cast<bool>(accepted); }));
        expect_unusual_options(accepted.get());
    }
}

TEST(TcpAddress, WantsAnAddress) {
    const auto wrong = TcpAddress::listen("localhost", 5432, {});
    ASSERT_FALSE(wrong.has_value());
    EXPECT_EQ(wrong.error().text, "could not listen on \"localhost\": not an IP address");
}

class UnixAddressTest : public testing::Test {
  protected:
    test::TemporaryDirectory directory;
    std::string path = directory / ".s.PGSQL.5432";
    std::string lock = path + ".lock";
    Outcome<UnixAddress> listen() { return UnixAddress::listen(directory.string(), 5432, 0770); }

    // What is wrong with the lock file; empty where it is taken, and where something else goes wrong.
    std::string refusal() {
        const auto refused = listen();
        const std::string before = "lock file \"" + lock + "\" ";
        const std::string behind = ": remove it if nobody needs it, or listen elsewhere";
        const std::string text = refused ? "" : refused.error().text;
        if (!text.starts_with(before) || !text.ends_with(behind)) return "";
        return text.substr(before.size(), text.size() - before.size() - behind.size());
    }
    static std::string content(const std::string& file) {
        std::ifstream in(file);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    // A process number that nobody has.
    static pid_t dead_process() {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(0);
        ::waitpid(child, nullptr, 0);
        return child;
    }
};

TEST_F(UnixAddressTest, ListensWhereLibpqLooks) {
    {
        auto address = listen();
        ASSERT_TRUE(address.has_value()) << address.error().text;
        EXPECT_EQ(address->path(), path);
        struct stat info {};
        ASSERT_EQ(::stat(path.c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777, 0770U);
        std::ifstream file(lock);
        std::string line;
        std::getline(file, line);
        EXPECT_EQ(line, std::to_string(::getpid()));

        Loop loop;
        Descriptor accepted;
        Acceptor acceptor(loop.io, address->open(), [&](Descriptor taken) { accepted = std::move(taken); });
        EXPECT_TRUE(connect_to(*unix_socket_address(path)));
        ASSERT_TRUE(loop.run_until([&] { return static_cast<bool>(accepted); }));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_FALSE(std::filesystem::exists(lock));
}

TEST_F(UnixAddressTest, ALiveOwnerIsRefused) {
    const auto first = listen();
    ASSERT_TRUE(first.has_value());
    const auto second = listen();
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().text, "could not listen on \"" + path + "\": already in use by another pgsluice");
    EXPECT_TRUE(std::filesystem::exists(path)) << "the refused one removes nothing";
}

TEST_F(UnixAddressTest, ALivePostgresIsRefused) {
    const pid_t server = ::fork();
    if (server == 0) {
        ::sleep(10);
        ::_exit(0);
    }
    std::ofstream(lock) << server << "\n/var/lib/postgresql\n1\n5432\n" << directory.string() << "\n";
    const auto refused = listen();
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().text,
              "could not listen on \"" + path + "\": already in use by process " + std::to_string(server));
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
    EXPECT_TRUE(listen().has_value());
}

TEST_F(UnixAddressTest, WhatADeadProcessLeftIsReplaced) {
    std::ofstream(lock) << dead_process() << "\nmore\n";
    std::ofstream(path) << "stale";
    const auto address = listen();
    ASSERT_TRUE(address.has_value()) << address.error().text;
    EXPECT_TRUE(connect_to(*unix_socket_address(path)));
}

TEST_F(UnixAddressTest, WhatADeadProcessLeftBeforeItWroteItsNumberIsReplaced) {
    std::ofstream(lock).close();
    EXPECT_TRUE(listen().has_value());
    std::ofstream(lock) << '-' << dead_process() << '\n';
    EXPECT_TRUE(listen().has_value()) << "a standalone backend's";
}

TEST_F(UnixAddressTest, ALockFileThatHoldsSomethingElseIsLeftAlone) {
    const std::string number = std::to_string(dead_process());
    for (const std::string& held : {std::string("precious\n"), number + " reasons\n", std::string("0\n"),
                                    std::string("\n"), std::string(100, '1')}) {
        std::ofstream(lock, std::ios::trunc) << held;
        EXPECT_EQ(refusal(), "does not begin with the number of a process") << held;
        EXPECT_EQ(content(lock), held);
    }
}

TEST_F(UnixAddressTest, ALinkInTheLockFilesPlaceIsNotFollowed) {
    const std::string precious = directory / "precious";
    std::filesystem::create_symlink(precious, lock);
    EXPECT_EQ(refusal(), "is a symbolic link");
    EXPECT_FALSE(std::filesystem::exists(precious)) << "nothing is made where it leads";
    const std::string held = std::to_string(dead_process()) + '\n';
    std::ofstream(precious) << held;
    EXPECT_EQ(refusal(), "is a symbolic link");
    std::filesystem::remove(lock);
    std::filesystem::create_hard_link(precious, lock);
    EXPECT_EQ(refusal(), "has another name too");
    EXPECT_EQ(content(precious), held);
}

TEST_F(UnixAddressTest, WhatIsNoFileInTheLockFilesPlaceIsRefused) {
    ASSERT_EQ(::mkfifo(lock.c_str(), 0600), 0);
    EXPECT_EQ(refusal(), "is no regular file");
}

TEST_F(UnixAddressTest, ALockFileOfAnotherAccountIsRefused) {
    std::ofstream(lock) << dead_process() << '\n';
    if (::chown(lock.c_str(), 65534, 65534) != 0) GTEST_SKIP() << "only root can give files away";
    EXPECT_EQ(refusal(), "belongs to another account");
}

TEST_F(UnixAddressTest, AnyNameWillDoAndWhatIsNoSocketIsLeftAlone) {
    const std::string named = directory / "http.sock";
    {
        auto address = UnixAddress::listen_at(named, 0600);
        ASSERT_TRUE(address.has_value()) << address.error().text;
        EXPECT_TRUE(address->open());
        struct stat file {};
        ASSERT_EQ(::stat(named.c_str(), &file), 0);
        EXPECT_EQ(file.st_mode & 0777, 0600u);
        EXPECT_FALSE(UnixAddress::listen_at(named, 0600).has_value());
    }
    EXPECT_NE(::access(named.c_str(), F_OK), 0);
    std::ofstream(named) << "precious";
    const auto occupied = UnixAddress::listen_at(named, 0600);
    ASSERT_FALSE(occupied.has_value());
    EXPECT_EQ(occupied.error().text, "could not listen on \"" + named + "\": it is there and is no socket");
    std::string kept;
    std::ifstream(named) >> kept;
    EXPECT_EQ(kept, "precious");
}

TEST_F(UnixAddressTest, ErrorsNameThePath) {
    const auto missing = UnixAddress::listen("/nowhere", 5432, 0777);
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().text,
              "could not create lock file \"/nowhere/.s.PGSQL.5432.lock\": No such file or directory");
    const auto long_path = UnixAddress::listen("/" + std::string(120, 'x'), 5432, 0777);
    ASSERT_FALSE(long_path.has_value());
    EXPECT_NE(long_path.error().text.find("the path is too long"), std::string::npos);
}

// Takes every descriptor that the process may still have.
struct Exhaustion {
    rlimit before{};
    std::vector<Descriptor> taken;
    Exhaustion() {
        ::getrlimit(RLIMIT_NOFILE, &before);
        rlimit low = before;
        low.rlim_cur = 64;
        ::setrlimit(RLIMIT_NOFILE, &low);
        for (;;) {
            Descriptor one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            if (!one) return;
            taken.push_back(std::move(one));
        }
    }
    ~Exhaustion() { ::setrlimit(RLIMIT_NOFILE, &before); }
};

TEST(Acceptor, PausesWhenDescriptorsRunOutAndGoesOn) {
    auto address = TcpAddress::listen("127.0.0.1", 0, {});
    ASSERT_TRUE(address.has_value());
    Loop loop;
    int accepted = 0;
    std::vector<std::string> trouble;
    Acceptor acceptor(
        loop.io, *address->open(), [&](Descriptor) { ++accepted; },
        [&](const Error& error) { trouble.push_back(error.text); });
    loop.poll();
    Descriptor client;
    timespec before{};
    timespec after{};
    int accepted_meanwhile = -1;
    {
        Exhaustion exhaustion;
        exhaustion.taken.pop_back();
        client = connect_to("127.0.0.1", address->port());
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        loop.run_for(Milliseconds(600));
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        accepted_meanwhile = accepted;
    }
    ASSERT_TRUE(client);
    EXPECT_EQ(accepted_meanwhile, 0);
    const double used =
        static_cast<double>(after.tv_sec - before.tv_sec) + static_cast<double>(after.tv_nsec - before.tv_nsec) * 1e-9;
    EXPECT_LT(used, 0.1) << "it must not spin";
    // At 0, 100 and 300 ms; on a busy machine perhaps fewer.
    EXPECT_GE(trouble.size(), 1U);
    EXPECT_LE(trouble.size(), 3U);
    EXPECT_EQ(trouble.at(0), "could not accept a connection: Too many open files");
    ASSERT_TRUE(loop.run_until([&] { return accepted == 1; }));
}

TEST(Acceptor, MayBeDestroyedInsideItsCallback) {
    auto address = TcpAddress::listen("127.0.0.1", 0, {});
    Loop loop;
    int accepted = 0;
    std::unique_ptr<Acceptor> acceptor;
    acceptor = std::make_unique<Acceptor>(loop.io, *address->open(), [&](Descriptor) {
        ++accepted;
        acceptor.reset();
    });
    const Descriptor one = connect_to("127.0.0.1", address->port());
    const Descriptor two = connect_to("127.0.0.1", address->port());
    ASSERT_TRUE(loop.run_until([&] { return accepted == 1; }));
    loop.run_for(Milliseconds(5));
    EXPECT_EQ(accepted, 1);
}

TEST(DescriptorLimit, RaisesTheSoftLimitToTheHardOne) {
    rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    rlimit low = before;
    low.rlim_cur = 64;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    const DescriptorLimit limit = raise_descriptor_limit(100);
    EXPECT_GE(limit.soft, 100U);
    EXPECT_TRUE(limit.enough);
    EXPECT_EQ(limit.hard, before.rlim_max);
    EXPECT_FALSE(raise_descriptor_limit(~0ULL).enough);
    ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace pgsluice::net
