// What the workers share of one pool: its permits, the queue of those who wait, what its servers answer to a login, and
// the changes of its database's schema. A check-in reads one atomic count; only where somebody waits does it come to
// the broker, a mutex off the plain path, that serves the oldest waiter of any worker. Waiters register first and look
// for a server again afterwards, so that no wake-up is lost; a newcomer never overtakes, since it takes no idle server
// while the count is not zero.
#pragma once

#include <pgsluice/base/ids.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/pool/login_answers.hpp>
#include <pgsluice/pool/permits.hpp>
#include <pgsluice/pool/schema_changes.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

namespace pgsluice::pool {

// Rises with each RECONNECT; a server keeps the one that its dial began in.
using Generation = std::uint64_t;

class Share {
  public:
    // `changes` are those of the database that the pool's servers are in.
    Share(std::size_t workers, std::shared_ptr<Permits> permits,
          std::shared_ptr<SchemaChanges> changes = std::make_shared<SchemaChanges>())
        : permits_(std::move(permits)),
          schema_changes_(std::move(changes)),
          idle_(std::make_unique<Idle[]>(workers)),
          workers_(workers) {
        permits_->join();
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { permits_->leave(); }

    Permits& permits() { return *permits_; }
    std::shared_ptr<Permits> permits_ref() const { return permits_; }

    // --- Waiters.
    using Ticket = std::uint64_t;
    bool anybody_waits() const { return waiting_.load() != 0; }
    std::uint32_t waiting() const { return waiting_.load(); }
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
    // Who call() would take next, unless another worker does.
    std::optional<Called> next() const;

    // --- Idle servers by worker, so that a waiter knows whom to ask for one.
    void add_idle(WorkerIndex worker) { idle_[number(worker)].count.fetch_add(1); }
    void remove_idle(WorkerIndex worker) { idle_[number(worker)].count.fetch_sub(1); }
    // A worker other than `self` that has an idle server.
    std::optional<WorkerIndex> somebody_idle(WorkerIndex self) const;

    // --- Open servers of all workers, those on their way between two included. Permits count those of siblings too.
    void add_server(Generation of);
    void remove_server(Generation of);
    std::uint32_t servers() const { return servers_.load(); }
    // Servers of a generation before `from` are not lent again, wherever they are and even if their dial has not ended
    // yet. Workers tell the same one after the other.
    void replace_servers(Generation from);
    Generation generation() const { return generation_.load(std::memory_order_relaxed); }
    // Open ones of older generations.
    std::uint32_t outdated() const;

    LoginAnswers& login_answers() { return login_answers_; }
    // What a server of that generation has told at its login; what an older one has, RECONNECT is to make forgotten.
    void learn_login(Generation of, std::uint64_t fingerprint, LoginAnswers::Greeting greeting);
    SchemaChanges& schema_changes() { return *schema_changes_; }

  private:
    const std::shared_ptr<Permits> permits_;
    const std::shared_ptr<SchemaChanges> schema_changes_;
    std::atomic<std::uint32_t> waiting_{0};
    std::atomic<std::uint32_t> servers_{0};
    std::atomic<Generation> generation_{0};
    // A cache line each: every transaction of a worker writes its own, and none of another's.
    struct alignas(64) Idle {
        std::atomic<std::uint32_t> count{0};
    };
    std::unique_ptr<Idle[]> idle_;
    const std::size_t workers_;

    mutable std::mutex mutex_;
    std::deque<Called> queue_;  // oldest ticket first; protected by mutex_, as is the next
    Ticket next_ticket_ = 1;
    std::uint32_t outdated_ = 0;  // protected by mutex_

    LoginAnswers login_answers_;
};

}  // namespace pgsluice::pool
