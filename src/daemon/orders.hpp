// What the main thread does where the console asks for it. Any thread may ask; each returns at once.
#pragma once

#include <pgsluice/config/set.hpp>

#include <functional>
#include <optional>
#include <string>

namespace pgsluice::daemon {

class Orders {
  public:
    // The process ends when every client has left by itself; nobody new is let in. Nothing where it is ending already.
    virtual void end_without_clients() = 0;
    // One key changes in the configuration that is in force, until the files are read again. `then` is called on the
    // main thread, when every worker has taken the change: with why not, where it was refused.
    virtual void set(std::string key, std::string value, std::function<void(std::optional<config::NotSet>)> then) = 0;

  protected:
    ~Orders() = default;
};

}  // namespace pgsluice::daemon
