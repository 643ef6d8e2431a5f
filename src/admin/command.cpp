#include "options.hpp"
#include "tables.hpp"

#include <pgsluice/admin/command.hpp>
#include <pgsluice/base/lower_case.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace pgsluice::admin {
namespace {

// How many words may stand behind it.
enum class Words : std::uint8_t { none, perhaps_one, one, assignment };

struct Entry {
    std::string_view word;
    Verb verb;
    Words argument;
    Role least;
    std::string_view tag, usage;
};

constexpr std::array entries{
    Entry{"show", Verb::show, Words::one, Role::stats, "SHOW", ""},
    Entry{"select", Verb::show, Words::one, Role::stats, "SHOW", ""},
    Entry{"reload", Verb::reload, Words::none, Role::admin, "RELOAD", "RELOAD"},
    Entry{"reconnect", Verb::reconnect, Words::perhaps_one, Role::admin, "RECONNECT", "RECONNECT [<db>]"},
    Entry{"pause", Verb::pause, Words::perhaps_one, Role::admin, "PAUSE", "PAUSE [<db>]"},
    Entry{"resume", Verb::resume, Words::perhaps_one, Role::admin, "RESUME", "RESUME [<db>]"},
    Entry{"disable", Verb::disable, Words::one, Role::admin, "DISABLE", "DISABLE <db>"},
    Entry{"enable", Verb::enable, Words::one, Role::admin, "ENABLE", "ENABLE <db>"},
    Entry{"kill", Verb::kill, Words::perhaps_one, Role::admin, "KILL", "KILL [<db>]"},
    Entry{"wait_close", Verb::wait_close, Words::perhaps_one, Role::admin, "WAIT_CLOSE", "WAIT_CLOSE [<db>]"},
    Entry{"kill_client", Verb::kill_client, Words::one, Role::admin, "KILL_CLIENT", "KILL_CLIENT <client_id>"},
    Entry{"suspend", Verb::suspend, Words::none, Role::admin, "SUSPEND", "SUSPEND"},
    Entry{"shutdown", Verb::shutdown, Words::perhaps_one, Role::admin, "SHUTDOWN",
          "SHUTDOWN [WAIT_FOR_SERVERS | WAIT_FOR_CLIENTS]"},
    Entry{"set", Verb::configure, Words::assignment, Role::admin, "SET", "SET <key> = <value>"},
    Entry{"begin", Verb::begin, Words::none, Role::stats, "BEGIN", ""},
    Entry{"commit", Verb::end, Words::none, Role::stats, "COMMIT", ""},
    Entry{"rollback", Verb::end, Words::none, Role::stats, "ROLLBACK", ""},
};

bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Its words are told apart by '=' too.
bool begins_with_set(ByteView text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    return text.size() > 3 && lower_case(text.substr(0, 3)) == "set" && is_blank(text[3]);
}

// Words apart by blanks; one in quotes keeps its blanks; each of `marks` is one by itself. nullopt: a quote is left
// open, or something stands behind a semicolon.
std::optional<std::vector<std::string>> words_of(ByteView text, ByteView marks = "") {
    std::vector<std::string> words;
    std::size_t at = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (is_blank(c)) {
            ++at;
        } else if (c == ';') {
            const bool is_last = std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
                                             [&](char rest) { return rest == ';' || is_blank(rest); });
            return is_last ? std::optional(words) : std::nullopt;
        } else if (c == '"' || c == '\'') {
            const std::size_t end = text.find(c, at + 1);
            if (end == ByteView::npos) return std::nullopt;
            words.emplace_back(text.substr(at + 1, end - at - 1));
            at = end + 1;
        } else if (marks.find(c) != ByteView::npos) {
            words.emplace_back(1, c);
            ++at;
        } else {
            const std::size_t begin = at;
            const auto goes_on = [&](char each) {
                return !is_blank(each) && each != ';' && each != '"' && marks.find(each) == ByteView::npos;
            };
            while (at < text.size() && goes_on(text[at])) ++at;
            words.emplace_back(text.substr(begin, at - begin));
        }
    }
    return words;
}

wire::SqlError unknown(ByteView text) {
    return wire::error("42601", "unknown command: " + std::string(text.substr(0, 200)), "", "SHOW HELP lists them.");
}

wire::SqlError empty_argument(const std::string& command) {
    return wire::error("42601", "the argument of " + command + " is empty", "",
                       "Without an argument it is about everything, where it may have none.");
}

wire::SqlError denied(std::string_view command) {
    return wire::error("42501", "permission denied for " + std::string(command), "",
                       "Users of admin.console.stats_users may only look; admin.console.users may do everything.");
}

std::variant<Command, wire::SqlError> parse_set(const std::vector<std::string>& words, Role role, const Entry& entry) {
    if (is_borne(words[1])) return Command{Verb::set, words[1], std::string(entry.tag)};
    if (role < entry.least) return denied("set " + words[1]);
    const bool is_assignment = words.size() == 4 && (words[2] == "=" || lower_case(words[2]) == "to");
    if (!is_assignment) {
        return wire::error("42601", "SET wants a key and a value", "",
                           "SET 'limits.login_timeout' = '10s'; SHOW CONFIG lists the keys.");
    }
    auto meant = assignment(words[1], words[3]);
    if (auto* error = std::get_if<wire::SqlError>(&meant)) return std::move(*error);
    auto& [key, value] = std::get<Assignment>(meant);
    return Command{entry.verb, std::move(key), std::string(entry.tag), std::move(value)};
}

}  // namespace

std::variant<Command, wire::SqlError> parse(ByteView text, Role role) {
    const auto words = words_of(text, begins_with_set(text) ? "=" : "");
    if (!words) return unknown(text);
    if (words->empty()) return Command{};
    const std::string first = lower_case(words->front());
    const auto entry =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& each) { return each.word == first; });
    if (entry == entries.end()) return unknown(text);
    const std::size_t arguments = words->size() - 1;
    if (entry->argument == Words::assignment) return arguments == 0 ? unknown(text) : parse_set(*words, role, *entry);
    const bool is_right = (entry->argument == Words::none && arguments == 0) ||
                          (entry->argument == Words::perhaps_one && arguments <= 1) ||
                          (entry->argument == Words::one && arguments == 1);
    if (!is_right) return unknown(text);
    if (role < entry->least) return denied(first);
    // Without a name it is about all, and a variable of a script that is unset must not come to that.
    if (arguments > 0 && words->back().empty()) return empty_argument(first);
    Command command{entry->verb, arguments == 0 ? std::string() : words->back(), std::string(entry->tag)};
    // Names of databases keep their case.
    if (command.verb == Verb::shutdown || command.verb == Verb::show) command.argument = lower_case(command.argument);
    if (command.verb != Verb::show) return command;
    if (setting_of(command.argument)) {
        command.verb = Verb::setting;
        return command;
    }
    if (command.argument == "help") return command;
    const ShownTable* table = find_table(command.argument);
    if (table == nullptr) return unknown(text);
    if (role < table->least) return denied("show " + command.argument);
    return command;
}

Look look_of(const Command& show) {
    const ShownTable* table = find_table(show.argument);
    return table == nullptr ? Look::usual : table->look;
}

std::string help() {
    std::string text = "Console usage\n\tSHOW HELP";
    for (const ShownTable& table : shown_tables()) {
        text += '|';
        std::string name(table.name);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
        text += name;
    }
    for (const Entry& entry : entries) {
        if (!entry.usage.empty()) text += "\n\t" + std::string(entry.usage);
    }
    return text;
}

}  // namespace pgsluice::admin
