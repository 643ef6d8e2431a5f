// A value that another thread makes for a coroutine, which waits for it no longer than it wants. What makes the value
// cannot be called off: it may come back when the coroutine has gone, and its loop with it.
#pragma once

#include <pgsluice/base/time.hpp>
#include <pgsluice/net/asio.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace pgsluice::net {

// Lives in the coroutine's frame, and so ends on the loop's thread, or with the loop when that thread has ended.
template <class T>
class Handover {
    struct Place {
        Place(asio::io_context& loop, TimePoint until) : io(loop), timer(std::in_place, loop, until) {}
        std::mutex mutex;
        asio::io_context& io;  // good while there is a timer
        // Runs until the deadline; cancelled by the value. Goes with the coroutine, under the mutex: whoever holds that
        // and finds the timer has a loop that still runs, or has stopped and is not being destroyed: before it is,
        // those who give are joined or made to forget (SharedLookups::forget_all).
        std::optional<asio::steady_timer> timer;
        std::optional<T> value;
    };

  public:
    // The other thread's end.
    class Giver {
      public:
        explicit Giver(std::shared_ptr<Place> place) : place_(std::move(place)) {}

        bool is_wanted() const {
            const std::lock_guard lock(place_->mutex);
            return place_->timer.has_value();
        }
        void give(T value) const {
            const std::lock_guard lock(place_->mutex);
            if (!place_->timer) return;
            place_->value = std::move(value);
            // A timer is touched on its loop's thread alone.
            asio::post(place_->io, [place = place_] {
                if (place->timer) place->timer->cancel();
            });
        }

      private:
        std::shared_ptr<Place> place_;
    };

    Handover(asio::io_context& io, TimePoint until) : place_(std::make_shared<Place>(io, until)) {}
    Handover(const Handover&) = delete;
    Handover& operator=(const Handover&) = delete;
    ~Handover() {
        const std::lock_guard lock(place_->mutex);
        place_->timer.reset();
    }

    Giver giver() const { return Giver(place_); }

    // nullopt: the deadline has come first. Once.
    asio::awaitable<std::optional<T>> wait() {
        if (auto value = take()) co_return value;
        co_await place_->timer->async_wait(as_tuple);
        co_return take();
    }

  private:
    std::optional<T> take() {
        const std::lock_guard lock(place_->mutex);
        return std::exchange(place_->value, std::nullopt);
    }

    const std::shared_ptr<Place> place_;
};

}  // namespace pgsluice::net
