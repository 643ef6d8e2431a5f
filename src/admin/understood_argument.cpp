#include <pgsluice/admin/command.hpp>
#include <pgsluice/admin/scene.hpp>
#include <pgsluice/config/print.hpp>

#include <algorithm>
#include <charconv>

namespace pgsluice::admin {
namespace {

constexpr std::size_t longest_database_name = 63;  // PostgreSQL's NAMEDATALEN - 1

std::string number_in(const std::string& text) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    return read.ec == std::errc() && read.ptr == end ? std::to_string(value) : std::string();
}

bool is_key(const std::string& text, const config::Config& config) {
    const auto keys = config::print_keys(config);
    return std::any_of(keys.begin(), keys.end(), [&](const config::PrintedKey& key) { return key.path == text; });
}

// Whether the command does something to what it names, and does not refuse it as unknown. A route that takes every name
// makes none known by that alone.
bool is_database(const Command& command, const Scene& scene) {
    const std::string& text = command.argument;
    if (text.size() > longest_database_name) return false;
    const bool is_known = !server_names(scene, text).empty();
    switch (command.verb) {
        case Verb::disable: return is_routed(scene.config, text);
        case Verb::enable: return scene.disabled.contains(text);
        case Verb::resume: return is_known || scene.paused.contains(text);
        case Verb::pause:
        case Verb::kill: return is_known || is_handed_on(scene.config, text);
        default: return is_known;
    }
}

}  // namespace

bool names_pools(const Command& command) {
    switch (command.verb) {
        case Verb::reconnect:
        case Verb::pause:
        case Verb::resume:
        case Verb::kill:
        case Verb::wait_close: return !command.argument.empty();
        default: return false;
    }
}

std::string understood_argument(const Command& command, const Scene& scene) {
    const std::string& text = command.argument;
    switch (command.verb) {
        case Verb::kill_client: return number_in(text);
        case Verb::configure: return is_key(text, scene.config) ? text : std::string();
        case Verb::shutdown: return text == "wait_for_clients" || text == "wait_for_servers" ? text : std::string();
        case Verb::reconnect:
        case Verb::pause:
        case Verb::resume:
        case Verb::kill:
        case Verb::wait_close:
        case Verb::disable:
        case Verb::enable: return is_database(command, scene) ? text : std::string();
        default: return {};
    }
}

}  // namespace pgsluice::admin
