// What the commands of the console do to the process.
#pragma once

#include "console_session.hpp"

#include <pgsluice/admin/command.hpp>
#include <pgsluice/admin/scene.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace pgsluice::daemon {

// All workers' parts.
boost::asio::awaitable<admin::View> look(Worker& worker, admin::Look how = admin::Look::usual);
// What tables are made of, with a view and a configuration that outlive it.
admin::Scene scene_of(Process& process, const admin::View& view, const Snapshot& snapshot);

// How a command has ended: well, with an error for the client, or it has gone meanwhile.
struct Done {
    std::optional<wire::SqlError> error{};
    bool client_left = false;
    std::optional<wire::SqlError> notice{};  // to be told ahead of the success
};
boost::asio::awaitable<Done> carry_out(ConsoleSession& session, const admin::Command& command);

}  // namespace pgsluice::daemon
