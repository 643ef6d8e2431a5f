// What the workers share of one pool: its size, the queue of those who wait, and what its servers answer to a login.
// The size bounds the pool over all workers. A check-in reads one atomic count; only where somebody waits does it come
// to the broker, a mutex off the plain path, that serves the oldest waiter of any worker. Waiters register first and
// look for a server again afterwards, so that no wake-up is lost; a newcomer never overtakes, since it takes no idle
// server while the count is not zero.
#pragma once

#include <pgsluice/base/ids.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/pool/login_answers.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

namespace pgsluice::pool {

class Share {
  public:
    explicit Share(std::size_t workers) : idle_(std::make_unique<Idle[]>(workers)), workers_(workers) {}

    // --- Permits: one for each connection that is open or being made.
    bool try_take(std::uint32_t limit) {
        std::uint32_t seen = open_.load();
        while (seen < limit) {
            if (open_.compare_exchange_weak(seen, seen + 1)) return true;
        }
        return false;
    }
    void give_back() { open_.fetch_sub(1); }
    std::uint32_t open() const { return open_.load(); }

    // --- Waiters.
    using Ticket = std::uint64_t;
    bool anybody_waits() const { return waiting_.load() != 0; }
    Ticket enqueue(WorkerIndex worker, TimePoint now);
    // False where the ticket has been called already: a server is on its way to that worker.
    bool withdraw(Ticket ticket);
    // Takes the oldest ticket off the queue: a free server now belongs to it.
    struct Called {
        Ticket ticket;
        WorkerIndex worker;
        TimePoint since;
    };
    std::optional<Called> call();
    // The server never came to the one that was called: back to its place in the queue.
    void put_back(const Called& called);
    std::optional<TimePoint> oldest() const;

    // --- Idle servers by worker, so that a waiter knows whom to ask for one.
    void add_idle(WorkerIndex worker) { idle_[number(worker)].count.fetch_add(1); }
    void remove_idle(WorkerIndex worker) { idle_[number(worker)].count.fetch_sub(1); }
    // A worker other than `self` that has an idle server.
    std::optional<WorkerIndex> somebody_idle(WorkerIndex self) const;

    LoginAnswers& login_answers() { return login_answers_; }

  private:
    std::atomic<std::uint32_t> open_{0};
    std::atomic<std::uint32_t> waiting_{0};
    // A cache line each: every transaction of a worker writes its own, and none of another's.
    struct alignas(64) Idle {
        std::atomic<std::uint32_t> count{0};
    };
    std::unique_ptr<Idle[]> idle_;
    const std::size_t workers_;

    mutable std::mutex mutex_;
    std::deque<Called> queue_;  // oldest ticket first; protected by mutex_, as is the next
    Ticket next_ticket_ = 1;

    LoginAnswers login_answers_;
};

}  // namespace pgsluice::pool
