#include <pgsluice/sql/comment_tags.hpp>

#include <algorithm>

namespace pgsluice::sql {
namespace {

constexpr std::size_t most_tags = 32;

constexpr bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Each text passes here on its way, and most have no blanks at all.
ByteView without_blanks(ByteView text) {
    const char *begin = text.data(), *end = begin + text.size();
    while (begin < end && is_blank(*begin)) ++begin;
    while (begin < end && is_blank(end[-1])) --end;
    return {begin, static_cast<std::size_t>(end - begin)};
}

// What is between /* and */ at the end of the text, else at its beginning. Nothing but a comment ends in */ there, for
// the text of a constant ends in its quote.
ByteView comment_of(ByteView text) {
    text = without_blanks(text);
    if (text.ends_with(';')) text = without_blanks(text.substr(0, text.size() - 1));
    if (text.size() >= 4 && text.ends_with("*/")) {
        const std::size_t begin = text.rfind("/*", text.size() - 4);
        if (begin != ByteView::npos) return text.substr(begin + 2, text.size() - begin - 4);
    }
    if (!text.starts_with("/*")) return {};
    const std::size_t end = text.find("*/", 2);
    return end == ByteView::npos ? ByteView() : text.substr(2, end - 2);
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Percent-encoding, and a backslash before a quote (sqlcommenter's meta characters).
std::string decoded(ByteView text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool is_code =
            text[at] == '%' && at + 2 < text.size() && digit_of(text[at + 1]) >= 0 && digit_of(text[at + 2]) >= 0;
        if (is_code) {
            out += static_cast<char>(digit_of(text[at + 1]) * 16 + digit_of(text[at + 2]));
            at += 2;
        } else if (text[at] == '\\' && at + 1 < text.size() && text[at + 1] == '\'') {
            out += text[++at];
        } else {
            out += text[at];
        }
    }
    return out;
}

// The quote that ends a value which begins at the front.
std::size_t end_of_value(ByteView text) {
    std::size_t at = 0;
    while (at < text.size() && text[at] != '\'') at += text[at] == '\\' ? 2 : 1;
    return at < text.size() ? at : ByteView::npos;
}

}  // namespace

std::vector<CommentTag> comment_tags(ByteView text) {
    std::vector<CommentTag> tags;
    ByteView rest = without_blanks(comment_of(text));
    while (!rest.empty() && tags.size() < most_tags) {
        const std::size_t equals = rest.find('=');
        if (equals == ByteView::npos) break;
        const ByteView key = without_blanks(rest.substr(0, equals));
        rest = without_blanks(rest.substr(equals + 1));
        if (key.empty() || !rest.starts_with('\'')) break;
        rest.remove_prefix(1);
        const std::size_t end = end_of_value(rest);
        if (end == ByteView::npos) break;
        tags.push_back({decoded(key), decoded(rest.substr(0, end))});
        rest = without_blanks(rest.substr(end + 1));
        if (!rest.starts_with(',')) break;
        rest = without_blanks(rest.substr(1));
    }
    return tags;
}

std::string trace_id(const std::vector<CommentTag>& tags) {
    constexpr std::size_t digits = 32;
    constexpr std::size_t begin = 3;  // "00-"
    const auto found =
        std::find_if(tags.begin(), tags.end(), [](const CommentTag& tag) { return tag.key == "traceparent"; });
    if (found == tags.end() || found->value.size() < begin + digits + 1) return {};
    const std::string id = found->value.substr(begin, digits);
    const bool is_hexadecimal = std::all_of(id.begin(), id.end(), [](char c) { return digit_of(c) >= 0; });
    const bool is_set_apart = found->value[begin - 1] == '-' && found->value[begin + digits] == '-';
    return is_hexadecimal && is_set_apart ? id : std::string();
}

}  // namespace pgsluice::sql
