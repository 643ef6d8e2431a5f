// Asks every worker for its part from the thread of the HTTP server. No worker waits for it, and it waits for none that
// hangs.
#pragma once

#include "worker.hpp"

#include <pgsluice/http/answer.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgsluice::daemon {

// By worker; nullopt: it has not answered in time.
template <class Part>
using Parts = std::vector<std::optional<Part>>;

// 503 with the names of the workers that did not answer in time; nullopt: all have.
template <class Part>
std::optional<http::Answer> late_answer(const Parts<Part>& parts) {
    http::Answer late{.status = 503};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (parts[i]) continue;
        late.body += (late.body.empty() ? "worker " : "; worker ") + std::to_string(i) + " did not answer in time";
    }
    if (late.body.empty()) return std::nullopt;
    late.body += '\n';
    return late;
}

// The parts that have come. The asking thread's only: workers hold it weakly and post what they have there, since the
// timer must not outlive the loop that it belongs to.
template <class Part>
struct Gathering {
    Gathering(const boost::asio::any_io_executor& executor, std::size_t workers) : complete(executor), parts(workers) {}

    void take(std::size_t worker, Part part) {
        parts[worker] = std::move(part);
        const bool has_all = std::all_of(parts.begin(), parts.end(), [](const auto& each) { return each.has_value(); });
        if (has_all) complete.cancel();
    }

    boost::asio::steady_timer complete;
    Parts<Part> parts;
};

// `act` is copied to each worker's loop. Workers, and what `act` refers to, outlive the thread that asks.
template <class Act>
boost::asio::awaitable<Parts<std::invoke_result_t<const Act&, Worker&>>> gather(const std::vector<Worker*>& workers,
                                                                                const Act& act, Milliseconds patience) {
    using Part = std::invoke_result_t<const Act&, Worker&>;
    const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
    const auto gathering = std::make_shared<Gathering<Part>>(executor, workers.size());
    gathering->complete.expires_after(patience);
    for (std::size_t i = 0; i < workers.size(); ++i) {
        Worker* const worker = workers[i];
        worker->post([worker, i, executor, act, asked_by = std::weak_ptr(gathering)] {
            if (asked_by.expired()) return;  // nobody waits for it any more
            auto tell = [i, asked_by, part = act(*worker)]() mutable {
                const auto waiting = asked_by.lock();
                if (waiting != nullptr) waiting->take(i, std::move(part));
            };
            boost::asio::post(executor, std::move(tell));
        });
    }
    co_await gathering->complete.async_wait(boost::asio::as_tuple(boost::asio::deferred));
    co_return std::move(gathering->parts);
}

}  // namespace pgsluice::daemon
