#include "ini.hpp"

#include "files.hpp"
#include "text.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace pgsluice::importer {
namespace {

constexpr int deepest_include = 10;
constexpr int most_files = 1000;
constexpr std::size_t most_bytes = 64 << 20;

bool is_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_.-*").find(c) != std::string_view::npos;
}

// Cuts the key, plain or in double quotes, and the blanks behind it off `line`.
std::optional<std::string> cut_key(std::string_view& line) {
    std::string key;
    if (!line.empty() && line[0] == '"') {
        auto quoted = cut_quoted(line, '"');
        if (!quoted) return std::nullopt;
        key = *std::move(quoted);
    } else {
        const auto end = std::find_if_not(line.begin(), line.end(), is_key_character);
        key.assign(line.begin(), end);
        line.remove_prefix(key.size());
    }
    line = trimmed(line);
    return key;
}

class IniReader {
  public:
    IniReader(Findings& findings, std::vector<Setting>& out) : findings_(findings), out_(out) {}

    // Like PgBouncer's, it ends with the first include that fails.
    void read(const std::string& path, const Place& named_at, int depth) {
        const bool is_too_much = depth > deepest_include || ++files_ > most_files;
        const auto text = is_too_much ? std::nullopt : read_file(path);
        if (!text) {
            has_failed_ = true;
            return broken(named_at, is_too_much ? "too many includes" : "could not read the file " + path);
        }
        if (text->size() > bytes_left_) {
            has_failed_ = true;
            return broken(named_at, "the files are larger than 64 MiB together, up to " + path);
        }
        bytes_left_ -= text->size();
        Place place{path, 0};
        for (const std::string_view each : lines_of(*text)) {
            if (has_failed_) return;
            ++place.line;
            line(trimmed(each), place, depth);
        }
    }

  private:
    void line(std::string_view line, const Place& place, int depth) {
        constexpr std::string_view include = "%include";
        if (line.empty() || line[0] == ';' || line[0] == '#') return;
        if (line.starts_with(include)) {
            const std::string path(trimmed(line.substr(include.size())));
            return read(find_file(path, place.file), place, depth + 1);
        }
        if (line[0] == '[') {
            section_ = line.substr(1, line.find(']') - 1);
            if (line.find(']') == std::string_view::npos) broken(place, "a section has no ]");
            if (section_ != "pgbouncer" && section_ != "databases" && section_ != "users" && section_ != "peers")
                broken(place, "there is no such section; PgBouncer has [pgbouncer], [databases], [users] and [peers]");
            return;
        }
        const auto key = cut_key(line);
        if (!key || key->empty() || line.empty() || line[0] != '=') return broken(place, "is no setting: KEY = VALUE");
        if (section_.empty()) return broken(place, "a setting before the first section");
        const auto [before, is_new] = last_.try_emplace({section_, *key}, out_.size());
        Setting setting{section_, *key, std::string(trimmed(line.substr(1))), place};
        if (is_new)
            out_.push_back(std::move(setting));
        else
            out_[before->second] = std::move(setting);
    }

    void broken(const Place& place, std::string text) { findings_.add(Weight::broken, place, "", std::move(text)); }

    Findings& findings_;
    std::vector<Setting>& out_;
    std::map<std::pair<std::string, std::string>, std::size_t> last_;  // where each key stands in out_
    std::string section_;
    int files_ = 0;
    std::size_t bytes_left_ = most_bytes;  // a file that is included again counts again
    bool has_failed_ = false;
};

}  // namespace

std::vector<Setting> read_ini(const std::string& path, Findings& findings) {
    std::vector<Setting> out;
    IniReader(findings, out).read(path, {path, 0}, 0);
    return out;
}

std::optional<Pairs> parse_pairs(std::string_view text) {
    Pairs out;
    while (!(text = trimmed(text)).empty()) {
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const std::string key(trimmed(text.substr(0, equals)));
        if (key.empty() || key.find_first_of(blanks) != std::string::npos) return std::nullopt;
        text = trimmed(text.substr(equals + 1));
        std::string value;
        if (!text.empty() && text[0] == '\'') {
            auto quoted = cut_quoted(text, '\'');
            if (!quoted) return std::nullopt;
            value = *std::move(quoted);
        } else {
            value = text.substr(0, text.find_first_of(blanks));
            text.remove_prefix(value.size());
        }
        if (value.empty()) return std::nullopt;
        out.emplace_back(key, std::move(value));
    }
    return out;
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto end = std::min(text.find(','), text.size());
        if (const auto item = trimmed(text.substr(0, end)); !item.empty()) out.emplace_back(item);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

}  // namespace pgsluice::importer
