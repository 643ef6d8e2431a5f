// Coroutines that visit the workers one after the other, for the console: what Worker::post is to those that want no
// answer.
#pragma once

#include "worker.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <type_traits>

namespace pgsluice::daemon {

template <class Act>
boost::asio::awaitable<std::invoke_result_t<const Act&, Worker&>> run_there(Worker& there, const Act& act) {
    there.read_clock();
    co_return act(there);
}

// Runs `act` in each worker's loop, one after the other, and tells the results to `take` in this one's. Both are to
// outlive the call; as temporaries with members GCC 12 destroys them twice.
template <class Act, class Take>
boost::asio::awaitable<void> in_each(Worker& worker, const Act& act, const Take& take) {
    for (Worker* each : worker.siblings()) {
        take(co_await boost::asio::co_spawn(each->io(), run_there(*each, act), boost::asio::use_awaitable));
    }
}

template <class Act>
boost::asio::awaitable<void> do_in_each(Worker& worker, const Act& act) {
    const auto run = [&](Worker& each) { return act(each), true; };
    const auto take = [](bool) {};
    co_await in_each(worker, run, take);
}

template <class Count>
boost::asio::awaitable<std::size_t> sum_of_each(Worker& worker, const Count& count) {
    std::size_t sum = 0;
    const auto take = [&](std::size_t here) { sum += here; };
    co_await in_each(worker, count, take);
    co_return sum;
}

}  // namespace pgsluice::daemon
