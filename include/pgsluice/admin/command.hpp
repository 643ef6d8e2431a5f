// What is said to the console, and who may say it.
#pragma once

#include <pgsluice/admin/scene.hpp>
#include <pgsluice/base/bytes.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace pgsluice::admin {

enum class Role : std::uint8_t {
    stats,  // admin.console.stats_users: looks
    admin,  // admin.console.users: everything
};

enum class Verb : std::uint8_t {
    nothing,    // an empty text
    show,       // a table: `argument` names it
    setting,    // SHOW of a setting that drivers ask for
    set,        // SET of one: accepted, and without effect
    configure,  // SET of a key of the configuration: `argument` to `value`
    begin,      // drivers send these around everything
    end,
    reload,
    reconnect,  // [database], as the next four
    pause,
    resume,
    kill,
    wait_close,
    disable,      // database
    enable,       // database
    kill_client,  // id
    suspend,
    shutdown,  // how: "", wait_for_clients or wait_for_servers
};

struct Command {
    Verb verb = Verb::nothing;
    std::string argument;  // in lower case where it is a word of ours
    std::string tag;       // that its answer ends with
    std::string value{};   // of configure
};

// The command in a text, or why there is none. Deny by default: what no role is named for in the table there is an
// administrator's.
std::variant<Command, wire::SqlError> parse(ByteView text, Role role);

// Whether its argument is a database of pools, which may be one that only clients have named: Scene::view tells.
bool names_pools(const Command& command);

// The argument as the log may have it: an id, a word of ours, a key of the configuration, or a database to which the
// command does something. Empty where it is none of these: what was typed in its place may be anything, a password too.
// Where names_pools() is false the scene's view may be empty.
std::string understood_argument(const Command& command, const Scene& scene);

// What the table that a SHOW names is made of.
Look look_of(const Command& show);

// SHOW HELP.
std::string help();

}  // namespace pgsluice::admin
