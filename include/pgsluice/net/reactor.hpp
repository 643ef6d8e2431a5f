// What the links of one worker share: its io_context, one buffer to read into, counters, one coarse timer for all
// deadlines, and the graveyard from which objects are destroyed once nothing of theirs is on the stack. Worker thread
// only.
#pragma once

#include <pgsluice/base/time.hpp>

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

// Something that must have happened by some time. Checked every Reactor::tick while any stands, so it is late by up to
// one.
class Deadlined : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    Deadlined(const Deadlined&) = delete;
    Deadlined& operator=(const Deadlined&) = delete;

  protected:
    Deadlined() = default;
    ~Deadlined() = default;

  private:
    friend class Reactor;
    virtual void on_deadline() = 0;      // no longer listed when it is called
    virtual void on_reactor_gone() = 0;  // the reactor is being destroyed
    TimePoint until_ = never;
};

class Reactor {
  public:
    // Large enough that one read takes what a server's eight 8 KiB sends have queued, small enough to stay in the L2
    // cache between the read and the write.
    static constexpr std::size_t scratch_bytes = 65536;
    static constexpr Milliseconds tick{50};

    // `io` must outlive the reactor, and the reactor every link, acceptor and dial made with it. Destroy them with `io`
    // stopped, or from its thread.
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

    // For links: valid until the next use by any link of this reactor, so never across a return to the loop.
    std::span<char> scratch() { return {scratch_.get(), scratch_bytes}; }
    std::string& ciphertext() { return ciphertext_; }

    // Lists `object` until `until`; never takes it off the list. Listing it again changes the time.
    void set_deadline(Deadlined& object, TimePoint until);

  private:
    struct Corpse {
        void* object;
        void (*destroy)(void*);
    };
    struct Bury;
    struct Tick;

    void bury(Corpse corpse);
    void empty_graveyard();
    void start_tick();
    void on_tick();

    boost::asio::io_context& io_;
    boost::asio::steady_timer timer_;
    boost::intrusive::list<Deadlined, boost::intrusive::constant_time_size<false>> deadlined_;
    bool ticking_ = false;
    bool burying_ = false;
    std::vector<Corpse> graveyard_;
    std::unique_ptr<char[]> scratch_;
    std::string ciphertext_;  // TLS records on their way out; kept small between uses
    std::array<Traffic, 2> traffic_;
};

}  // namespace pgsluice::net
