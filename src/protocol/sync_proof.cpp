#include <pgsluice/protocol/asking.hpp>
#include <pgsluice/protocol/sync_proof.hpp>
#include <pgsluice/wire/frontend_messages.hpp>

namespace pgsluice::protocol {

void append_sync_proof(Bytes& to_server, Exchange& exchange) {
    wire::write_target(to_server, wire::FrontendTag::close, 'S', absent_name);
    exchange.owe({Asked::proof, Fate::swallow});
    Asking(to_server, exchange, Fate::swallow).sync();
}

}  // namespace pgsluice::protocol
