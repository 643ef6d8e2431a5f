#include <pgsluice/insight/picture.hpp>

#include <algorithm>
#include <map>
#include <tuple>

namespace pgsluice::insight {
namespace {

using Identity = std::tuple<std::uint64_t, ByteView, ByteView>;

Identity identity_of(const Query& query) {
    return {query.fingerprint, query.route, query.user};
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
    std::map<Identity, std::size_t> places;  // its views are of what the statistics share
    for (Picture& picture : pictures) {
        merged.evicted += picture.evicted;
        if (merged.queries.empty()) {
            merged.queries = std::move(picture.queries);
            continue;
        }
        if (picture.queries.empty()) continue;
        for (std::size_t i = places.size(); i < merged.queries.size(); ++i)
            places.emplace(identity_of(*merged.queries[i].query), i);
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

std::vector<const Statistics*> sorted(const std::vector<Statistics>& queries, Order order, std::size_t limit) {
    std::vector<const Statistics*> found;
    found.reserve(queries.size());
    for (const Statistics& each : queries) found.push_back(&each);
    const auto kept = std::min(limit, found.size());
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(kept);
    std::partial_sort(found.begin(), end, found.end(), [order](const Statistics* a, const Statistics* b) {
        if (is_before(*a, *b, order)) return true;
        if (is_before(*b, *a, order)) return false;
        return identity_of(*a->query) < identity_of(*b->query);
    });
    found.resize(kept);
    return found;
}

}  // namespace pgsluice::insight
