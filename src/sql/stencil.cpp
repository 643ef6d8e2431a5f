#include "stencil.hpp"

#include "character_class.hpp"

namespace pgsluice::sql {
namespace {

constexpr std::size_t longest_text = 1024;
constexpr std::size_t most_digits = 9;  // any such number is an integer of 32 bits

// Bytes of the integer at the front; 0: there is none, or it is not plain.
std::size_t integer_size(ByteView text) {
    std::size_t size = 0;
    while (size < text.size() && size <= most_digits && is_of(text[size], digit)) ++size;
    return size <= most_digits ? size : 0;
}

// Bytes of the string at the front, likewise. That no quote follows, which would be a part of it, the text behind the
// gap says.
std::size_t string_size(ByteView text, Reading how) {
    if (!text.starts_with('\'')) return 0;
    const std::size_t end = text.find('\'', 1);
    if (end == ByteView::npos) return 0;
    const ByteView value = text.substr(1, end - 1);
    if (value.find('\0') != ByteView::npos) return 0;
    if (!how.standard_conforming_strings && value.find('\\') != ByteView::npos) return 0;
    return end + 1;
}

std::size_t value_size(TokenKind kind, ByteView text, Reading how) {
    return kind == TokenKind::integer ? integer_size(text) : string_size(text, how);
}

// E'...' and $$...$$ are strings too.
bool is_plain(const Token& token) {
    return token.kind == TokenKind::integer || (token.kind == TokenKind::string && token.text.starts_with('\''));
}

}  // namespace

std::optional<Stencil> Stencil::made_of(ByteView text, Reading how, const std::vector<Token>& left_out) {
    if (left_out.empty() || text.size() > longest_text) return std::nullopt;
    Stencil stencil;
    stencil.how_ = how;
    stencil.gaps_.reserve(left_out.size());
    const char* from = text.data();
    for (const Token& value : left_out) {
        if (!is_plain(value)) return std::nullopt;
        const auto fixed = static_cast<std::size_t>(value.text.data() - from);
        stencil.fixed_.append(from, fixed);
        stencil.gaps_.push_back({static_cast<std::uint32_t>(fixed), value.kind});
        from = value.text.data() + value.text.size();
    }
    stencil.fixed_.append(from, text.data() + text.size());
    stencil.fixed_.shrink_to_fit();
    return stencil;
}

bool Stencil::fits(ByteView text, Reading how) const {
    if (how != how_) return false;
    ByteView fixed = fixed_;
    for (const Gap& gap : gaps_) {
        if (!text.starts_with(fixed.substr(0, gap.fixed_before))) return false;
        fixed.remove_prefix(gap.fixed_before);
        text.remove_prefix(gap.fixed_before);
        const std::size_t size = value_size(gap.kind, text, how);
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    return text == fixed;
}

std::size_t first_value(ByteView text) {
    char before = ' ';
    for (std::size_t at = 0; at < text.size(); before = text[at++]) {
        const bool may_begin = is_of(text[at], digit) || text[at] == '\'';
        if (may_begin && !is_of(before, word_part)) return at;
    }
    return ByteView::npos;
}

}  // namespace pgsluice::sql
