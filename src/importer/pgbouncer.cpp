#include "convert.hpp"
#include "files.hpp"

#include <pgsluice/base/escape.hpp>
#include <pgsluice/config/print.hpp>
#include <pgsluice/config/users_file.hpp>

#include <algorithm>

namespace pgsluice::importer {
namespace {

std::string_view word(Weight weight) {
    switch (weight) {
        case Weight::note: return "note";
        case Weight::not_done: return "not done";
        case Weight::less_safe: return "less safe";
        case Weight::broken: return "broken";
    }
    return {};
}

std::vector<config::User> users_of(const Options& options, Findings& findings) {
    if (!options.is_set("auth_file")) return {};
    const Place place = options.place("auth_file");
    const std::string path = find_file(options.text("auth_file"), place.file);
    auto users = config::read_users_file(path);
    if (!users) findings.add(Weight::broken, place, "auth_file", "could not be read: " + path);
    return std::move(users).value_or(std::vector<config::User>());
}

}  // namespace

const config::User* Source::find_user(const std::string& name) const {
    const auto found = std::find_if(users.begin(), users.end(), [&](const config::User& u) { return u.name == name; });
    return found == users.end() ? nullptr : &*found;
}

const std::string* Entry::find(std::string_view key) const {
    // The last one holds, as where PgBouncer reads them one after another.
    const auto found =
        std::find_if(values.rbegin(), values.rend(), [&](const auto& pair) { return pair.first == key; });
    return found == values.rend() ? nullptr : &found->second;
}

std::string Entry::text(std::string_view key, std::string otherwise) const {
    const std::string* value = find(key);
    return value == nullptr ? std::move(otherwise) : *value;
}

std::vector<Entry> entries_of(const Source& source, const std::string& section,
                              const std::vector<std::string_view>& known) {
    std::vector<Entry> out;
    for (const Setting& setting : source.settings) {
        if (setting.section != section) continue;
        const std::string option = '[' + section + "] " + setting.key;
        auto pairs = parse_pairs(setting.value);
        if (!pairs) {
            source.findings.add(Weight::broken, setting.place, option, "is no list of NAME=VALUE");
            continue;
        }
        for (const auto& [key, value] : *pairs) {
            if (!known.empty() && std::find(known.begin(), known.end(), key) == known.end())
                source.findings.add(Weight::not_done, setting.place, option,
                                    key + " is not known of PgBouncer up to 1.25, so nobody can say what is lost");
        }
        out.push_back({setting.key, *std::move(pairs), setting.place});
    }
    return out;
}

std::string Finding::to_string() const {
    std::string out = std::string(word(weight)) + ": " + file;
    if (line > 0) out += ':' + std::to_string(line);
    out += ": ";
    if (!option.empty()) out += option + ": ";
    return in_one_line(out + text);
}

bool Imported::has(Weight weight) const {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& f) { return f.weight == weight; });
}

Imported import_pgbouncer(const std::string& ini) {
    Findings findings;
    const auto settings = read_ini(find_file(ini, ini), findings);
    const Options options(settings, findings);
    const Source source{settings, options, findings, users_of(options, findings)};
    Imported out;
    convert_process(source, out.config);
    convert_peers(source, out.config);
    convert_databases(source, out.config);
    convert_users(source, out.config);
    convert_rules(source, out.config);
    if (out.config.clusters.empty())
        findings.add(Weight::broken, {ini, 0}, "[databases]", "there is no database, so nobody can be served");
    // A database of this name would be hidden by the console.
    if (std::any_of(settings.begin(), settings.end(), [&](const Setting& setting) {
            return setting.section == "databases" && setting.key == out.config.console.database;
        })) {
        out.config.console.database = "pgbouncer";
    }
    out.findings = findings.take();
    return out;
}

std::string yaml(const Imported& imported, const std::string& ini) {
    std::string out = "# Made from " + in_one_line(ini) + " by pgsluice import-pgbouncer.\n";
    if (!imported.findings.empty()) out += "# What is not quite the same:\n";
    for (const Finding& finding : imported.findings) out += "#   " + finding.to_string() + '\n';
    return out + config::write(imported.config);
}

}  // namespace pgsluice::importer
