// What systemd is told, sd_notify(3). Without NOTIFY_SOCKET in the environment nothing happens. Main thread.
#pragma once

#include <pgsluice/base/time.hpp>

#include <string_view>

namespace pgsluice::daemon::notify {

void ready();
// A reload begins; ready() ends it. Carries MONOTONIC_USEC, which Type=notify-reload asks for.
void reloading();
void stopping();
void status(std::string_view text);
void watchdog();

// How often watchdog() is due: half of WATCHDOG_USEC; zero where systemd expects none.
Milliseconds watchdog_interval();

}  // namespace pgsluice::daemon::notify
