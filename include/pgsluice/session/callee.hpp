// What a client calls by a Query, or by a prepared statement and its portal.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/policy/limit.hpp>
#include <pgsluice/sql/facts_cache.hpp>
#include <pgsluice/sql/session_effect.hpp>

#include <memory>
#include <string>

namespace pgsluice::session {

// What is to be told of a text beside its facts.
struct Remarks {
    std::string trace_id;  // of its comment's traceparent; empty where there is none
    std::string text;      // as it was sent, where logs may have its constants and no password is in it; else empty
};

// What was called: a text, by its facts.
struct Callee {
    sql::FactsRef facts;                           // nullptr where it could not be parsed, or nobody has asked for them
    std::shared_ptr<const Remarks> remarks{};      // nullptr for most
    std::shared_ptr<const policy::Limit> limit{};  // under which it runs; nullptr: none. Keeps its rulebook
    bool is_counted = false;                       // its result has a limit
    sql::TakenNames takes{};                       // known where limits depend on it

    ByteView trace_id() const { return remarks == nullptr ? ByteView() : ByteView(remarks->trace_id); }
    ByteView text() const { return remarks == nullptr ? ByteView() : ByteView(remarks->text); }
};

}  // namespace pgsluice::session
