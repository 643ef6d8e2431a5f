// What pgsluice asks a server about its session, and what the server answers: for scripts with session_state: preserve.
#pragma once

#include "statement_scripts.hpp"

#include <pgsluice/protocol/inspection.hpp>

#include <vector>

namespace pgsluice::session {

inline Script preserving() {
    World::Options options;
    options.pool.session_state = config::SessionState::preserve;
    options.pool.query_wait_timeout = std::chrono::seconds(5);
    return Script(options);
}
inline std::string looks(const std::string& names, const std::string& locks) {
    return "Bind \"\" \"pgsluice_inspect\" \"" + names + "\" \"" + locks + "\"\nExecute \"\" 0\nSync\n";
}
inline std::string isolates() {
    return "Bind \"\" \"pgsluice_isolate\"\nExecute \"\" 0\n";
}
inline std::string asks(const std::string& names = "{}", const std::string& locks = "f") {
    return isolates() + looks(names, locks);
}
inline std::string parses(const std::string& name, ByteView text) {
    // As long as describe_client() shows a text.
    const std::string shown(text.substr(0, 200));
    return "Close S \"" + name + "\"\nParse \"" + name + "\" \"" + shown + (text.size() > 200 ? "..." : "") + "\"\n";
}
inline std::string asks_first(const std::string& names = "{}", const std::string& locks = "f") {
    return parses("pgsluice_isolate", protocol::isolation_text()) + isolates() +
           parses("pgsluice_inspect", protocol::inspection_text()) + looks(names, locks);
}
inline Bytes answers(const std::vector<std::vector<std::string>>& rows, bool first = true) {
    const Bytes parsed = first ? server::close_complete() + server::parse_complete() : Bytes();
    Bytes bytes = parsed + server::bind_complete() + server::command_complete("SET") + parsed + server::bind_complete();
    for (const auto& row : rows) bytes += server::row({row[0], row[1], row[2]});
    return bytes + server::command_complete("SELECT 1") + server::ready();
}
inline Script& sets_work_mem(Script& script) {
    return script.client_sends(client::query("set work_mem = '7MB'"))
        .expect_to_server("Query \"set work_mem = '7MB'\"\n")
        .server_sends(server::command_complete("SET") + server::ready())
        .expect_to_client("CommandComplete \"SET\"\nReadyForQuery I\n")
        .expect_to_server(asks_first());
}

}  // namespace pgsluice::session
