#include <pgsluice/insight/picture.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

namespace pgsluice::insight {
namespace {

auto identity_of(const Query& query) {
    return std::tuple<std::uint64_t, ByteView, ByteView>(query.fingerprint, query.route, query.user);
}

bool is_before(const Statistics& a, const Statistics& b, Order order) {
    switch (order) {
        case Order::total_time: return a.total_time > b.total_time;
        case Order::mean_time: return a.mean_time() > b.mean_time();
        case Order::calls: return a.calls > b.calls;
        case Order::rows: return a.rows > b.rows;
        case Order::bytes: return a.bytes > b.bytes;
        case Order::errors: return a.errors > b.errors;
        case Order::wait_time: return a.wait_time > b.wait_time;
        case Order::last_seen: return a.last_seen > b.last_seen;
    }
    return false;
}

}  // namespace

Picture merge(std::vector<Picture> pictures) {
    Picture merged;
    std::map<std::tuple<std::uint64_t, ByteView, ByteView>, std::size_t> places;
    for (Picture& picture : pictures) {
        merged.evicted += picture.evicted;
        for (Statistics& each : picture.queries) {
            const auto [place, is_new] = places.try_emplace(identity_of(*each.query), merged.queries.size());
            if (is_new)
                merged.queries.push_back(std::move(each));
            else
                merged.queries[place->second].add(each);
        }
    }
    return merged;
}

std::optional<Order> order_of(ByteView name) {
    const auto found = std::find(order_names.begin(), order_names.end(), name);
    if (found == order_names.end()) return std::nullopt;
    return static_cast<Order>(found - order_names.begin());
}

// Whole statistics are large, so what is sorted is pointers to them.
void sort_and_cut(std::vector<Statistics>& queries, Order order, std::size_t limit) {
    std::vector<Statistics*> sorted;
    sorted.reserve(queries.size());
    for (Statistics& each : queries) sorted.push_back(&each);
    const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(std::min(limit, sorted.size()));
    std::partial_sort(sorted.begin(), last, sorted.end(), [order](const Statistics* a, const Statistics* b) {
        if (is_before(*a, *b, order)) return true;
        if (is_before(*b, *a, order)) return false;
        return identity_of(*a->query) < identity_of(*b->query);
    });
    std::vector<Statistics> kept;
    kept.reserve(static_cast<std::size_t>(last - sorted.begin()));
    std::for_each(sorted.begin(), last, [&](Statistics* each) { kept.push_back(std::move(*each)); });
    queries = std::move(kept);
}

}  // namespace pgsluice::insight
