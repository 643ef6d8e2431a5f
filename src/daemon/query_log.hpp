// The log of queries: those that are slow, and a sample of all (routes[].log). Constants are not in it: what is written
// of a text is its normalized form.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/session/session.hpp>

#include <array>
#include <cstdint>

namespace pgsluice::daemon {

// A fingerprint as it is written everywhere, 16 hexadecimal digits and a NUL; empty where there are no facts.
std::array<char, 17> fingerprint_text(const sql::Facts* facts);
// What is written of a statement: its normalized text, cut where it is long; "(not parsed)" where there are no facts.
ByteView text_to_log(const sql::Facts* facts);

// `random`: uniform, for the sample.
void log_call(const session::Session& session, const session::Call& call, const config::QueryLog& settings,
              std::uint64_t random);

}  // namespace pgsluice::daemon
