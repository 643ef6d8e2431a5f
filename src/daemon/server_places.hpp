// A connection to a server needs two places beside its pool's permit: one of the server's (clusters.NAME
// .max_connections), and one of its user's (limits.server_connections_per_user). While it is being made it also takes a
// turn among those that connect to the server (clusters.NAME.max_connecting).
#pragma once

#include "worker.hpp"

#include <pgsluice/pool/upstream.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace pgsluice::daemon {

// The places of one connection that is being made, and its turn among those that connect. The destructor gives back
// what the holder has not parted with, whichever way a dial ends.
class HeldPlaces {
  public:
    HeldPlaces() = default;
    // The caller has taken one place of each, and its turn.
    HeldPlaces(std::shared_ptr<pool::Upstream> upstream, std::shared_ptr<pool::ServerPlaces> user)
        : connecting_(upstream), upstream_(std::move(upstream)), user_(std::move(user)) {}
    HeldPlaces(HeldPlaces&&) noexcept = default;
    HeldPlaces& operator=(HeldPlaces&& other) noexcept {
        std::swap(connecting_, other.connecting_);
        std::swap(upstream_, other.upstream_);
        std::swap(user_, other.user_);
        return *this;
    }
    ~HeldPlaces() {
        end_connecting();
        if (upstream_ != nullptr) upstream_->closed();
        if (user_ != nullptr) user_->closed();
    }

    // It has connected, or failed to: the next may.
    void end_connecting() {
        if (const auto ended = std::exchange(connecting_, nullptr)) ended->end_connecting();
    }
    // The server has the places from here on, and gives them back in pool::Server::leave_places.
    void hand_over() {
        end_connecting();
        upstream_.reset();
        user_.reset();
    }

  private:
    std::shared_ptr<pool::Upstream> connecting_;
    std::shared_ptr<pool::Upstream> upstream_;
    std::shared_ptr<pool::ServerPlaces> user_;
};

enum class PlacesTaken : std::uint8_t { all, server_is_full, user_is_full };

struct TakenPlaces {
    PlacesTaken outcome = PlacesTaken::all;
    HeldPlaces held;  // empty unless all were taken
};

// Takes a place of `upstream`, one of `user` and a turn to connect, and waits for them until `until`. All are taken or
// none: no place is held while another is waited for, so no two dials wait for each other. Idle servers of other pools
// are closed to make room. It gives up early where a place lacks and no client waits: a pool that only fills up to
// min_size has nobody make room. `outcome` names the place that lacked; where only a turn did, it is the server's.
// `pool` and `worker` outlive the call.
boost::asio::awaitable<TakenPlaces> take_places(Worker& worker, pool::Pool& pool,
                                                std::shared_ptr<pool::Upstream> upstream,
                                                std::shared_ptr<pool::ServerPlaces> user, TimePoint until);

}  // namespace pgsluice::daemon
