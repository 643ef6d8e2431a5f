// What the links of one worker share: its io_context, one buffer to read into, counters, one coarse timer for all
// deadlines, and the graveyard from which objects are destroyed once nothing of theirs is on the stack. Worker thread
// only.
#pragma once

#include <pgsluice/base/result.hpp>
#include <pgsluice/base/time.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pgsluice::net {

enum class Side : std::uint8_t { client, server };  // who is at the other end

// Written by the worker alone and read by the scrape: relaxed, and never a locked instruction.
struct Traffic {
    std::atomic<std::uint64_t> received_bytes{0};
    std::atomic<std::uint64_t> sent_bytes{0};

    static void add(std::atomic<std::uint64_t>& counter, std::size_t count) {
        counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }
};

class BulkReads;
class Poller;
class Reactor;

// Something that may have to happen by some time. While any deadline stands, all of them are checked every
// Reactor::tick, so one is late by up to a tick.
class Deadlined : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    Deadlined(const Deadlined&) = delete;
    Deadlined& operator=(const Deadlined&) = delete;
    virtual ~Deadlined() = default;

  protected:
    explicit Deadlined(Reactor& reactor);

  private:
    friend class Reactor;
    virtual void on_deadline() = 0;      // no deadline stands any more when it is called
    virtual void on_reactor_gone() = 0;  // the reactor is being destroyed
    TimePoint until_ = never;
};

class Reactor {
  public:
    // Large enough that one read takes what a server's eight 8 KiB sends have queued, small enough to stay in the L2
    // cache between the read and the write.
    static constexpr std::size_t scratch_bytes = 65536;
    static constexpr Milliseconds tick{50};

    // `io` must outlive the reactor, of which it can have one, made before anything else uses it; while there is one,
    // `io` does not run out of work. Destroying the reactor closes its links, whoever owns them, and ends the
    // coroutines that wait in one of them (Asio destroys their frames with `io` at the latest). Do it while no handler
    // of `io` runs.
    explicit Reactor(boost::asio::io_context& io);
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;
    ~Reactor();

    boost::asio::io_context& io() { return io_; }
    Traffic& traffic(Side side) { return traffic_[static_cast<std::size_t>(side)]; }
    const Traffic& traffic(Side side) const { return traffic_[static_cast<std::size_t>(side)]; }

    // Destroys the object from the loop, after the handler that runs now has returned. This is how a sink, or what owns
    // it, ends itself from inside a callback: close or drop its links first, then retire it.
    template <class T>
    void retire(std::unique_ptr<T> object) {
        if (object) bury({object.release(), [](void* dead) { delete static_cast<T*>(dead); }});
    }

    // --- For links and dials.

    struct Corpse {
        void* object;
        void (*destroy)(void*);
    };
    void bury(Corpse corpse);

    // Valid until the next use by any link of this reactor, so never across a return to the loop.
    std::span<char> scratch() { return {scratch_.get(), scratch_bytes}; }
    std::string& ciphertext() { return ciphertext_; }
    Poller& poller() { return poller_; }
    BulkReads& bulk_reads() { return *bulk_reads_; }

    // Replaces the deadline that stood; `never` takes it away.
    void set_deadline(Deadlined& object, TimePoint until);

  private:
    friend class Deadlined;
    using List = boost::intrusive::list<Deadlined, boost::intrusive::constant_time_size<false>>;
    // What handlers hold on to, since they may outlive the reactor: nullptr from then on.
    using Token = std::shared_ptr<Reactor*>;

    void empty_graveyard();
    void start_tick();
    void on_tick();

    boost::asio::io_context& io_;
    Poller& poller_;  // before the timer, which would give the loop another
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::steady_timer timer_;
    Token token_;
    List with_deadline_;
    List without_deadline_;
    bool ticking_ = false;
    bool burying_ = false;
    std::vector<Corpse> graveyard_;
    std::unique_ptr<char[]> scratch_;
    std::string ciphertext_;  // TLS records on their way out; empty between uses
    std::array<Traffic, 2> traffic_;
    std::unique_ptr<BulkReads> bulk_reads_;
};

}  // namespace pgsluice::net
