// What tests of prepared statements say over and over.
#pragma once

#include <pgsluice/protocol/statement.hpp>

#include <support/script.hpp>

#include <string>

namespace pgsluice::session {

using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

// The name of ours that a text is prepared under, whatever the cache: names are made from the text and the settings.
// `parse`: of a text that may read the clock, which Parse of such a text in the whole script it is, from 1.
// `set`: a SET that has run in front of its Parse, in the same transaction.
inline std::string our_name(std::string_view text, int parse = 0, std::string_view set = {},
                            std::uint64_t schema_changes = 0, ByteView types = {"\0\0", 2}) {
    protocol::StatementCache cache({1, 2});
    std::uint64_t settings = 0;
    for (const char* part : {"client_encoding", "UTF8", "DateStyle", "ISO, MDY", "TimeZone", "UTC"}) {
        settings = cache.then(settings, part);
    }
    if (!set.empty()) settings = cache.then(settings, set);
    std::uint64_t number = 0;
    for (int i = 0; i < parse; ++i) number = cache.unshared();
    return cache.intern(text, types, {settings, schema_changes, number})->server_name;
}
// Where one change of the schema has been seen since.
inline std::string our_name_behind_ddl(std::string_view text, ByteView types) {
    return our_name(text, 0, {}, 1, types);
}

inline Bytes run(std::string_view name) {
    return client::bind("", name) + client::execute() + client::sync();
}
inline Bytes answered(std::string_view tag) {
    return server::bind_complete() + server::command_complete(tag) + server::ready();
}
inline std::string prepares(const std::string& text) {
    return "Parse \"" + our_name(text) + "\" \"" + text + "\"\n";
}
// What shows whether a name that is taken is all that is wrong with a Parse, and what the server says then.
inline std::string parses_again(const std::string& text) {
    return "Close S \"pgsluice_taken\"\nParse \"pgsluice_taken\" \"\"\nParse \"pgsluice_taken\" \"" + text + "\"\n";
}
inline Bytes already_exists() {
    return server::close_complete() + server::parse_complete() +
           server::error("42P05", "\"pgsluice_taken\" already exists") + server::ready();
}
inline std::string evicts(const std::string& text) {
    return "Close S \"" + our_name(text) + "\"\n";
}
inline std::string runs(const std::string& text) {
    return "Bind \"\" \"" + our_name(text) + "\"\nExecute \"\" 0\nSync\n";
}

// Client 0 holds server 0 in a transaction, and client 1 is on server 1.
inline Script on_two_servers(std::uint32_t slots = 200) {
    World::Options options;
    options.pool.size = 2;
    options.pool.max_prepared_statements = slots;
    Script script(options);
    script.add_client();
    return script;
}
inline void hold_server(Script& script, std::size_t who, std::size_t server_number) {
    script.client_sends(who, client::query("begin"))
        .server_sends(server_number, server::command_complete("BEGIN") + server::ready('T'))
        .expect_to_server(server_number, "Query \"begin\"\n")
        .expect_to_client(who, "CommandComplete \"BEGIN\"\nReadyForQuery T\n");
}

}  // namespace pgsluice::session
