// A client's first bytes, by the mode of the listener (first byte) and in one piece or one by one (second byte).
#include "fuzz.hpp"

#include <pgsluice/protocol/client_startup.hpp>

using namespace pgsluice;
using protocol::ClientStartup;

namespace {

void check(const protocol::ClientIdentity& identity) {
    PGSLUICE_CHECK(!identity.user.empty() && identity.user.size() <= 63);
    PGSLUICE_CHECK(!identity.database.empty() && identity.database.size() <= 63);
    PGSLUICE_CHECK(identity.application_name.size() <= 63);
    for (const auto& [name, value] : identity.settings) {
        // Sent to a server, these would change who we are or end the parameters.
        PGSLUICE_CHECK(!name.empty() && name != "user" && name != "database" && name != "options" &&
                       name != "replication");
        PGSLUICE_CHECK(name.find('\0') == std::string::npos && value.find('\0') == std::string::npos);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input = fuzz::view(data, size);
    ClientStartup startup(static_cast<config::ListenerTlsMode>(fuzz::choice(input) % 5));
    const std::size_t portion = fuzz::choice(input) % 2 == 0 ? input.size() : 1;

    Bytes buffer, out;
    bool starts_tls = false;
    while (!input.empty() || starts_tls) {
        if (!starts_tls) {
            buffer += input.substr(0, portion);
            input.remove_prefix(portion);
        }
        starts_tls = false;
        const auto step = startup.resume(buffer, out);
        PGSLUICE_CHECK(step.consumed <= buffer.size());
        buffer.erase(0, step.consumed);
        if (std::holds_alternative<ClientStartup::NeedMore>(step.action)) {
            PGSLUICE_CHECK(buffer.size() <= wire::startup_packet_limit + 4);
            continue;
        }
        if (std::holds_alternative<ClientStartup::StartTls>(step.action)) {
            PGSLUICE_CHECK(buffer.empty() && !startup.encrypted());
            starts_tls = true;
            continue;
        }
        if (const auto* known = std::get_if<ClientStartup::Authenticate>(&step.action)) check(known->identity);
        if (!std::holds_alternative<ClientStartup::Authenticate>(step.action)) PGSLUICE_CHECK(buffer.empty());
        break;
    }
    return 0;
}
