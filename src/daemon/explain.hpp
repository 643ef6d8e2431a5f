// What pgsluice makes of one statement, for people: the facts that the parser finds, each policy with the condition
// that it fails on, and the verdict. Judged by the same code as a client's statements.
#pragma once

#include "snapshot.hpp"

#include <optional>
#include <string>

namespace pgsluice::daemon {

// Who sends the statement, in what state of the session.
struct ExplainRequest {
    std::string sql;
    std::string user, database, application, route;  // route empty: the one that the client would take
    Address address;
    bool in_transaction = false;
    std::optional<std::string> search_path;  // nullopt: not known, as of a session that has not set it
    bool standard_conforming_strings = true;
};

struct Explained {
    std::string text;
    bool blocks = false;
    bool has_route = true;    // false: no client like this is taken in, and the text says so
    bool knows_route = true;  // false: no route has the name that was asked for, and the text says so
};

Explained explain(const Snapshot& snapshot, const ExplainRequest& request);

}  // namespace pgsluice::daemon
