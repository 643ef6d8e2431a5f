#include "schemas.hpp"

#include <pgsluice/config/keep.hpp>

#include <algorithm>

namespace pgsluice::config {
namespace {

const std::string later = " has changed: it changes at a restart only";

// Where clients find it.
std::string place_of(const Listener& listener) {
    const std::string port = std::to_string(listener.port);
    if (!listener.unix_directory.empty()) return listener.unix_directory + "/.s.PGSQL." + port;
    const bool is_ipv6 = listener.address.find(':') != std::string::npos;
    return (is_ipv6 ? '[' + listener.address + ']' : listener.address) + ':' + port;
}

// `open` says which there are, and in which order: whoever accepts on one knows its number. Those that `read` has at
// the same place, wherever in the list, say what else holds there.
void keep_listeners(const std::vector<Listener>& open, std::vector<Listener>& read, std::vector<std::string>& waiting) {
    std::vector<Listener> kept;
    for (const Listener& before : open) {
        const std::string place = place_of(before);
        const auto same =
            std::find_if(read.begin(), read.end(), [&](const Listener& each) { return place_of(each) == place; });
        if (same == read.end()) {
            kept.push_back(before);
            waiting.push_back("listeners: " + place + " is closed at a restart only, and stays as it is until then");
            continue;
        }
        std::vector<std::string> keys;
        keep_map(listener_schema(), before, *same, {}, keys);
        for (const std::string& key : keys) waiting.push_back("listeners: " + place + ": " + key + later);
        kept.push_back(std::move(*same));
        read.erase(same);
    }
    for (const Listener& added : read)
        waiting.push_back("listeners: " + place_of(added) + " is opened at a restart only");
    read = std::move(kept);
}

}  // namespace

std::vector<std::string> keep_until_restart(const Config& in_force, Config& read) {
    std::vector<std::string> waiting;
    keep_map(config_schema(), in_force, read, {}, waiting);
    for (std::string& key : waiting) key += later;
    keep_listeners(in_force.listeners, read.listeners, waiting);
    return waiting;
}

}  // namespace pgsluice::config
