#include "lasting_calls.hpp"

#include "json_node.hpp"
#include "lexer.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::sql {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 6> always{"dblink_connect",  "dblink_connect_u",
                                                 "dblink_open",     "pg_backup_start",
                                                 "pg_start_backup", "pg_replication_origin_session_setup"};

bool is_always(std::string_view name) {
    return std::find(always.begin(), always.end(), name) != always.end();
}

// With `temporary` by this name or as the third argument.
bool makes_slot(std::string_view name) {
    return name == "pg_create_physical_replication_slot" || name == "pg_create_logical_replication_slot";
}

// A copy is as the slot that is copied where nothing is said.
bool copies_slot(std::string_view name) {
    return name == "pg_copy_physical_replication_slot" || name == "pg_copy_logical_replication_slot";
}

// nullptr where it is left out.
const json::value* temporary_of(const json::object& call) {
    const json::array* all = array_of(call, "args");
    if (all == nullptr) return nullptr;
    for (std::size_t i = 0; i < all->size(); ++i) {
        const json::object* named = node_of((*all)[i], "NamedArgExpr");
        if (named == nullptr && i == 2) return &(*all)[i];
        if (named != nullptr && text_of(*named, "name") == "temporary") return named->if_contains("arg");
    }
    return nullptr;
}

bool may_be_lasting(std::string_view name) {
    return is_always(name) || makes_slot(name) || copies_slot(name);
}

// In whatever part of it. Few texts do, and the others need not be cut into tokens.
bool mentions_lasting_call(ByteView text) {
    static constexpr std::array<std::string_view, 7> parts{
        "dblink_connect",  "dblink_open", "_replication_slot", "pg_replication_origin_session_setup", "pg_backup_start",
        "pg_start_backup", "u&\""};
    const std::string lower = lower_case(text);
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return lower.find(part) != std::string::npos; });
}

// What a server of another version may accept is taken for one, and so is a name with escapes.
bool holds_lasting_call(ByteView text, Reading how) {
    Lexer lexer(text, how);
    for (;;) {
        const Token token = lexer.next();
        switch (token.kind) {
            case TokenKind::end: return false;
            case TokenKind::refused:
            case TokenKind::unicode_identifier: return true;
            case TokenKind::word:
                if (may_be_lasting(lower_case(token.text))) return true;
                break;
            case TokenKind::quoted_identifier:
                if (may_be_lasting(token.text.substr(1, token.text.size() - 2))) return true;
                break;
            default: break;
        }
    }
}

std::string_view name_of(const json::value& part) {
    const json::object* string = node_of(part, "String");
    return string == nullptr ? std::string_view() : text_of(*string, "sval");
}

}  // namespace

bool is_lasting_call(const json::object& call) {
    const std::string_view name = last_name(call, "funcname");
    if (!makes_slot(name) && !copies_slot(name)) return is_always(name);
    const json::value* temporary = temporary_of(call);
    if (temporary == nullptr) return copies_slot(name);
    const json::object* constant = constant_of(*temporary, "boolval");
    return constant == nullptr || is_true(*constant, "boolval");
}

bool may_be_lasting_call(std::string_view kind, const json::object& node) {
    const bool is_column = kind == "ColumnRef";
    if (!is_column && kind != "A_Indirection") return false;
    const json::array* parts = array_of(node, is_column ? "fields" : "indirection");
    if (parts == nullptr || (is_column && parts->size() < 2)) return false;
    return std::any_of(parts->begin(), parts->end(), [](const json::value& part) { return is_always(name_of(part)); });
}

bool may_hold_lasting_call(ByteView text) {
    if (!mentions_lasting_call(text)) return false;
    const bool is_read_alike = text.find('\\') == ByteView::npos;
    return holds_lasting_call(text, {}) ||
           (!is_read_alike && holds_lasting_call(text, {.standard_conforming_strings = false}));
}

}  // namespace pgsluice::sql
