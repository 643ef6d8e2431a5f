#include "candidate.hpp"
#include "cost.hpp"

#include <pgsluice/base/lower_case.hpp>
#include <pgsluice/sql/session_effect.hpp>

#include <boost/json.hpp>
#include <pg_query.h>

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>

namespace pgsluice::sql {

namespace json = boost::json;

namespace {

// A longer text is not worth its parse.
constexpr std::size_t parse_limit = 4096;
constexpr std::size_t remembered = 1024;
constexpr int cursor_hold = 0x0020;  // CURSOR_OPT_HOLD, src/include/nodes/parsenodes.h

std::string_view text_of(const json::object& node, std::string_view key) {
    const json::value* found = node.if_contains(key);
    return found != nullptr && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

bool is_true(const json::object& node, std::string_view key) {
    const json::value* found = node.if_contains(key);
    return found != nullptr && found->is_bool() && found->get_bool();
}

// The value of a constant, by what kind it is; nullptr where the argument is no such constant.
const json::object* constant_of(const json::value& argument, std::string_view kind) {
    const json::value* constant = argument.is_object() ? argument.get_object().if_contains("A_Const") : nullptr;
    const json::value* value =
        constant != nullptr && constant->is_object() ? constant->get_object().if_contains(kind) : nullptr;
    return value == nullptr ? nullptr : value->if_object();
}

constexpr std::string_view temporary_schema = "pg_temp";  // and what begins so: pg_temp_3

// Whether a constant of the arguments speaks of the temporary schema. A path that leads there makes objects temporary
// that do not look it.
bool leads_to_temporary_schema(const json::object& statement) {
    const json::value* arguments = statement.if_contains("args");
    if (arguments == nullptr || !arguments->is_array()) return false;
    return std::any_of(arguments->get_array().begin(), arguments->get_array().end(), [](const json::value& argument) {
        const json::object* text = constant_of(argument, "sval");
        return text != nullptr && text_of(*text, "sval").find(temporary_schema) != std::string_view::npos;
    });
}

SessionEffect effect_of_local(std::string_view setting) {
    if (setting.find('.') != std::string_view::npos) return SessionEffect::names;
    return is_decisive(setting) ? SessionEffect::local : SessionEffect::none;
}

SessionEffect effect_of_set(const json::object& set) {
    // SET TRANSACTION ends with its transaction; SET SESSION CHARACTERISTICS does not.
    const bool is_transactions =
        text_of(set, "kind") == "VAR_SET_MULTI" && text_of(set, "name").starts_with("TRANSACTION");
    if (is_transactions) return SessionEffect::none;
    if (!is_true(set, "is_local") || leads_to_temporary_schema(set)) return SessionEffect::changes;
    return effect_of_local(text_of(set, "name"));
}

// The last part of a function's name.
std::string_view function_name(const json::object& call) {
    const json::value* parts = call.if_contains("funcname");
    if (parts == nullptr || !parts->is_array() || parts->get_array().empty()) return {};
    const json::value& last = parts->get_array().back();
    if (!last.is_object()) return {};
    const json::value* string = last.get_object().if_contains("String");
    return string != nullptr && string->is_object() ? text_of(string->get_object(), "sval") : std::string_view();
}

// Local where its third argument is the constant true.
SessionEffect effect_of_set_config(const json::object& call) {
    const json::value* arguments = call.if_contains("args");
    if (arguments == nullptr || !arguments->is_array() || arguments->get_array().size() != 3) {
        return SessionEffect::changes;
    }
    const json::array& all = arguments->get_array();
    const json::object* local = constant_of(all[2], "boolval");
    if (local == nullptr || !is_true(*local, "boolval") || leads_to_temporary_schema(call))
        return SessionEffect::changes;
    const json::object* name = constant_of(all[0], "sval");
    return name == nullptr ? SessionEffect::local : effect_of_local(text_of(*name, "sval"));
}

SessionEffect effect_of_call(const json::object& call) {
    const std::string_view name = function_name(call);
    if (name == "set_config") return effect_of_set_config(call);
    if (name.find("advisory") == std::string_view::npos || name.find("_xact_") != std::string_view::npos) {
        return SessionEffect::none;
    }
    return name.starts_with("pg_advisory_unlock") ? SessionEffect::ends : SessionEffect::locks;
}

// A rule of pg_settings makes a set_config() of it.
SessionEffect effect_of_update(const json::object& update) {
    const json::value* relation = update.if_contains("relation");
    const bool is_settings =
        relation != nullptr && relation->is_object() && text_of(relation->get_object(), "relname") == "pg_settings";
    return is_settings ? SessionEffect::changes : SessionEffect::none;
}

// (1).pg_advisory_lock and x.pg_advisory_lock are calls too.
SessionEffect effect_of_name(std::string_view name) {
    const bool is_lock = (name.starts_with("pg_advisory_") || name.starts_with("pg_try_advisory_")) &&
                         name.find("_xact_") == std::string_view::npos && !name.starts_with("pg_advisory_unlock");
    if (is_lock) return SessionEffect::locks;
    return name.starts_with(temporary_schema) ? SessionEffect::leaves : SessionEffect::none;
}

SessionEffect effect_of(std::string_view kind, const json::object& node) {
    if (kind == "VariableSetStmt") return effect_of_set(node);
    if (kind == "FuncCall") return effect_of_call(node);
    if (kind == "LoadStmt") return SessionEffect::loads;
    if (kind == "DoStmt" || kind == "CallStmt") return SessionEffect::anything;
    if (kind == "DiscardStmt") return SessionEffect::changes;
    if (kind == "TransactionStmt") {
        return text_of(node, "kind") == "TRANS_STMT_ROLLBACK_TO" ? SessionEffect::local : SessionEffect::none;
    }
    if (kind == "ListenStmt" || kind == "PrepareStmt") return SessionEffect::leaves;
    if (kind == "DropStmt" || kind == "ClosePortalStmt" || kind == "UnlistenStmt" || kind == "DeallocateStmt") {
        return SessionEffect::ends;
    }
    if (kind == "DeclareCursorStmt") {
        const json::value* options = node.if_contains("options");
        const bool holds = options != nullptr && options->is_int64() && (options->get_int64() & cursor_hold) != 0;
        return holds ? SessionEffect::leaves : SessionEffect::none;
    }
    if (kind == "UpdateStmt") return effect_of_update(node);
    // Functions, types and others have a list of names in place of a schema's.
    const bool is_temporary =
        text_of(node, "relpersistence") == "t" || text_of(node, "schemaname").starts_with(temporary_schema);
    if (kind == "String") return effect_of_name(text_of(node, "sval"));
    return is_temporary ? SessionEffect::leaves : SessionEffect::none;
}

// CREATE TEMP TABLE ... ON COMMIT DROP, with and without AS.
bool ends_with_transaction(const json::object& node) {
    return text_of(node, "oncommit") == "ONCOMMIT_DROP" || text_of(node, "onCommit") == "ONCOMMIT_DROP";
}

// Nodes may be nested deeply, so the walk keeps its own stack.
SessionEffect effect_of_tree(const json::value& tree) {
    SessionEffect worst = SessionEffect::none;
    std::vector<const json::value*> left{&tree};
    while (!left.empty()) {
        const json::value& value = *left.back();
        left.pop_back();
        if (const json::array* array = value.if_array()) {
            for (const json::value& each : *array) left.push_back(&each);
            continue;
        }
        const json::object* object = value.if_object();
        if (object == nullptr) continue;
        const bool drops = ends_with_transaction(*object);
        if (drops) worst = std::max(worst, SessionEffect::local);
        for (const auto& [key, each] : *object) {
            if (drops && (key == "relation" || key == "rel")) continue;
            if (const json::object* node = each.if_object()) worst = std::max(worst, effect_of(key, *node));
            left.push_back(&each);
        }
    }
    return worst;
}

SessionEffect parse(const std::string& text) {
    struct Free {
        void operator()(PgQueryParseResult* result) const {
            pg_query_free_parse_result(*result);
            delete result;  // NOLINT(cppcoreguidelines-owning-memory)
        }
    };
    {
        const ReadingGuard guard({});
        if (std::holds_alternative<Unparsable>(affordable_tokens_of(text))) return SessionEffect::anything;
    }
    const std::unique_ptr<PgQueryParseResult, Free> result(new PgQueryParseResult(pg_query_parse(text.c_str())));
    if (result->error != nullptr || result->parse_tree == nullptr) return SessionEffect::anything;
    json::parse_options options;
    options.max_depth = 64 * 1024;
    boost::system::error_code error;
    const json::value tree = json::parse(result->parse_tree, error, {}, options);
    return error ? SessionEffect::anything : effect_of_tree(tree);
}

constexpr bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr bool goes_on_in_name(char c) {
    return begins_name(c) || (c >= '0' && c <= '9') || c == '$';
}

}  // namespace

bool is_decisive(ByteView setting) {
    static constexpr std::array<std::string_view, 9> others{"application_name",
                                                            "client_min_messages",
                                                            "deadlock_timeout",
                                                            "idle_in_transaction_session_timeout",
                                                            "idle_session_timeout",
                                                            "lock_timeout",
                                                            "role",
                                                            "session_authorization",
                                                            "statement_timeout"};
    const std::string name = lower_case(setting);
    if (name.find('.') != std::string::npos || name.starts_with("log_")) return false;
    return std::find(others.begin(), others.end(), name) == others.end();
}

bool is_plain_set(ByteView text) {
    const std::size_t end = text.find_last_not_of("; \t\r\n");
    return lower_case(text.substr(0, 4)) == "set " && text.find(';') > end;
}

bool may_deallocate(ByteView text) {
    const std::string lower = lower_case(text);
    return lower.find("deallocate") != std::string::npos || lower.find("discard") != std::string::npos;
}

bool may_execute(ByteView text) {
    return lower_case(text).find("execute") != std::string::npos;
}

bool may_have_effect(ByteView text) {
    return is_candidate(text);
}

SessionEffect session_effect(ByteView text) {
    if (!is_candidate(text)) return SessionEffect::none;
    if (text.size() > parse_limit) return SessionEffect::anything;
    thread_local std::unordered_map<std::string, SessionEffect> known;
    std::string key(text);
    if (const auto found = known.find(key); found != known.end()) return found->second;
    if (known.size() >= remembered) known.clear();
    const SessionEffect effect = parse(key);
    known.emplace(std::move(key), effect);
    return effect;
}

std::vector<std::string> custom_setting_names(ByteView text) {
    constexpr std::size_t most = 64;
    constexpr std::size_t longest = 128;
    std::vector<std::string> names;
    for (std::size_t at = 0; at < text.size() && names.size() < most;) {
        if (!begins_name(text[at])) {
            ++at;
            continue;
        }
        const std::size_t begin = at;
        std::size_t dots = 0;
        while (at < text.size() && goes_on_in_name(text[at])) {
            ++at;
            const bool is_dot = at + 1 < text.size() && text[at] == '.' && begins_name(text[at + 1]);
            if (!is_dot) continue;
            ++dots;
            ++at;
        }
        if (dots == 0 || at - begin > longest) continue;
        std::string name = lower_case(text.substr(begin, at - begin));
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    }
    return names;
}

}  // namespace pgsluice::sql
