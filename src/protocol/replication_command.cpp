#include <pgsluice/base/ascii.hpp>
#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/protocol/replication_command.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::protocol {
namespace {

constexpr std::array<ByteView, 9> commands{
    "identify_system",         "base_backup",           "start_replication",
    "create_replication_slot", "drop_replication_slot", "alter_replication_slot",
    "read_replication_slot",   "timeline_history",      "upload_manifest",
};

// Of PostgreSQL's identifiers and key words (src/backend/parser/scan.l, ident_cont).
bool is_word_part(char c) {
    const char lower = lower_case(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || is_beyond_ascii(c);
}

bool begins_with(ByteView text, ByteView command) {
    if (text.size() < command.size()) return false;
    const bool is_it = std::equal(command.begin(), command.end(), text.begin(),
                                  [](char wanted, char c) { return wanted == lower_case(c); });
    return is_it && (text.size() == command.size() || !is_word_part(text[command.size()]));
}

}  // namespace

bool is_replication_command(ByteView text) {
    // It knows no comments.
    const std::size_t first = text.find_first_not_of(" \t\n\r\f\v");
    if (first == ByteView::npos) return false;
    text.remove_prefix(first);
    return std::any_of(commands.begin(), commands.end(), [&](ByteView each) { return begins_with(text, each); });
}

}  // namespace pgsluice::protocol
