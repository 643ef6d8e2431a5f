// How many clients a worker has, from accept on: what new ones are spread by, and what /metrics shows.
#pragma once

#include <pgsluice/metrics/counter.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace pgsluice::daemon {

// A connection's place on its worker, from the choice of the worker to the connection's end. Whoever accepts takes it,
// before the worker hears of the connection: those that are on their way count as well.
class WorkerPlace {
  public:
    WorkerPlace() = default;
    explicit WorkerPlace(metrics::SharedGauge& clients) : clients_(&clients) { clients.add(); }
    WorkerPlace(WorkerPlace&& other) noexcept : clients_(std::exchange(other.clients_, nullptr)) {}
    WorkerPlace& operator=(WorkerPlace&& other) noexcept {
        std::swap(clients_, other.clients_);
        return *this;
    }
    ~WorkerPlace() {
        if (clients_ != nullptr) clients_->sub();
    }

  private:
    metrics::SharedGauge* clients_ = nullptr;
};

// Where the next client goes: to whoever has the fewest, and among these to each in turn, since connections that come
// and go one at a time find all as empty.
class FewestInTurn {
  public:
    // `clients_of` tells how many each of `workers`, at least one, has.
    template <class ClientsOf>
    std::size_t next(std::size_t workers, ClientsOf clients_of) {
        std::size_t best = turn_ % workers;
        std::int64_t fewest = clients_of(best);
        for (std::size_t step = 1; step < workers; ++step) {
            const std::size_t each = (turn_ + step) % workers;
            const std::int64_t clients = clients_of(each);
            if (clients >= fewest) continue;
            best = each;
            fewest = clients;
        }
        turn_ = best + 1;
        return best;
    }

  private:
    std::size_t turn_ = 0;
};

}  // namespace pgsluice::daemon
