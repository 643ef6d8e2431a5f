#include "setting_names.hpp"

#include "character_class.hpp"
#include "json_node.hpp"

#include <pgsluice/base/ascii.hpp>
#include <pgsluice/base/lower_case.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace pgsluice::sql {

namespace json = boost::json;

namespace {

constexpr std::size_t most_mentioned = 64;
constexpr std::size_t most_told = 256;        // each is looked for among the others
constexpr std::size_t most_in_values = 1024;  // told or not: each is looked for among those that were set
constexpr std::size_t longest_part = 63;      // NAMEDATALEN - 1
// A value that is longer is no name: PostgreSQL has no such limit, but who asks for it would have to send it.
constexpr std::size_t longest = 1024;

using Hidden = SettingNames::Hidden;

bool has_long_part(ByteView name) {
    for (std::size_t begin = 0; begin <= name.size();) {
        const std::size_t end = std::min(name.find('.', begin), name.size());
        if (end - begin > longest_part) return true;
        begin = end + 1;
    }
    return false;
}

// As valid_custom_variable_name() in src/backend/utils/misc/guc.c has it: other names are refused.
bool is_custom_name(ByteView name) {
    bool begins = true;
    for (const char c : name) {
        if (c == '.' ? begins : !is_of(c, begins ? letter : word_part)) return false;
        begins = c == '.';
    }
    return !begins && name.find('.') != ByteView::npos;
}

void hide(SettingNames& names, Hidden how) {
    names.hidden = std::max(names.hidden, how);
}

void tell(SettingNames& names, ByteView name, Hidden lives) {
    if (names.told.size() >= most_told) return hide(names, lives);
    std::string lower = lower_case(name);
    if (std::find(names.told.begin(), names.told.end(), lower) == names.told.end()) {
        names.told.push_back(std::move(lower));
    }
}

// A name as set_config takes it. RESET, whose names are cut, does not reach one with a part that is too long.
void note_whole(SettingNames& names, ByteView name, Hidden lives) {
    if (!is_custom_name(name)) return;
    if (has_long_part(name) || name.size() > longest)
        hide(names, lives);
    else
        tell(names, name, lives);
}

// Where nothing tells what becomes of it: it is what the server has.
void note_mentioned(SettingNames& names, ByteView name, Hidden lives) {
    // Where one more is hidden the server is reset, whatever its names: tens of thousands are not looked for.
    if (names.told.size() >= most_told) return hide(names, lives);
    note_whole(names, name, lives);
    if (is_custom_name(name)) names.resets.note_set(lower_case(name));
}

void note_outcome(std::vector<Resets>& outcomes, std::string_view setting, bool is_reset) {
    std::string name = lower_case(setting);
    // With it goes the role (ExecSetVariableStmt, since PostgreSQL 15.9).
    if (name == "session_authorization") name = "role";
    if (name != "role" && name.find('.') == std::string::npos) return;
    Resets& one = outcomes.emplace_back();
    if (is_reset)
        one.note_reset(std::move(name));
    else
        one.note_set(std::move(name));
}

void note_all_reset(std::vector<Resets>& outcomes, bool is_discard) {
    Resets& all = outcomes.emplace_back();
    all.note_all();
    if (is_discard) all.note_reset("role");
}

void note_names_of_set_config(const json::object& call, SettingNames& names, std::vector<Resets>& outcomes) {
    const json::array* all = array_of(call, "args");
    if (all == nullptr) return;
    const json::object* local = all->size() < 3 ? nullptr : constant_of((*all)[2], "boolval");
    const Hidden lives = local != nullptr && is_true(*local, "boolval") ? Hidden::until_end : Hidden::for_good;
    if (all->empty() || is_true(call, "func_variadic")) return hide(names, lives);
    const json::value* name = uncast(&all->front());
    if (const json::object* constant = constant_of(*name, "sval")) {
        note_whole(names, text_of(*constant, "sval"), lives);
        if (lives == Hidden::for_good) {
            const json::object* value = all->size() < 2 ? nullptr : node_of(*uncast(&(*all)[1]), "A_Const");
            const bool is_reset = value != nullptr && is_true(*value, "isnull");
            note_outcome(outcomes, text_of(*constant, "sval"), is_reset);
        }
    } else if (node_of(*name, "ParamRef") != nullptr) {
        names.in_parameters = std::max(names.in_parameters, lives);
    } else {
        hide(names, lives);
    }
}

void note_names_of_set(const json::object& node, SettingNames& names, std::vector<Resets>& outcomes) {
    // Decoded, put together and cut by the grammar.
    const std::string_view name = text_of(node, "name"), kind = text_of(node, "kind");
    if (kind == "VAR_RESET_ALL") return note_all_reset(outcomes, false);
    if (!is_true(node, "is_local")) note_outcome(outcomes, name, kind == "VAR_RESET" || kind == "VAR_SET_DEFAULT");
    if (name.find('.') == std::string_view::npos) return;
    const Hidden lives = is_true(node, "is_local") ? Hidden::until_end : Hidden::for_good;
    tell(names, name, lives);
    // Which letters are small depends on the server's encoding, and so does where a long name is cut.
    if (!is_ascii(name)) hide(names, lives);
}

}  // namespace

const json::value* uncast(const json::value* value) {
    while (const json::object* cast = node_of(*value, "TypeCast")) {
        const json::object* type = object_of(*cast, "typeName");
        const std::string_view name = type == nullptr ? std::string_view() : last_name(*type, "names");
        const bool keeps = (name == "text" || name == "varchar") && !type->contains("typmods") &&
                           !type->contains("arrayBounds") && cast->contains("arg");
        if (!keeps) return value;
        value = &cast->at("arg");
    }
    return value;
}

void note_names_of(std::string_view kind, const json::object& node, SettingNames& names,
                   std::vector<Resets>& outcomes) {
    if (kind == "VariableSetStmt") note_names_of_set(node, names, outcomes);
    if (kind == "DiscardStmt" && text_of(node, "target") == "DISCARD_ALL") note_all_reset(outcomes, true);
    if (kind == "FuncCall" && last_name(node, "funcname") == "set_config") {
        note_names_of_set_config(node, names, outcomes);
    }
}

void note_mentioned_names(ByteView text, SettingNames& names) {
    std::size_t mentioned = 0;
    for (std::size_t at = 0; at < text.size();) {
        if (!is_of(text[at], letter)) {
            ++at;
            continue;
        }
        const std::size_t begin = at;
        bool is_dotted = false;
        while (at < text.size() && is_of(text[at], word_part)) {
            ++at;
            const bool is_dot = at + 1 < text.size() && text[at] == '.' && is_of(text[at + 1], letter);
            if (!is_dot) continue;
            is_dotted = true;
            ++at;
        }
        if (!is_dotted) continue;
        if (++mentioned > most_mentioned) return hide(names, Hidden::for_good);
        note_mentioned(names, text.substr(begin, at - begin), Hidden::for_good);
    }
}

void note_names_in_values(ByteView values, SettingNames& names) {
    if (names.in_parameters == Hidden::none) return;
    const auto number = [&](std::size_t bytes) -> std::optional<std::uint32_t> {
        if (values.size() < bytes) return std::nullopt;
        std::uint32_t found = 0;
        for (std::size_t i = 0; i < bytes; ++i) found = found << 8 | static_cast<unsigned char>(values[i]);
        values.remove_prefix(bytes);
        return found;
    };
    const auto skip = [&](std::size_t bytes) { values.remove_prefix(std::min(bytes, values.size())); };
    const auto formats = number(2);
    if (formats) skip(std::size_t{*formats} * 2);
    const auto count = number(2);
    std::size_t found_names = 0;
    for (std::uint32_t i = 0; count && i < *count; ++i) {
        const auto size = number(4);
        if (!size) return hide(names, names.in_parameters);
        if (*size > INT32_MAX) continue;  // NULL
        if (*size > values.size()) return hide(names, names.in_parameters);
        const ByteView value = values.substr(0, *size);
        if (is_custom_name(value) && ++found_names > most_in_values) return hide(names, names.in_parameters);
        note_mentioned(names, value, names.in_parameters);
        skip(*size);
    }
    if (!count) hide(names, names.in_parameters);
}

bool may_set(ByteView text) {
    const std::string lower = lower_case(text);
    if (lower.find("set_config") != std::string::npos || lower.find("u&") != std::string::npos) return true;
    for (std::size_t at = lower.find("set"); at != std::string::npos; at = lower.find("set", at + 1)) {
        const bool begins = at == 0 || !is_of(lower[at - 1], word_part);
        const bool ends = at + 3 == lower.size() || !is_of(lower[at + 3], word_part);
        if (begins && ends) return true;
    }
    return false;
}

}  // namespace pgsluice::sql
