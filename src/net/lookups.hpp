// The names that are being looked up, each on a thread that belongs to nobody: getaddrinfo cannot be called off, and
// may take longer than anybody waits, the end of the process included. Whoever asks for a name that is being looked up
// waits with the others, so that there are never more threads than names.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/net/handover.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace pgsluice::net {

struct HostAnswer {
    std::vector<Address> addresses;
    std::string failure{};  // why there are none
};

// getaddrinfo. Blocks.
HostAnswer ask_system(const std::string& host);

// Thread-safe. May go while lookups are under way.
class Lookups {
  public:
    using Ask = std::function<HostAnswer(const std::string& host)>;
    using Giver = Handover<HostAnswer>::Giver;

    explicit Lookups(Ask ask);
    static Lookups& of_process();

    // Throws std::system_error where no thread can be had.
    void join(const std::string& host, Giver giver);

  private:
    struct State;
    const std::shared_ptr<State> state_;  // shared with the threads
};

}  // namespace pgsluice::net
