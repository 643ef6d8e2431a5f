#include "evidence.hpp"

#include <pgsluice/base/escape.hpp>

#include <cstdint>
#include <cstring>

namespace pgsluice::policy {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

// Length of the valid UTF-8 at the front of `text`. Most SQL is ASCII, which goes eight bytes at a time.
std::size_t valid_prefix(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        std::uint64_t word = 0;
        if (text.size() - at >= sizeof word) {
            std::memcpy(&word, text.data() + at, sizeof word);
            if ((word & 0x8080808080808080U) == 0) {
                at += sizeof word;
                continue;
            }
        }
        const std::size_t length = utf8_sequence_length(text.substr(at));
        if (length == 0) return at;
        at += length;
    }
    return at;
}

std::string repair(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 16);
    while (!text.empty()) {
        const std::size_t valid = valid_prefix(text);
        out += text.substr(0, valid);
        text.remove_prefix(valid);
        if (text.empty()) break;
        out += replacement_character;
        text.remove_prefix(1);
    }
    return out;
}

// A text of several statements may change the path before it uses it: by SET, by the end of a transaction that has
// changed it, or by a function. Where one does that, what the session says of the path is not enough.
bool may_change_path(const sql::Facts& facts) {
    static const sql::Kinds keeping = *sql::kinds_named("select") | *sql::kinds_named("insert") |
                                      *sql::kinds_named("update") | *sql::kinds_named("delete") |
                                      *sql::kinds_named("merge") | *sql::kinds_named("begin");
    return facts.statements != 1 && (!facts.functions.empty() || (facts.kinds & ~keeping).any());
}

}  // namespace

std::string_view Evidence::readable_text() {
    if (!readable_) {
        if (valid_prefix(text_) == text_.size()) {
            readable_ = text_;
        } else {
            repaired_ = repair(text_);
            readable_ = repaired_;
        }
    }
    return *readable_;
}

bool Evidence::may_match_a_pattern() {
    if (!may_match_a_pattern_) may_match_a_pattern_ = screen_->may_match(readable_text());
    return *may_match_a_pattern_;
}

const SearchPath& Evidence::search_path() {
    if (search_path_) return *search_path_;
    const bool is_settled = statement_.path != nullptr && facts() != nullptr && !may_change_path(*facts());
    const auto value = is_settled ? statement_.path->search_path() : std::nullopt;
    search_path_ = value ? SearchPath(*value, statement_.server_user) : SearchPath();
    return *search_path_;
}

// One of several statements may begin the transaction that others run in, or end it in front of them.
std::optional<bool> Evidence::in_transaction() const {
    static const sql::Kinds control = *sql::kinds_named("transaction");
    const bool may_change = facts() != nullptr && facts()->statements > 1 && (facts()->kinds & control).any();
    return may_change ? std::nullopt : statement_.in_transaction;
}

const std::vector<sql::CommentTag>& Evidence::tags() {
    if (!tags_) tags_ = sql::comment_tags(text_);
    return *tags_;
}

}  // namespace pgsluice::policy
