#include "candidate.hpp"

#include "character_class.hpp"

#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/sql/session_effect.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace pgsluice::sql {
namespace {

// PostgreSQL 16 knows one blank more than 15.
constexpr bool is_blank(char c) {
    return is_of(c, space) || c == '\v';
}

constexpr bool is_word(char c) {
    return is_of(c, word_part);
}

bool matches(ByteView text, std::size_t at, ByteView word) {
    if (text.size() - at < word.size()) return false;
    return std::equal(word.begin(), word.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                      [](char a, char b) { return a == lower_case(b); });
}

// How many bytes of comments may be gone through in one text: what stands behind a semicolon in a comment is gone
// through once more, and so on.
class Patience {
  public:
    explicit Patience(ByteView text) : bytes_(4 * text.size()) {}
    void spend(std::size_t bytes) { bytes_ -= std::min(bytes, bytes_); }
    // Then nothing more is looked at, and the text may be anything.
    bool is_over() const { return bytes_ == 0; }

  private:
    std::size_t bytes_;
};

// Behind blanks and comments; an unfinished comment hides nothing, since no statement can follow it.
std::size_t skip_blanks(ByteView text, std::size_t at, Patience& patience) {
    while (at < text.size()) {
        const std::size_t begin = at;
        if (is_blank(text[at])) {
            ++at;
        } else if (matches(text, at, "--")) {
            at = std::min(text.find_first_of("\r\n", at), text.size());
        } else if (matches(text, at, "/*")) {
            int depth = 1;
            for (at += 2; at < text.size() && depth > 0;) {
                if (matches(text, at, "*/"))
                    --depth, at += 2;
                else if (matches(text, at, "/*"))
                    ++depth, at += 2;
                else
                    ++at;
            }
        } else {
            break;
        }
        patience.spend(at - begin);
    }
    return at;
}

bool is_word_at(ByteView text, std::size_t at, ByteView word) {
    return matches(text, at, word) && (at + word.size() == text.size() || !is_word(text[at + word.size()]));
}

bool begins_with_end(ByteView text, std::size_t at, Patience& patience) {
    at = skip_blanks(text, at, patience);
    const auto is = [&](auto... words) { return (is_word_at(text, at, words) || ...); };
    return at < text.size() && is("commit", "end", "rollback", "abort", "prepare");
}

// Whether it is so at a place where a statement may begin, or cannot be told: a semicolon counts, whatever it stands
// in.
template <class At>
bool any_statement(ByteView text, At is_so) {
    Patience patience(text);
    if (is_so(text, 0, patience)) return true;
    for (std::size_t at = text.find(';'); at != ByteView::npos; at = text.find(';', at + 1)) {
        if (is_so(text, at + 1, patience) || patience.is_over()) return true;
    }
    return false;
}

// Whether a statement of ours may be named, without an escape in the name. It may do what a SET does.
bool may_execute_ours(ByteView text, std::size_t at, Patience& patience) {
    constexpr ByteView ours = "pgsluice_";
    patience.spend(text.size() - at);
    const ByteView rest = text.substr(at);
    const auto same = [](char a, char b) { return lower_case(a) == b; };
    return std::search(rest.begin(), rest.end(), ours.begin(), ours.end(), same) != rest.end();
}

// Words that begin a statement with an effect.
bool begins_with_effect(ByteView text, std::size_t at, Patience& patience) {
    if (at < text.size() && !is_of(text[at], letter)) at = skip_blanks(text, at, patience);
    if (patience.is_over()) return true;
    if (at == text.size()) return false;
    const auto is = [&](auto... words) { return (is_word_at(text, at, words) || ...); };
    switch (lower_case(text[at])) {
        case 'c': return is("close", "call") || (is("create") && may_execute_ours(text, at, patience));
        case 'e': return is("execute", "explain") && may_execute_ours(text, at, patience);
        case 'd': return is("discard", "deallocate", "declare", "do", "drop");
        case 'l': return is("listen", "load");
        case 'p': return is("prepare");
        case 'r': return is("reset", "rollback");
        case 's': return is("set");
        case 'u': return is("unlisten");
        default: return false;
    }
}

// Whether one of the words below may be recognized at a byte: by itself and the one before it.
bool is_mark(char before, char c) {
    switch (c) {
        case ';': return true;
        case '_': return lower_case(before) == 't' || lower_case(before) == 'g';
        case 'b':
        case 'B':
        case 'v':
        case 'V': return lower_case(before) == 'd';
        case 'm':
        case 'M': return lower_case(before) == 'e';
        case '&': return lower_case(before) == 'u';
        default: return false;
    }
}

// The same for a block of bytes at once: each byte that may be one is 0xFF. Bit 5 tells small letters from capitals;
// what else it confuses is told apart by is_mark().
using Block = unsigned char __attribute__((vector_size(16)));
constexpr std::size_t block_bytes = sizeof(Block);

Block marks_at(const char* at) {
    Block now, before;
    std::memcpy(&now, at, block_bytes);
    std::memcpy(&before, at - 1, block_bytes);
    now |= 0x20;
    before |= 0x20;
    const auto marked = (now == ';') | ((now == ('_' | 0x20)) & ((before == 't') | (before == 'g'))) |
                        (((now == 'v') | (now == 'b')) & (before == 'd')) | ((now == 'm') & (before == 'e')) |
                        ((now == '&') & (before == 'u'));
    return reinterpret_cast<const Block&>(marked);
}

using Halves = std::array<std::uint64_t, 2>;
constexpr std::size_t half_bytes = sizeof(Halves::value_type);

Halves halves_of(Block block) {
    Halves halves{};
    std::memcpy(halves.data(), &block, block_bytes);
    return halves;
}

// A name that begins with "pg_", of a view or a function whose use may have an effect.
bool is_pg_name_at(ByteView text, std::size_t at) {
    const auto is = [&](auto... names) { return (matches(text, at, names) || ...); };
    switch (at + 3 < text.size() ? lower_case(text[at + 3]) : '\0') {
        case 'b': return is("pg_backup_start");
        case 'c': return is("pg_create_", "pg_copy_");  // ..._replication_slot
        case 'r': return is("pg_replication_origin_session_setup");
        case 's': return is("pg_settings", "pg_start_backup");
        default: return false;
    }
}

bool is_effect_at(ByteView text, std::size_t at, Patience& patience) {
    switch (lower_case(text[at])) {
        case ';': return begins_with_effect(text, at + 1, patience);
        case '_': return (at >= 3 && matches(text, at - 3, "set_config")) || (at >= 2 && is_pg_name_at(text, at - 2));
        case 'b': return matches(text, at - 1, "dblink_connect") || matches(text, at - 1, "dblink_open");
        case 'v': return at >= 2 && matches(text, at - 2, "advisory");
        case 'm': {
            if (at < 2 || !matches(text, at - 2, "temp")) return false;
            if (at >= 5 && matches(text, at - 5, "pg_temp")) return true;
            if (at >= 3 && is_word(text[at - 3])) return false;
            const std::size_t end = matches(text, at - 2, "temporary") ? at + 7 : at + 2;
            return end == text.size() || !is_word(text[end]);
        }
        default: return true;  // U&"..." can spell any name
    }
}

bool has_effect_at(ByteView text, std::size_t at, Patience& patience) {
    return is_mark(text[at - 1], text[at]) && is_effect_at(text, at, patience);
}

bool has_effect_in_block(ByteView text, std::size_t at, Patience& patience) {
    const Halves halves = halves_of(marks_at(text.data() + at));
    for (std::size_t half = 0; half < halves.size(); ++half) {
        for (std::uint64_t rest = halves[half] & 0x0101010101010101; rest != 0; rest &= rest - 1) {
            const auto byte = static_cast<std::size_t>(std::countr_zero(rest)) / 8;
            if (has_effect_at(text, at + half * half_bytes + byte, patience)) return true;
        }
    }
    return false;
}

// Of a text that is longer than a block, from its second byte on. Most have no mark, so that several blocks are gone
// through before anybody looks where one is. The last block may overlap the one before it.
bool has_effect_inside(ByteView text, Patience& patience) {
    const std::size_t last = text.size() - block_bytes;
    for (std::size_t begin = 1; begin < text.size(); begin += 8 * block_bytes) {
        const std::size_t end = std::min(begin + 8 * block_bytes, text.size());
        Block marks{};
        for (std::size_t at = begin; at < end; at += block_bytes) marks |= marks_at(text.data() + std::min(at, last));
        const Halves halves = halves_of(marks);
        if ((halves[0] | halves[1]) == 0) continue;
        for (std::size_t at = begin; at < end; at += block_bytes) {
            if (has_effect_in_block(text, std::min(at, last), patience)) return true;
        }
    }
    return false;
}

// No statement begins behind the semicolons at the end, and where they stand in front the text may as well begin behind
// them.
ByteView without_semicolons(ByteView text) {
    while (!text.empty() && text.front() == ';') text.remove_prefix(1);
    while (!text.empty() && (text.back() == ';' || is_blank(text.back()))) text.remove_suffix(1);
    return text;
}

}  // namespace

bool is_candidate(ByteView text) {
    static_assert(std::endian::native == std::endian::little, "has_effect_in() counts bytes from the lowest");
    text = without_semicolons(text);
    Patience patience(text);
    if (text.empty()) return false;
    if (begins_with_effect(text, 0, patience)) return true;
    if (text.size() > block_bytes) return has_effect_inside(text, patience);
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (has_effect_at(text, at, patience)) return true;
    }
    return false;
}

bool may_end_transaction(ByteView text) {
    return any_statement(text, begins_with_end);
}

TakenNames may_take_names(ByteView text) {
    TakenNames taken;
    const bool is_unknown = any_statement(text, [&](ByteView all, std::size_t at, Patience& patience) {
        at = skip_blanks(all, at, patience);
        if (at == all.size()) return false;
        const char first = lower_case(all[at]);
        if (first != 'c' && first != 'd') return false;
        const bool is_anything = is_word_at(all, at, "discard") || is_word_at(all, at, "do");
        taken.statements |= is_anything || is_word_at(all, at, "deallocate");
        taken.portals |= is_anything || is_word_at(all, at, "close");
        return false;
    });
    taken.statements |= is_unknown;
    taken.portals |= is_unknown;
    return taken;
}

}  // namespace pgsluice::sql
