// How many statements run under one limit right now, and how fast they come: for its concurrency and its rate. One for
// each rule, shared by all workers.
#pragma once

#include <pgsluice/base/time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pgsluice::policy {

class Usage : public std::enable_shared_from_this<Usage> {
  public:
    // What a statement holds while it runs; it is given back when nobody holds it any more, by whatever thread.
    using Slot = std::shared_ptr<const void>;
    enum class Answer : std::uint8_t { granted, too_many, too_fast };

    // 0: any number. A second's worth of statements may come at once.
    Usage(std::uint32_t at_a_time, std::uint32_t per_second) : at_a_time_(at_a_time), per_second_(per_second) {}

    // `key`: what is counted apart. Where it is granted, `slot` is held for it; it stays empty where only the rate has
    // a limit. `is_counted`: it has been granted before and did not begin, so its rate has been counted.
    Answer take(std::string_view key, TimePoint now, bool is_counted, Slot& slot);

    std::size_t keys() const;

  private:
    // Beyond so many keys that are in use, further ones share one account.
    static constexpr std::size_t most_keys = 10'000;
    struct Account {
        std::uint32_t running = 0;
        TimePoint due{};  // when the next one would come, did they come evenly
    };
    Account& account_of(std::string_view key, TimePoint now);

    const std::uint32_t at_a_time_, per_second_;
    mutable std::mutex mutex_;  // guards what follows
    std::unordered_map<std::string, Account> accounts_;
    TimePoint cleared_at_{};
};

}  // namespace pgsluice::policy
