#include "query_log.hpp"

#include <pgsluice/base/log.hpp>

#include <array>
#include <cstdio>
#include <initializer_list>

namespace pgsluice::daemon {
namespace {

// What is longer is cut in the log.
constexpr std::size_t longest_text = 8192;

double milliseconds(Microseconds time) {
    return static_cast<double>(time.count()) / 1000;
}

}  // namespace

std::array<char, 17> fingerprint_text(const sql::Facts* facts) {
    std::array<char, 17> digits{};
    if (facts != nullptr) {
        std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(facts->fingerprint));
    }
    return digits;
}

ByteView text_to_log(const sql::Facts* facts) {
    return facts == nullptr ? ByteView("(not parsed)") : prefix(facts->normalized, longest_text);
}

void log_call(const session::Session& session, const session::Call& call, const config::QueryLog& settings,
              std::uint64_t random) {
    const bool is_slow = settings.slow_query.count() > 0 && call.wait + call.server_time >= settings.slow_query;
    const bool is_sampled = settings.sample_one_in > 0 && random % settings.sample_one_in == 0;
    if (!is_slow && !is_sampled) return;
    const sql::Facts* facts = call.callee.facts.get();
    const auto fingerprint = fingerprint_text(facts);
    const session::Identity& who = session.identity();
    const std::initializer_list<log::Field> fields{{"session", static_cast<std::int64_t>(number(who.id))},
                                                   {"route", session.pool().target().route},
                                                   {"user", who.user},
                                                   {"database", who.database},
                                                   {"application", session.application_name()},
                                                   {"wait_ms", milliseconds(call.wait)},
                                                   {"server_ms", milliseconds(call.server_time)},
                                                   {"rows", static_cast<std::int64_t>(call.rows)},
                                                   {"bytes", static_cast<std::int64_t>(call.bytes)},
                                                   {"failed", call.failed},
                                                   {"fingerprint", ByteView(fingerprint.data())},
                                                   {"trace_id", call.callee.trace_id},
                                                   {"sql", text_to_log(facts)}};
    if (is_slow)
        log::warning("slow_query", "a query took longer than routes[].log.slow_query", fields);
    else
        log::info("query", "a query of the sample", fields);
}

}  // namespace pgsluice::daemon
