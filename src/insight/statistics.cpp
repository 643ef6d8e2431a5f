#include <pgsluice/insight/statistics.hpp>

#include <algorithm>

namespace pgsluice::insight {

void Statistics::add(const Call& call) noexcept {
    ++calls;
    errors += call.failed ? 1 : 0;
    rows += call.rows;
    bytes += call.bytes;
    total_time += call.server_time;
    min_time = std::min(min_time, call.server_time);
    max_time = std::max(max_time, call.server_time);
    wait_time += call.wait;
    first_seen = std::min(first_seen, call.at);
    last_seen = std::max(last_seen, call.at);
    if (call.trace_id.size() == trace_id.size())
        std::copy(call.trace_id.begin(), call.trace_id.end(), trace_id.begin());
    times.add(call.server_time);
    waits.add(call.wait);
}

void Statistics::add(const Statistics& other) noexcept {
    calls += other.calls;
    errors += other.errors;
    rows += other.rows;
    bytes += other.bytes;
    total_time += other.total_time;
    min_time = std::min(min_time, other.min_time);
    max_time = std::max(max_time, other.max_time);
    wait_time += other.wait_time;
    if (!other.last_trace_id().empty() && (last_trace_id().empty() || last_seen < other.last_seen))
        trace_id = other.trace_id;
    first_seen = std::min(first_seen, other.first_seen);
    last_seen = std::max(last_seen, other.last_seen);
    times.add(other.times);
    waits.add(other.waits);
}

MicrosecondsAndParts Statistics::mean_time() const {
    if (calls == 0) return MicrosecondsAndParts::zero();
    return MicrosecondsAndParts(total_time) / static_cast<double>(calls);
}

MicrosecondsAndParts Statistics::time_quantile(double fraction) const {
    if (calls == 0) return MicrosecondsAndParts::zero();
    return std::clamp(times.quantile(fraction), MicrosecondsAndParts(min_time), MicrosecondsAndParts(max_time));
}

ByteView Statistics::last_trace_id() const {
    return trace_id.front() == '\0' ? ByteView() : ByteView(trace_id.data(), trace_id.size());
}

}  // namespace pgsluice::insight
