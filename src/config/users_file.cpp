#include "users_file.hpp"

#include <pgsluice/config/users_file.hpp>

#include <algorithm>
#include <unordered_map>

namespace pgsluice::config {
namespace {

constexpr std::size_t largest_file_bytes = 64 << 20;

class Line {
  public:
    explicit Line(std::string_view text) : text_(text) {}

    // PgBouncer knows ';' only. '#' is what everybody else writes, and can begin no user.
    bool is_blank_or_comment() {
        at_ = text_.find_first_not_of(" \t\r\v\f");
        if (at_ == std::string_view::npos) return true;
        return text_[at_] == ';' || text_[at_] == '#';
    }

    // The next text in quotes. The first one must begin the line; before the second anything may stand.
    std::optional<std::string> quoted(bool skip_to_quote) {
        if (skip_to_quote) at_ = std::min(text_.find('"', at_), text_.size());
        if (at_ >= text_.size() || text_[at_] != '"') return std::nullopt;
        std::string out;
        for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
            const bool is_quote = text_[i] == '"';
            const bool is_doubled = is_quote && i + 1 < text_.size() && text_[i + 1] == '"';
            if (is_quote && !is_doubled) {
                at_ = i + 1;
                return out;
            }
            out += text_[i];
            i += is_doubled ? 1 : 0;
        }
        return std::nullopt;
    }

    int column() const { return static_cast<int>(std::min(at_, text_.size())) + 1; }

  private:
    std::string_view text_;
    std::size_t at_ = 0;
};

std::string_view lines_above(std::string_view text, int line) {
    std::size_t end = 0;
    for (int above = line - 1; above > 0; --above) end = text.find('\n', end) + 1;
    return text.substr(0, end);
}

}  // namespace

std::vector<User> parse_users_file(std::string_view text, const std::string& file, const std::string& key_path,
                                   Reader& reader) {
    std::vector<User> users;
    for (int number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        Line line(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (line.is_blank_or_comment()) continue;
        const auto broken = [&](const char* what) {
            reader.problem({file, number, line.column()}, key_path,
                           std::string(what) + "; allowed is \"name\" \"password\", with a quote inside written twice");
        };
        User user;
        user.from_file = true;
        if (auto name = line.quoted(false); !name) {
            broken("the line does not begin with a user name in quotes");
        } else if (name->empty()) {
            broken("the user name is empty");
        } else if (auto password = line.quoted(true); !password) {
            broken("the line has no password in quotes");
        } else {
            user.name = std::move(*name);
            user.password = Secret(std::move(*password));
            users.push_back(std::move(user));
        }
    }
    return users;
}

void add_users_from_file(UserSource& source, const Node& key, Reader& reader) {
    const auto text = reader.contents(source.users_file, key, Reader::Holds::secrets, largest_file_bytes);
    if (!text) return;
    if (text->find('\0') != std::string::npos) {
        return reader.problem({source.users_file, 1, 1}, key.path, "contains a zero byte; allowed is text");
    }
    std::unordered_map<std::string, std::size_t> present;
    for (std::size_t i = 0; i < source.users.size(); ++i) present.emplace(source.users[i].name, i);
    for (User& user : parse_users_file(*text, source.users_file, key.path, reader)) {
        const auto [found, is_new] = present.emplace(user.name, source.users.size());
        if (is_new) {
            source.users.push_back(std::move(user));
        } else if (User& earlier = source.users[found->second]; !earlier.from_file && earlier.password.empty()) {
            earlier.password = std::move(user.password);
        }
    }
}

UsersOfFile read_users_file(const std::string& path) {
    Reader reader(path);
    const auto first_problem = [&]() -> std::optional<Problem> {
        if (reader.problems().empty()) return std::nullopt;
        return reader.problems().front();
    };
    const auto text = reader.contents(path, Node(), Reader::Holds::secrets, largest_file_bytes);
    if (!text) {
        auto problem = first_problem();
        if (problem) problem->line = 0;
        return {{}, std::move(problem)};
    }
    auto users = parse_users_file(*text, path, {}, reader);
    const auto problem = first_problem();
    if (problem) users = parse_users_file(lines_above(*text, problem->line), path, {}, reader);
    return {std::move(users), problem};
}

}  // namespace pgsluice::config
