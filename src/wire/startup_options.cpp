#include <pgsluice/wire/startup_options.hpp>

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace pgsluice::wire {
namespace {

using Settings = std::vector<Setting>;

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

SqlError invalid_switch(const std::string& word) {
    return fatal("42601", "invalid command-line argument for server process: " + word, {},
                 "Try \"postgres --help\" for more information.");
}

enum class Kind : std::uint8_t {
    sets,      // one setting to a value of its own
    takes,     // one setting to the argument
    names,     // -c name=value, --name=value
    debugs,    // -d level
    disables,  // -f plan
    measures,  // -t stage
    ignored,   // accepted from a client and without effect
    ignored_with_argument,
};

// Those that getopt() knows in process_postgres_switches. Settings that a client may not change are among them: the
// server refuses those.
struct Switch {
    char letter;
    Kind kind;
    const char* name = "";
    const char* value = "";
    bool has_argument() const { return kind != Kind::sets && kind != Kind::ignored; }
};
constexpr Switch switches[] = {
    {'-', Kind::names},
    {'B', Kind::takes, "shared_buffers"},
    {'C', Kind::ignored_with_argument},
    {'D', Kind::ignored_with_argument},
    {'E', Kind::ignored},
    {'F', Kind::sets, "fsync", "false"},
    {'N', Kind::takes, "max_connections"},
    {'O', Kind::sets, "allow_system_table_mods", "true"},
    {'P', Kind::sets, "ignore_system_indexes", "true"},
    {'S', Kind::takes, "work_mem"},
    {'T', Kind::ignored},
    {'W', Kind::takes, "post_auth_delay"},
    {'b', Kind::ignored},
    {'c', Kind::names},
    {'d', Kind::debugs},
    {'e', Kind::sets, "datestyle", "euro"},
    {'f', Kind::disables},
    {'h', Kind::takes, "listen_addresses"},
    {'i', Kind::sets, "listen_addresses", "*"},
    {'j', Kind::ignored},
    {'k', Kind::takes, "unix_socket_directories"},
    {'l', Kind::sets, "ssl", "true"},
    {'n', Kind::ignored},
    {'p', Kind::takes, "port"},
    {'r', Kind::ignored_with_argument},
    {'s', Kind::sets, "log_statement_stats", "true"},
    {'t', Kind::measures},
    {'v', Kind::ignored_with_argument},
};

const Switch* find_switch(char letter) {
    const auto* found = std::find_if(std::begin(switches), std::end(switches),
                                     [&](const Switch& known) { return known.letter == letter; });
    return found == std::end(switches) ? nullptr : found;
}

// ParseLongOption: the name ends at the first '=', and a dash in it stands for an underscore.
std::optional<SqlError> add_named(char letter, const std::string& text, Settings& settings) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) return fatal("42601", (letter == '-' ? "--" : "-c ") + text + " requires a value");
    std::string name = text.substr(0, equals);
    std::replace(name.begin(), name.end(), '-', '_');
    settings.emplace_back(std::move(name), text.substr(equals + 1));
    return std::nullopt;
}

// set_debug_options
void add_debug(const std::string& argument, Settings& settings) {
    const long level = std::clamp(std::strtol(argument.c_str(), nullptr, 10), 0L, 1000000L);
    settings.emplace_back("log_min_messages", level > 0 ? "debug" + std::to_string(level) : "notice");
    if (level >= 2) settings.emplace_back("log_statement", "all");
    if (level >= 3) settings.emplace_back("debug_print_parse", "true");
    if (level >= 4) settings.emplace_back("debug_print_plan", "true");
    if (level >= 5) settings.emplace_back("debug_print_rewritten", "true");
}

// set_plan_disabling_options, which reads one letter and no further.
bool add_disabled_plan(const std::string& argument, Settings& settings) {
    switch (argument.empty() ? '\0' : argument[0]) {
        case 's': settings.emplace_back("enable_seqscan", "false"); return true;
        case 'i': settings.emplace_back("enable_indexscan", "false"); return true;
        case 'o': settings.emplace_back("enable_indexonlyscan", "false"); return true;
        case 'b': settings.emplace_back("enable_bitmapscan", "false"); return true;
        case 't': settings.emplace_back("enable_tidscan", "false"); return true;
        case 'n': settings.emplace_back("enable_nestloop", "false"); return true;
        case 'm': settings.emplace_back("enable_mergejoin", "false"); return true;
        case 'h': settings.emplace_back("enable_hashjoin", "false"); return true;
        default: return false;
    }
}

// get_stats_option_name
bool add_measured_stage(const std::string& argument, Settings& settings) {
    const char* name = nullptr;
    if (argument.starts_with("pa")) name = "log_parser_stats";
    if (argument.starts_with("pl")) name = "log_planner_stats";
    if (argument.starts_with('e')) name = "log_executor_stats";
    if (name != nullptr) settings.emplace_back(name, "true");
    return name != nullptr;
}

// `last_word` is what PostgreSQL complains about where the argument is no good.
std::optional<SqlError> add(const Switch& known, const std::string& argument, const std::string& last_word,
                            Settings& settings) {
    bool ok = true;
    switch (known.kind) {
        case Kind::sets: settings.emplace_back(known.name, known.value); break;
        case Kind::takes: settings.emplace_back(known.name, argument); break;
        case Kind::names: return add_named(known.letter, argument, settings);
        case Kind::debugs: add_debug(argument, settings); break;
        case Kind::disables: ok = add_disabled_plan(argument, settings); break;
        case Kind::measures: ok = add_measured_stage(argument, settings); break;
        case Kind::ignored:
        case Kind::ignored_with_argument: break;
    }
    if (!ok) return invalid_switch(last_word);
    return std::nullopt;
}

}  // namespace

std::vector<std::string> split_options(ByteView options) {
    std::vector<std::string> words;
    std::size_t at = 0;
    while (true) {
        while (at < options.size() && is_space(options[at])) ++at;
        if (at == options.size()) return words;
        std::string word;
        bool escaped = false;
        for (; at < options.size(); ++at) {
            const char c = options[at];
            if (!escaped && is_space(c)) break;
            if (!escaped && c == '\\') {
                escaped = true;
                continue;
            }
            escaped = false;
            word += c;
        }
        words.push_back(std::move(word));
    }
}

// glibc's getopt: letters may stand together ("-eS1024"), an argument is the rest of the word or the next word, words
// that are no switches are passed over (and complained about at the end), "--" ends the switches.
std::variant<std::vector<Setting>, SqlError> read_options(ByteView options) {
    Settings settings;
    const auto words = split_options(options);
    const std::string* stray = nullptr;       // the first word that is no switch
    const std::string* last_stray = nullptr;  // getopt moves them along, so one of them stands before each later switch
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word == "--") {
            if (stray == nullptr && i + 1 < words.size()) stray = &words[i + 1];
            break;
        }
        if (word.size() < 2 || word[0] != '-') {
            if (stray == nullptr) stray = &word;
            last_stray = &word;
            continue;
        }
        const std::string before = last_stray != nullptr ? *last_stray : i > 0 ? words[i - 1] : "postgres";
        for (std::size_t at = 1; at < word.size(); ++at) {
            const bool is_last = at + 1 == word.size();
            const Switch* known = find_switch(word[at]);
            // PostgreSQL names the word before the one that getopt would read next.
            if (known == nullptr) return invalid_switch(is_last ? word : before);
            std::string argument;
            if (known->has_argument()) {
                if (is_last && ++i == words.size()) return invalid_switch(word);
                argument = is_last ? words[i] : word.substr(at + 1);
                at = word.size();
            }
            if (auto error = add(*known, argument, words[i], settings)) return *std::move(error);
        }
    }
    if (stray != nullptr) return invalid_switch(*stray);
    return settings;
}

}  // namespace pgsluice::wire
