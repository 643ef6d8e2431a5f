// What the main thread does where the console asks for it. Any thread may ask; each returns at once.
#pragma once

namespace pgsluice::daemon {

class Orders {
  public:
    // The process ends when every client has left by itself; nobody new is let in. Nothing where it is ending already.
    virtual void end_without_clients() = 0;

  protected:
    ~Orders() = default;
};

}  // namespace pgsluice::daemon
