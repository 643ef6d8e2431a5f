// Members of the overview.
#pragma once

#include <pgsluice/admin/overview.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <cstdint>
#include <string>

namespace pgsluice::admin {

constexpr double micros_per_second = 1e6;

inline double seconds(std::int64_t micros) {
    return static_cast<double>(micros) / micros_per_second;
}

// How many there are of each state, under the names that the metrics have for them.
template <class State>
class ByState {
  public:
    static constexpr auto names = names_of(State{});

    std::size_t& operator[](State state) { return counts_[static_cast<std::size_t>(state)]; }
    std::size_t operator[](State state) const { return counts_[static_cast<std::size_t>(state)]; }
    boost::json::object to_json() const {
        boost::json::object out;
        for (std::size_t i = 0; i < names.size(); ++i) out[names[i]] = counts_[i];
        return out;
    }

  private:
    std::array<std::size_t, names.size()> counts_{};
};

// A list that may have been too long to be shown whole.
struct Shown {
    boost::json::array items;
    bool is_truncated = false;
};

// overview_pools.cpp: what is made of clients and servers.
struct PoolParts {
    Shown pools, waits, pins;
    std::size_t waiting = 0;        // clients, those of pools that are not shown among them
    std::int64_t longest_wait = 0;  // microseconds
};
PoolParts pool_parts(const View& view, std::int64_t now);

}  // namespace pgsluice::admin
