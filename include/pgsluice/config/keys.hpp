// The keys that this version knows, as data: for tests that compare documentation with the loader.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice::config {

// When a changed value takes effect after a reload.
enum class Changes : std::uint8_t {
    live,             // at once; inside a transaction, when it ends
    new_connections,  // connections made afterwards, clients' or servers', whichever the key is about
    restart,          // not before the process starts again
};

std::string to_string(Changes changes);  // "live", "new connections", "restart"

struct KeyInfo {
    std::string path;  // "listeners[].tls.mode", "clusters.NAME.servers[].host"
    std::string type;
    std::string default_value;  // as YAML; "required", or "unset" where a more general key holds
    Changes changes = Changes::live;
    // SET of the console may change it: how much, how long and how loud, not who may log in, what is allowed and where
    // it goes.
    bool is_settable = false;
};

// Leaf keys, in the order of config/pgsluice.yaml. Keys that are refused as "not supported in this version" are left
// out.
std::vector<KeyInfo> known_keys();

}  // namespace pgsluice::config
