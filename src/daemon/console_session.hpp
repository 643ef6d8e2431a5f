// A client of the console while it is there, as the rest of the process knows it: it stands in SHOW CLIENTS,
// KILL_CLIENT ends it, and a CancelRequest ends the wait of its command. Nothing waits for it when the process ends.
// Its worker's thread only.
#pragma once

#include "cancel_key.hpp"
#include "login.hpp"

#include <pgsluice/admin/view.hpp>

namespace pgsluice::daemon {

class ConsoleSession {
  public:
    explicit ConsoleSession(Login& login);
    ConsoleSession(const ConsoleSession&) = delete;
    ConsoleSession& operator=(const ConsoleSession&) = delete;
    ~ConsoleSession();

    Login& login() const { return login_; }
    SessionId id() const { return id_; }
    const CancelKey& key() const { return key_; }

    void begin_command();
    void end_command() { runs_ = false; }
    // Asked by commands that wait.
    bool is_cancelled() const { return cancelled_; }

    // Of the worker: for a CancelRequest, for KILL_CLIENT (FATAL 57P01), for SHOW CLIENTS.
    void cancel();
    void end();
    admin::ClientView view(std::int64_t connected_at, std::int64_t active_at) const;
    TimePoint connected_at() const { return connected_at_; }
    TimePoint active_at() const { return active_at_; }

  private:
    Login& login_;
    const SessionId id_;
    const CancelKey key_;
    const TimePoint connected_at_;
    TimePoint active_at_;
    bool runs_ = false;
    bool cancelled_ = false;  // the command that runs
};

}  // namespace pgsluice::daemon
