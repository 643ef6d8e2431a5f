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

bool is_database(const std::string& text, const config::Config& config, const std::set<std::string>& held) {
    if (text.size() > longest_database_name) return false;
    const auto names_it = [&](const config::Route& route) { return route.database == text; };
    return held.contains(text) || is_routed(config, text) ||
           std::any_of(config.routes.begin(), config.routes.end(), names_it);
}

}  // namespace

std::string understood_argument(const Command& command, const config::Config& config,
                                const std::set<std::string>& held) {
    const std::string& text = command.argument;
    switch (command.verb) {
        case Verb::kill_client: return number_in(text);
        case Verb::configure: return is_key(text, config) ? text : std::string();
        case Verb::shutdown: return text == "wait_for_clients" || text == "wait_for_servers" ? text : std::string();
        case Verb::reconnect:
        case Verb::pause:
        case Verb::resume:
        case Verb::kill:
        case Verb::wait_close:
        case Verb::disable:
        case Verb::enable: return is_database(text, config, held) ? text : std::string();
        default: return {};
    }
}

}  // namespace pgsluice::admin
