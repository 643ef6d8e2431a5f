#include <pgsluice/insight/query_table.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace pgsluice::insight {
namespace {

constexpr double worth_kept = 0.9;
constexpr std::size_t share_evicted = 16;

double worth_of(const Call& call) {
    return 1 + std::chrono::duration<double, std::milli>(call.server_time).count();
}

// Text of another encoding is cut somewhere in the three bytes that are looked back at.
ByteView cut(ByteView text) {
    if (text.size() <= longest_text) return text;
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
    std::size_t end = longest_text;
    while (end > longest_text - 3 && continues(text[end])) --end;
    return text.substr(0, end);
}

std::uint64_t hash_of(SipKey seed, const Key& key) {
    SipState state(seed);
    state.absorb(key.fingerprint, 1);
    state.absorb(key.route.size() << 32 | key.user.size(), 1);
    state.absorb(key.route, 1);
    state.absorb(key.user, 1);
    return state.finish(3);
}

}  // namespace

void QueryTable::record(const Key& key, const Call& call, ByteView normalized_text) {
    if (capacity_ == 0) return;
    const Hashed hashed{key, hash_of(seed_, key)};
    const auto found = entries_.find(hashed);
    Entry& entry = found == entries_.end() ? add(hashed, normalized_text) : **found;
    entry.worth += worth_of(call);
    entry.statistics.add(call);
}

QueryTable::Entry& QueryTable::add(const Hashed& key, ByteView normalized_text) {
    if (entries_.size() >= capacity_) evict(std::max<std::size_t>(capacity_ / share_evicted, 1));
    const ByteView text = cut(normalized_text);
    auto entry = std::make_unique<Entry>();
    entry->hash = key.hash;
    entry->statistics.query =
        std::make_shared<const Query>(Query{key.key.fingerprint, std::string(key.key.route), std::string(key.key.user),
                                            std::string(text), text.size() < normalized_text.size()});
    return **entries_.insert(std::move(entry)).first;
}

void QueryTable::evict(std::size_t count) {
    std::vector<Entry*> by_worth;
    by_worth.reserve(entries_.size());
    for (const std::unique_ptr<Entry>& entry : entries_) {
        entry->worth *= worth_kept;
        by_worth.push_back(entry.get());
    }
    const auto end = by_worth.begin() + static_cast<std::ptrdiff_t>(std::min(count, by_worth.size()));
    const auto is_worth_less = [](const Entry* a, const Entry* b) {
        if (a->worth != b->worth) return a->worth < b->worth;
        return a->statistics.last_seen < b->statistics.last_seen;
    };
    if (end != by_worth.end()) std::nth_element(by_worth.begin(), end, by_worth.end(), is_worth_less);
    std::for_each(by_worth.begin(), end, [this](const Entry* entry) { entries_.erase(entries_.find(entry)); });
    evicted_ += static_cast<std::uint64_t>(end - by_worth.begin());
}

void QueryTable::set_capacity(std::size_t capacity) {
    capacity_ = capacity;
    if (capacity == 0) return reset();
    if (entries_.size() > capacity) evict(entries_.size() - capacity);
}

void QueryTable::reset() {
    entries_ = {};
    evicted_ = 0;
}

Picture QueryTable::picture() const {
    Picture picture;
    picture.evicted = evicted_;
    picture.queries.reserve(entries_.size());
    for (const std::unique_ptr<Entry>& entry : entries_) picture.queries.push_back(entry->statistics);
    return picture;
}

}  // namespace pgsluice::insight
