#include "notify.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

namespace pgsluice::daemon {
namespace {

// Listens where systemd would.
class NotifyTest : public ::testing::Test {
  protected:
    void SetUp() override {
        socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string name = "@pgsluice-notify-test-" + std::to_string(::getpid());
        std::copy(name.begin() + 1, name.end(), address.sun_path + 1);  // abstract
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bind(2) asks for it
        ASSERT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
        ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    }
    void TearDown() override {
        ::unsetenv("NOTIFY_SOCKET");
        ::close(socket_);
    }
    std::string heard() const {
        std::array<char, 4096> buffer;
        const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        return size < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(size));
    }

    int socket_ = -1;
};

TEST_F(NotifyTest, TellsSystemd) {
    notify::ready();
    EXPECT_EQ(heard(), "READY=1");
    notify::stopping();
    EXPECT_EQ(heard(), "STOPPING=1");
    notify::watchdog();
    EXPECT_EQ(heard(), "WATCHDOG=1");
    notify::reloading();
    const std::string reloading = heard();
    EXPECT_EQ(reloading.substr(0, 27), "RELOADING=1\nMONOTONIC_USEC=");
    EXPECT_GT(std::stoull(reloading.substr(27)), 0u);
}

TEST_F(NotifyTest, AStatusCannotForgeAnotherMessage) {
    notify::status("serving\nMAINPID=1");
    EXPECT_EQ(heard(), "STATUS=serving\\x0aMAINPID=1");
}

TEST_F(NotifyTest, IsSilentOutsideSystemd) {
    ::unsetenv("NOTIFY_SOCKET");
    notify::ready();
    EXPECT_EQ(heard(), "nothing");
}

TEST(WatchdogInterval, IsHalfOfWhatSystemdExpects) {
    ::unsetenv("WATCHDOG_USEC");
    EXPECT_EQ(notify::watchdog_interval(), Milliseconds::zero());
    ::setenv("WATCHDOG_USEC", "20000000", 1);
    EXPECT_EQ(notify::watchdog_interval(), Milliseconds(10000));
    ::setenv("WATCHDOG_PID", "1", 1);
    EXPECT_EQ(notify::watchdog_interval(), Milliseconds::zero()) << "meant for another process";
    ::unsetenv("WATCHDOG_PID");
    ::unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace pgsluice::daemon
