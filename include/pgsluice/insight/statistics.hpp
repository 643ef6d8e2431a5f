// What is known of one query: a normalized text that a user runs by a route. All that is added up here is about whole
// calls, from the statement's arrival at us to the reply that ended it.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/insight/distribution.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace pgsluice::insight {

using WallTime = std::chrono::system_clock::time_point;  // passed in, never read

struct Key {
    std::uint64_t fingerprint = 0;  // equal for texts that differ in constants, spaces and comments
    ByteView route, user;
};

struct Call {
    Microseconds server_time{0};        // that a server worked for it
    Microseconds wait{0};               // for a server, before that
    std::uint64_t rows = 0, bytes = 0;  // that it returned or changed; that the server answered
    bool failed = false;
    WallTime at{};
    ByteView trace_id{};  // 32 hexadecimal digits, as in a traceparent; empty: the client has named none
};

struct Query {
    std::uint64_t fingerprint = 0;
    std::string route, user;
    std::string text;     // normalized: $n in the place of constants
    bool is_cut = false;  // there was more of the text
};

struct Statistics {
    std::shared_ptr<const Query> query;   // immutable, so pictures on other threads share it
    std::uint64_t calls = 0, errors = 0;  // calls that failed count as calls too
    std::uint64_t rows = 0, bytes = 0;
    Microseconds total_time{0}, min_time = Microseconds::max(), max_time{0};  // of servers
    Microseconds wait_time{0};
    WallTime first_seen = WallTime::max(), last_seen = WallTime::min();
    std::array<char, 32> trace_id{};  // of the last call that named one; NULs: none has
    Distribution times, waits;

    void add(const Call& call) noexcept;
    void add(const Statistics& other) noexcept;  // of the same query

    MicrosecondsAndParts mean_time() const;
    // The distributions' quantiles, and never beyond the shortest and longest call.
    MicrosecondsAndParts time_quantile(double fraction) const;
    MicrosecondsAndParts wait_quantile(double fraction) const { return waits.quantile(fraction); }
    ByteView last_trace_id() const;
};

}  // namespace pgsluice::insight
