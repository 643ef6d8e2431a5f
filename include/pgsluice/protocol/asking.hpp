// Messages that pgsluice sends to a server on its own account, each entered in the ledger with the reply that it is
// owed, so that neither can be forgotten for the other.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/protocol/exchange.hpp>
#include <pgsluice/wire/frontend_messages.hpp>

#include <span>

namespace pgsluice::protocol {

class Asking {
  public:
    // Appends to `to_server`, and all replies meet `fate`. Keeps references to both: for the stack.
    Asking(Bytes& to_server, Exchange& exchange, Fate fate) : to_server_(to_server), exchange_(exchange), fate_(fate) {}

    void parse(ByteView name, ByteView text, ByteView parameter_types = wire::no_parameter_types);
    // In the place of whatever may be prepared by that name.
    void parse_anew(ByteView name, ByteView text, ByteView parameter_types = wire::no_parameter_types);
    // To its end, by way of the unnamed portal.
    void run(ByteView statement, std::span<const ByteView> values = {});
    // Both succeed where there is none.
    void close_statement(ByteView name);
    void close_portal(ByteView name);
    void query(ByteView text);
    void sync();

  private:
    void owe(Asked asked) { exchange_.owe({asked, fate_}); }

    Bytes& to_server_;
    Exchange& exchange_;
    Fate fate_;
};

}  // namespace pgsluice::protocol
