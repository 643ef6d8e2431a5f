#include <pgsluice/wire/startup_options.hpp>

#include <algorithm>
#include <optional>

namespace pgsluice::wire {
namespace {

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

SqlError invalid_switch(const std::string& word) {
    return fatal("42601", "invalid command-line argument for server process: " + word, {},
                 "Try \"postgres --help\" for more information.");
}

// Switches that stand for one setting, of those that PostgreSQL takes from a client.
struct Switch {
    char letter;
    const char* name;
    const char* value;  // nullptr: the switch's own argument
};
constexpr Switch switches[] = {
    {'B', "shared_buffers", nullptr}, {'d', "log_min_messages", nullptr},       {'e', "datestyle", "euro"},
    {'F', "fsync", "false"},          {'O', "allow_system_table_mods", "true"}, {'P', "ignore_system_indexes", "true"},
    {'S', "work_mem", nullptr},       {'s', "log_statement_stats", "true"},     {'W', "post_auth_delay", nullptr},
};

// "a-b=c": the name ends at the first '=', and a dash in it stands for an underscore (ParseLongOption).
std::optional<Setting> long_option(ByteView text) {
    const auto equals = text.find('=');
    std::string name(text.substr(0, equals));
    std::replace(name.begin(), name.end(), '-', '_');
    if (equals == ByteView::npos) return std::nullopt;
    return Setting{std::move(name), std::string(text.substr(equals + 1))};
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

std::variant<std::vector<Setting>, SqlError> read_options(ByteView options) {
    std::vector<Setting> settings;
    const auto words = split_options(options);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word.size() < 2 || word[0] != '-') return invalid_switch(word);
        if (word == "--") {
            if (i + 1 < words.size()) return invalid_switch(words[i + 1]);
            break;
        }
        const char letter = word[1];
        // Flags without a value may stand together ("-eF"); the first that takes a value takes the rest of the word, or
        // the next word.
        const bool is_long = letter == '-';
        if (is_long || letter == 'c') {
            std::string text = word.substr(2);
            if (text.empty()) {
                if (++i == words.size()) return invalid_switch(word);
                text = words[i];
            }
            auto setting = long_option(text);
            if (!setting) {
                return fatal("42601", is_long ? "--" + text + " requires a value" : "-c " + text + " requires a value");
            }
            settings.push_back(std::move(*setting));
            continue;
        }
        for (std::size_t at = 1; at < word.size(); ++at) {
            const auto* known = std::find_if(std::begin(switches), std::end(switches),
                                             [&](const Switch& candidate) { return candidate.letter == word[at]; });
            if (known == std::end(switches)) return invalid_switch(word);
            if (known->value != nullptr) {
                settings.emplace_back(known->name, known->value);
                continue;
            }
            std::string argument = word.substr(at + 1);
            if (argument.empty()) {
                if (++i == words.size()) return invalid_switch(word);
                argument = words[i];
            }
            settings.emplace_back(known->name, std::move(argument));
            break;
        }
    }
    return settings;
}

}  // namespace pgsluice::wire
