// Reads a StartupMessage's parameters: who the client says it is, and which settings it asks for.
#pragma once

#include <pgsluice/protocol/client_startup.hpp>

#include <variant>

namespace pgsluice::protocol {

std::variant<ClientIdentity, wire::SqlError> read_identity(const wire::StartupMessage& message);

}  // namespace pgsluice::protocol
