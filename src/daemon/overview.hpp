// /api/overview: asks every worker for its part, as the console does, from the thread of the HTTP server. No worker
// waits for it, and it waits for none longer than `patience`.
#pragma once

#include "process.hpp"
#include "snapshot.hpp"
#include "worker.hpp"

#include <pgsluice/http/answer.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <vector>

namespace pgsluice::daemon {

class Overview {
  public:
    static constexpr Milliseconds patience{2000};

    // The workers outlive the server whose thread asks.
    Overview(Process& process, std::vector<Worker*> workers);

    // 503 with the names of the workers that did not answer in time.
    boost::asio::awaitable<http::Answer> answer();

  private:
    struct Gathering;
    http::Answer answer_of(const Gathering& gathering) const;

    Process& process_;
    const std::vector<Worker*> workers_;
    const TimePoint started_;
    const std::int64_t started_at_;  // microseconds since 1970
};

}  // namespace pgsluice::daemon
