// Which route a client takes: the first whose every condition holds. Chosen once, after authentication; a client that
// no route takes gets 3D000 from the caller.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/config/config.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::routing {

// What is known of a client. Views, used during the call only.
struct Facts {
    std::string_view database{}, user{}, application_name{};
    std::string_view sni{};  // the host name of the TLS handshake; empty: none was sent, or no TLS
    Address address{};
};

// Immutable; any thread may read it.
class Table {
  public:
    // The routes must outlive the table: it points into them, and so do the answers.
    explicit Table(const std::vector<config::Route>& routes);

    // nullptr: no route takes this client.
    const config::Route* choose(const Facts& facts) const;

  private:
    struct Entry {
        const config::Route* route;
        std::vector<std::string> host_names;  // match.sni in normal form
    };
    std::vector<Entry> entries_;
};

// Host names compare without case and without the dot of a fully qualified name (RFC 4343, RFC 6066 section 3).
std::string normal_host_name(std::string_view name);

}  // namespace pgsluice::routing
