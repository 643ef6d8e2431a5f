// The numbers behind /metrics. Each has one writer, the worker that owns the set it stands in, and any number of
// readers: an update is a relaxed load and a relaxed store, so no locked instruction stands on the relay path and a
// scrape is no data race. Only SharedCounter and SharedGauge may be written by several threads.
#pragma once

#include <pgsluice/base/time.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pgsluice::metrics {

// Never falls. Owning thread writes, any thread reads.
class Counter {
  public:
    void add(std::uint64_t amount = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

// A level. Sets may be shared by several owners on one worker (the label `other`), so levels in a set that a name
// selects are moved by add and sub; set() is for levels that have one owner.
class Gauge {
  public:
    void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    void add(std::int64_t amount = 1) noexcept { set(value() + amount); }
    void sub(std::int64_t amount = 1) noexcept { set(value() - amount); }
    std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::int64_t> value_{0};
};

// Since when something has lasted. The scrape turns it into an age, so the age grows even when its writer hangs.
class Since {
  public:
    void set(TimePoint when) noexcept { ticks_.store(when.time_since_epoch().count(), std::memory_order_relaxed); }
    void clear() noexcept { ticks_.store(unset, std::memory_order_relaxed); }
    std::optional<TimePoint> value() const noexcept {
        const auto ticks = ticks_.load(std::memory_order_relaxed);
        if (ticks == unset) return std::nullopt;
        return TimePoint(TimePoint::duration(ticks));
    }

  private:
    static constexpr TimePoint::rep unset = TimePoint::min().time_since_epoch().count();
    std::atomic<TimePoint::rep> ticks_{unset};
};

// A counter for rare events that any thread may count.
class SharedCounter {
  public:
    void add(std::uint64_t amount = 1) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

class SharedGauge {
  public:
    void add() noexcept { value_.fetch_add(1, std::memory_order_relaxed); }
    void sub() noexcept { value_.fetch_sub(1, std::memory_order_relaxed); }
    std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::int64_t> value_{0};
};

// One metric per enumerator: By<Counter, QueryKind> queries; queries[QueryKind::simple].add(). The enum starts at zero,
// and names_of(Enum) beside it gives the label values in the enum's order.
template <class Metric, class Enum>
class By {
  public:
    static constexpr auto names = names_of(Enum{});

    Metric& operator[](Enum which) noexcept { return metrics_[static_cast<std::size_t>(which)]; }
    const Metric& operator[](Enum which) const noexcept { return metrics_[static_cast<std::size_t>(which)]; }
    const Metric& at(std::size_t index) const noexcept { return metrics_[index]; }

  private:
    std::array<Metric, names.size()> metrics_{};
};

}  // namespace pgsluice::metrics
