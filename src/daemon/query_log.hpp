// The log of queries: those that are slow, and a sample of all (routes[].log). Constants are not in it: what is written
// of a text is its normalized form.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/session/session.hpp>

#include <cstdint>

namespace pgsluice::daemon {

// `random`: uniform, for the sample.
void log_call(const session::Session& session, const session::Call& call, const config::QueryLog& settings,
              std::uint64_t random);

}  // namespace pgsluice::daemon
