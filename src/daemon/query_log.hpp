// What logs say of statements: those that are slow, a sample of all, and all that are audited (routes[].log); what
// policies decide about them; and which ones their limits cut off or refuse. Constants are not in it, unless the route
// asks for them; a text that may hold a password stands there without them always, and one that cannot be parsed not
// at all.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/session/session.hpp>

#include <cstdint>
#include <string_view>

namespace pgsluice::daemon {

// What is written of a statement. Whole: each log cuts at a length of its own (LogStyle::value_bytes). `as_sent`: with
// its constants; empty where they are not to be told.
ByteView text_to_log(const sql::Facts* facts, ByteView as_sent = {});
// The same of a text that a client of the route has sent.
ByteView text_to_log(const sql::Facts* facts, ByteView text, const config::QueryLog& settings);

// One in so many, by a number that is uniform below that.
constexpr bool is_of_sample(std::uint32_t one_in, std::uint64_t random) {
    return one_in > 0 && random % one_in == 0;
}

// `random`: uniform below settings.sample_one_in.
void log_call(const session::Session& session, const session::Call& call, const config::QueryLog& settings,
              std::uint64_t random);
// `is_logged`: not in the audit log alone.
void log_verdict(const session::Session& session, const config::Policy& policy, const sql::Facts* facts, ByteView text,
                 bool is_logged);
void log_limit(const session::Session& session, session::LimitKind kind, const session::Callee& callee);

}  // namespace pgsluice::daemon
