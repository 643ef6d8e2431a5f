#include "candidate.hpp"
#include "cost.hpp"
#include "json_node.hpp"
#include "lasting_calls.hpp"
#include "setting_names.hpp"

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

constexpr std::string_view reserved_names = "pgsluice_";  // protocol::reserved_prefix
constexpr std::string_view temporary_schema = "pg_temp";

// Whether a constant of the arguments speaks of the temporary schema. A path that leads there makes objects temporary
// that do not look it.
bool leads_to_temporary_schema(const json::object& statement) {
    const json::array* arguments = array_of(statement, "args");
    if (arguments == nullptr) return false;
    return std::any_of(arguments->begin(), arguments->end(), [](const json::value& argument) {
        const json::object* text = constant_of(*uncast(&argument), "sval");
        return text != nullptr && speaks_of_temporary_schema(text_of(*text, "sval"));
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

// Where its third argument is the constant true it lasts as long as the transaction. What its path leads to must be
// known: a constant tells, and so does a parameter when it is bound.
SessionEffect effect_of_set_config(const json::object& call) {
    const json::array* all = array_of(call, "args");
    if (all == nullptr || all->size() != 3) return SessionEffect::changes;
    const json::object* local = constant_of((*all)[2], "boolval");
    if (local == nullptr || !is_true(*local, "boolval") || leads_to_temporary_schema(call))
        return SessionEffect::changes;
    const json::value& given = *uncast(&(*all)[0]);
    const json::object* name = constant_of(given, "sval");
    const std::string setting = name == nullptr ? std::string() : lower_case(text_of(*name, "sval"));
    if (name != nullptr && setting != "search_path") return effect_of_local(setting);
    const json::value& value = *uncast(&(*all)[1]);
    const bool is_told = (name != nullptr || node_of(given, "ParamRef") != nullptr) &&
                         (node_of(value, "A_Const") != nullptr || node_of(value, "ParamRef") != nullptr);
    return is_told ? SessionEffect::local : SessionEffect::changes;
}

SessionEffect effect_of_call(const json::object& call) {
    const std::string_view name = last_name(call, "funcname");
    if (name == "set_config") return effect_of_set_config(call);
    if (is_lasting_call(call)) return SessionEffect::loads;
    if (name.find("advisory") == std::string_view::npos || name.find("_xact_") != std::string_view::npos) {
        return SessionEffect::none;
    }
    return name.starts_with("pg_advisory_unlock") ? SessionEffect::ends : SessionEffect::locks;
}

// A rule of pg_settings makes a set_config() of it.
SessionEffect effect_of_update(const json::object& update) {
    const json::object* relation = object_of(update, "relation");
    const bool is_settings = relation != nullptr && text_of(*relation, "relname") == "pg_settings";
    return is_settings ? SessionEffect::changes : SessionEffect::none;
}

// (1).pg_advisory_lock and x.pg_advisory_lock are calls too.
SessionEffect effect_of_name(std::string_view name) {
    const bool is_lock = (name.starts_with("pg_advisory_") || name.starts_with("pg_try_advisory_")) &&
                         name.find("_xact_") == std::string_view::npos && !name.starts_with("pg_advisory_unlock");
    return is_lock ? SessionEffect::locks : SessionEffect::none;
}

// By either of its names: pg_temp, and pg_temp_3.
bool is_temporary_schema(std::string_view name) {
    if (!name.starts_with(temporary_schema)) return false;
    name.remove_prefix(temporary_schema.size());
    return name.empty() || (name[0] == '_' && name.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

// Functions, types and others have a list of names in place of a schema's.
bool names_temporary_schema(std::string_view kind, const json::object& node) {
    return is_temporary_schema(text_of(node, "schemaname")) ||
           (kind == "String" && is_temporary_schema(text_of(node, "sval"))) ||
           (kind == "ImportForeignSchemaStmt" && is_temporary_schema(text_of(node, "local_schema")));
}

// Of a statement, or of a part of one that makes a table of a query's result. What is not known makes something.
bool makes_objects(std::string_view kind) {
    static constexpr std::array<std::string_view, 32> others{
        "AlterDomainStmt",  "AlterEnumStmt",   "AlterFunctionStmt", "AlterOwnerStmt", "AlterSeqStmt",
        "AlterTableStmt",   "ClosePortalStmt", "ClusterStmt",       "CommentStmt",    "CopyStmt",
        "CreatePolicyStmt", "CreateTrigStmt",  "DeclareCursorStmt", "DeleteStmt",     "DropStmt",
        "ExplainStmt",      "FetchStmt",       "GrantStmt",         "IndexStmt",      "InsertStmt",
        "LockStmt",         "MergeStmt",       "ReindexStmt",       "RenameStmt",     "RuleStmt",
        "SelectStmt",       "TransactionStmt", "TruncateStmt",      "UpdateStmt",     "VacuumStmt",
        "VariableSetStmt",  "VariableShowStmt"};
    if (kind == "intoClause") return true;
    const bool is_statement = kind.ends_with("Stmt") && kind != "selectStmt";  // the field of an InsertStmt
    return is_statement && std::find(others.begin(), others.end(), kind) == others.end();
}

// Of a statement of ours: what it is from then on, or what it does, nobody has seen.
bool is_about_reserved_name(std::string_view kind, const json::object& node) {
    const bool has_name = kind == "PrepareStmt" || kind == "ExecuteStmt" || kind == "DeallocateStmt";
    return has_name && text_of(node, "name").starts_with(reserved_names);
}

SessionEffect effect_of(std::string_view kind, const json::object& node) {
    if (is_about_reserved_name(kind, node)) return SessionEffect::anything;
    if (kind == "VariableSetStmt") return effect_of_set(node);
    if (kind == "FuncCall") return effect_of_call(node);
    if (kind == "LoadStmt" || may_be_lasting_call(kind, node)) return SessionEffect::loads;
    if (kind == "DoStmt" || kind == "CallStmt") return SessionEffect::anything;
    if (kind == "DiscardStmt") return SessionEffect::changes;
    if (kind == "TransactionStmt") {
        return text_of(node, "kind") == "TRANS_STMT_ROLLBACK_TO" ? SessionEffect::local : SessionEffect::none;
    }
    if (kind == "ListenStmt" || kind == "PrepareStmt") return SessionEffect::leaves;
    if (kind == "DropStmt" || kind == "DropOwnedStmt" || kind == "ClosePortalStmt" || kind == "UnlistenStmt" ||
        kind == "DeallocateStmt") {
        return SessionEffect::ends;
    }
    if (kind == "DeclareCursorStmt") {
        const json::value* options = node.if_contains("options");
        const bool holds = options != nullptr && options->is_int64() && (options->get_int64() & cursor_hold) != 0;
        return holds ? SessionEffect::leaves : SessionEffect::none;
    }
    if (kind == "UpdateStmt") return effect_of_update(node);
    if (kind == "String") return effect_of_name(text_of(node, "sval"));
    return text_of(node, "relpersistence") == "t" ? SessionEffect::leaves : SessionEffect::none;
}

// CREATE TEMP TABLE ... ON COMMIT DROP, with and without AS.
bool ends_with_transaction(const json::object& node) {
    return text_of(node, "oncommit") == "ONCOMMIT_DROP" || text_of(node, "onCommit") == "ONCOMMIT_DROP";
}

struct Judged {
    SessionEffect effect = SessionEffect::none;
    bool is_parsed = true;
    SettingNames names;
    bool is_block = false;     // DO
    bool runs_others = false;  // DO, CALL: a text inside of the text, or what comes with the parameters
};

// Nodes may be nested deeply, so the walk keeps its own stack.
Judged judge_tree(const json::value& tree) {
    Judged judged;
    SessionEffect& worst = judged.effect;
    bool prepares = false;
    bool names_temporary = false, makes = false;
    std::vector<Resets> outcomes;  // the last first
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
            if (const json::object* node = each.if_object()) {
                worst = std::max(worst, effect_of(key, *node));
                note_names_of(key, *node, judged.names, outcomes);
                names_temporary |= names_temporary_schema(key, *node);
                makes |= makes_objects(key);
                prepares |= key == "PrepareStmt";
                judged.is_block |= key == "DoStmt";
                judged.runs_others |= key == "DoStmt" || key == "CallStmt";
            }
            left.push_back(&each);
        }
    }
    // What is there already may be used and dropped by whoever has made it; the server says whether anything is left.
    if (names_temporary) worst = std::max(worst, makes ? SessionEffect::leaves : SessionEffect::changes);
    for (auto each = outcomes.rbegin(); each != outcomes.rend(); ++each) judged.names.resets.append(*each);
    // Its parameters come with an EXECUTE, which may put them together.
    if (prepares) judged.names.hidden = std::max(judged.names.hidden, judged.names.in_parameters);
    return judged;
}

// Of a text of which no tree tells anything.
SessionEffect effect_of_bytes(ByteView text) {
    return may_hold_lasting_call(text) ? SessionEffect::loads : SessionEffect::anything;
}

Judged judge_bytes(ByteView text) {
    Judged judged{effect_of_bytes(text), false, {}, false, true};
    if (may_set(text)) judged.names.hidden = SettingNames::Hidden::for_good;
    note_mentioned_names(text, judged.names);
    return judged;
}

Judged parse(const std::string& text) {
    struct Free {
        void operator()(PgQueryParseResult* result) const {
            pg_query_free_parse_result(*result);
            delete result;  // NOLINT(cppcoreguidelines-owning-memory)
        }
    };
    {
        const ReadingGuard guard({});
        if (std::holds_alternative<Unparsable>(affordable_tokens_of(text))) return judge_bytes(text);
    }
    const std::unique_ptr<PgQueryParseResult, Free> result(new PgQueryParseResult(pg_query_parse(text.c_str())));
    if (result->error != nullptr || result->parse_tree == nullptr) return judge_bytes(text);
    json::parse_options options;
    options.max_depth = 64 * 1024;
    boost::system::error_code error;
    const json::value tree = json::parse(result->parse_tree, error, {}, options);
    if (error) return judge_bytes(text);
    Judged judged = judge_tree(tree);
    if (judged.runs_others) {
        note_mentioned_names(text, judged.names);
        // DO has no parameters, though its quotes may look like one.
        const bool has_parameters = !judged.is_block && text.find('$') != std::string::npos;
        if (has_parameters) judged.names.in_parameters = SettingNames::Hidden::for_good;
    }
    return judged;
}

// Of a candidate. Good until the next call.
const Judged& judged(ByteView text) {
    thread_local Judged unread;
    if (text.size() > parse_limit) return unread = judge_bytes(text);
    thread_local std::unordered_map<std::string, Judged> known;
    std::string key(text);
    if (const auto found = known.find(key); found != known.end()) return found->second;
    if (known.size() >= remembered) known.clear();
    Judged parsed = parse(key);
    return known.emplace(std::move(key), std::move(parsed)).first->second;
}

}  // namespace

bool is_decisive(ByteView setting) {
    static constexpr std::array<std::string_view, 7> others{
        "application_name",     "client_min_messages", "deadlock_timeout", "idle_in_transaction_session_timeout",
        "idle_session_timeout", "lock_timeout",        "statement_timeout"};
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

bool speaks_of_temporary_schema(ByteView text) {
    return lower_case(text).find(temporary_schema) != std::string::npos;
}

SessionEffect session_effect(ByteView text) {
    if (!is_candidate(text)) return SessionEffect::none;
    return text.size() > parse_limit ? effect_of_bytes(text) : judged(text).effect;
}

std::optional<SessionEffect> session_effect_by_parser(ByteView text) {
    const Judged& told = judged(text);
    return told.is_parsed ? std::optional(told.effect) : std::nullopt;
}

SettingNames setting_names(ByteView text) {
    return is_candidate(text) ? judged(text).names : SettingNames();
}

}  // namespace pgsluice::sql
