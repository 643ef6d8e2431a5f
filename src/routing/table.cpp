#include <pgsluice/base/name_list.hpp>
#include <pgsluice/routing/table.hpp>

#include <algorithm>

namespace pgsluice::routing {

std::string normal_host_name(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    std::string normal(name);
    // ASCII only: a name outside of it is sent as punycode, and the locale must not matter.
    std::transform(normal.begin(), normal.end(), normal.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return normal;
}

Table::Table(const std::vector<config::Route>& routes) {
    entries_.reserve(routes.size());
    for (const config::Route& route : routes) {
        Entry entry{&route, {}};
        for (const std::string& name : route.match.sni) entry.host_names.push_back(normal_host_name(name));
        entries_.push_back(std::move(entry));
    }
}

const config::Route* Table::choose(const Facts& facts) const {
    const std::string host_name = normal_host_name(facts.sni);
    const auto takes = [&](const Entry& entry) {
        const config::RouteMatch& match = entry.route->match;
        return matches(match.databases, facts.database) && matches(match.users, facts.user) &&
               matches(match.applications, facts.application_name) && matches(match.from, facts.address) &&
               matches(entry.host_names, host_name);
    };
    const auto found = std::find_if(entries_.begin(), entries_.end(), takes);
    return found == entries_.end() ? nullptr : found->route;
}

}  // namespace pgsluice::routing
