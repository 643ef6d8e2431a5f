#include "cancel_guesses.hpp"

#include <boost/container_hash/hash.hpp>

namespace pgsluice::daemon {

std::size_t CancelGuesses::place_of(const Address& source) const {
    const Address counted = source.subscriber();
    std::size_t hash = seed_;
    boost::hash_combine(hash, static_cast<std::uint8_t>(counted.family));
    boost::hash_range(hash, counted.octets.begin(), counted.octets.end());
    return hash % counters_.size();
}

bool CancelGuesses::is_exhausted(const Address& source, TimePoint now) const {
    const std::lock_guard lock(mutex_);
    const Counter& counter = counters_[place_of(source)];
    return now < counter.until && counter.wrong_keys >= limit_;
}

bool CancelGuesses::note(const Address& source, TimePoint now) {
    const std::lock_guard lock(mutex_);
    Counter& counter = counters_[place_of(source)];
    if (now >= counter.until) counter = {now + window, 0};
    return ++counter.wrong_keys == limit_;
}

}  // namespace pgsluice::daemon
