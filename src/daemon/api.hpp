// /api/: asks every worker for its part, as the console does, from the thread of the HTTP server, and puts the parts
// together. Who may ask has been decided before.
#pragma once

#include "process.hpp"
#include "snapshot.hpp"
#include "worker.hpp"

#include <pgsluice/http/answer.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice::daemon {

class Api {
  public:
    static constexpr Milliseconds patience{2000};

    // The workers outlive the server whose thread asks.
    Api(Process& process, std::vector<Worker*> workers);

    // 503 with the names of the workers that did not answer in time. `call` outlives it.
    boost::asio::awaitable<http::Answer> answer(const http::ApiCall& call);

  private:
    boost::asio::awaitable<http::Answer> overview();
    boost::asio::awaitable<http::Answer> queries(const std::string& query);
    boost::asio::awaitable<http::Answer> reset_queries(const std::string& caller);
    boost::asio::awaitable<http::Answer> sessions();
    std::string overview_of(const admin::View& view, const Snapshot& snapshot) const;

    Process& process_;
    const std::vector<Worker*> workers_;
    const TimePoint started_;
    const std::int64_t started_at_;  // microseconds since 1970
};

}  // namespace pgsluice::daemon
