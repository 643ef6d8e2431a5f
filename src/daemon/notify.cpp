#include "notify.hpp"

#include <pgsluice/base/escape.hpp>

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <ctime>
#include <string>

namespace pgsluice::daemon::notify {
namespace {

// Whether systemd heard it changes nothing that we could do.
void send(const std::string& state) {
    static_cast<void>(::sd_notify(0, state.c_str()));
}

// The clock that systemd compares with: CLOCK_MONOTONIC, which steady_clock need not be.
std::uint64_t monotonic_micros() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

}  // namespace

void ready() {
    send("READY=1");
}

void reloading() {
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_micros()));
}

void stopping() {
    send("STOPPING=1");
}

// A newline would begin another assignment.
void status(std::string_view text) {
    send("STATUS=" + escaped(text));
}

void watchdog() {
    send("WATCHDOG=1");
}

Milliseconds watchdog_interval() {
    std::uint64_t micros = 0;
    if (::sd_watchdog_enabled(0, &micros) <= 0) return Milliseconds::zero();
    return std::chrono::duration_cast<Milliseconds>(Microseconds(micros / 2));
}

}  // namespace pgsluice::daemon::notify
