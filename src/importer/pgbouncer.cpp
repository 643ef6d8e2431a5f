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
    const std::string path = options.file("auth_file");
    if (path.empty()) return {};
    auto [users, problem] = config::read_users_file(path);
    if (problem && problem->line == 0)
        findings.add(Weight::broken, options.place("auth_file"), "auth_file", "could not be read: " + path);
    else if (problem)
        findings.add(Weight::not_done, {path, problem->line}, "auth_file",
                     problem->text + "; PgBouncer serves the users above such a line, and pgsluice starts with none");
    std::erase_if(users,
                  [](const config::User& user) { return user.name == "*"; });  // a name there, everybody in rules
    return users;
}

// What is taken for a key of a database may be a part of its password.
std::string named(const std::string& section, const std::string& key) {
    return section == "databases" ? "a key" : "the key " + key;
}

}  // namespace

const config::User* Source::find_user(const std::string& name) const {
    const auto found = std::find_if(users.begin(), users.end(), [&](const config::User& u) { return u.name == name; });
    return found == users.end() ? nullptr : &*found;
}

std::uint32_t Source::number(const std::string& text, std::uint32_t otherwise, const Entry& entry,
                             std::string_view key) const {
    const auto value = to_number(text);
    if (!value) findings.add(Weight::broken, entry.place, std::string(key), "must be a number");
    return value.value_or(otherwise);
}

Milliseconds Source::seconds(const std::string& text, Milliseconds otherwise, const Entry& entry,
                             std::string_view key) const {
    const auto value = to_seconds(text);
    if (!value) findings.add(Weight::broken, entry.place, std::string(key), "must be a number of seconds");
    if (is_longer_than_a_year(text))
        findings.add(Weight::note, entry.place, std::string(key), becomes_most(std::chrono::hours(24 * 365)));
    return value.value_or(otherwise);
}

std::uint32_t Source::within(std::uint32_t value, std::uint32_t least, std::uint32_t most, const Place& place,
                             std::string_view option) const {
    const std::uint32_t nearest = std::clamp(value, least, most);
    if (nearest != value)
        findings.add(Weight::note, place, std::string(option),
                     "becomes " + std::to_string(nearest) + ", the " + (value < least ? "least" : "most") +
                         " that it can be here");
    return nearest;
}

Milliseconds Source::at_most(Milliseconds value, Milliseconds most, const Place& place, std::string_view option) const {
    if (value > most) findings.add(Weight::note, place, std::string(option), becomes_most(most));
    return std::min(value, most);
}

std::uint32_t Source::number_within(std::string_view option, std::uint32_t least, std::uint32_t most) const {
    return within(options.number(option), least, most, options.place(option), option);
}

std::uint16_t Source::port(const std::string& text, std::uint16_t otherwise, const Entry& entry) const {
    const auto value = to_number(text);
    const bool is_port = value && *value >= 1 && *value <= 65535;
    if (!is_port) findings.add(Weight::broken, entry.place, "port", "must be a number from 1 to 65535");
    return is_port ? static_cast<std::uint16_t>(*value) : otherwise;
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
        if (section == "users" && setting.key == "*") continue;  // a name there, and everybody here
        const std::string option = '[' + section + "] " + setting.key;
        auto pairs = parse_pairs(setting.value);
        if (!pairs) {
            source.findings.add(Weight::broken, setting.place, option, "is no list of NAME=VALUE");
            continue;
        }
        for (const auto& [key, value] : *pairs) {
            if (!known.empty() && std::find(known.begin(), known.end(), key) == known.end())
                source.findings.add(Weight::broken, setting.place, option,
                                    "has " + named(section, key) +
                                        " that PgBouncer up to 1.25 does not know, and would not start with");
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
    const std::string file = find_file(ini, ini);
    const auto settings = read_ini(file, findings);
    const Options options(file, settings, findings);
    const Source source{settings, options, findings, users_of(options, findings)};
    Imported out;
    convert_process(source, out.config);
    convert_peers(source, out.config);
    convert_databases(source, out.config);
    convert_users(source, out.config);
    convert_rules(source, out.config);
    if (out.config.clusters.empty())
        findings.add(Weight::broken, {ini, 0}, "[databases]", "there is no database, so nobody can be served");
    for (const Setting& setting : settings) {
        if (setting.section != "databases") continue;
        if (setting.key == "pgbouncer")
            findings.add(Weight::broken, setting.place, "[databases] pgbouncer", "is the name of the console");
        // A database of ours would be hidden by it.
        if (setting.key == out.config.console.database) out.config.console.database = "pgbouncer";
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
