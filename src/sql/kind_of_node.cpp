#include "kind_of_node.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace pgsluice::sql {
namespace {

// By the short name of the message. Those that are missing here look at more than their type, or are no statements.
const std::unordered_map<std::string_view, std::string_view>& simple_names() {
    static const std::unordered_map<std::string_view, std::string_view> names{
        {"InsertStmt", "insert"},
        {"DeleteStmt", "delete"},
        {"UpdateStmt", "update"},
        {"MergeStmt", "merge"},
        {"SelectStmt", "select"},
        {"AlterDomainStmt", "alter domain"},
        {"AlterDefaultPrivilegesStmt", "alter default privileges"},
        {"ClosePortalStmt", "close cursor"},
        {"ClusterStmt", "cluster"},
        {"CreateStmt", "create table"},
        {"TruncateStmt", "truncate table"},
        {"CommentStmt", "comment"},
        {"IndexStmt", "create index"},
        {"DoStmt", "do"},
        {"RuleStmt", "create rule"},
        {"NotifyStmt", "notify"},
        {"ListenStmt", "listen"},
        {"UnlistenStmt", "unlisten"},
        {"ViewStmt", "create view"},
        {"LoadStmt", "load"},
        {"CreateDomainStmt", "create domain"},
        {"CreatedbStmt", "create database"},
        {"DropdbStmt", "drop database"},
        {"ExplainStmt", "explain"},
        {"CreateSeqStmt", "create sequence"},
        {"AlterSeqStmt", "alter sequence"},
        {"VariableShowStmt", "show"},
        {"DiscardStmt", "discard"},
        {"CreateTrigStmt", "create trigger"},
        {"CreatePLangStmt", "create language"},
        {"CreateRoleStmt", "create role"},
        {"AlterRoleStmt", "alter role"},
        {"AlterRoleSetStmt", "alter role"},
        {"DropRoleStmt", "drop role"},
        {"LockStmt", "lock table"},
        {"ConstraintsSetStmt", "set constraints"},
        {"ReindexStmt", "reindex"},
        {"CheckPointStmt", "checkpoint"},
        {"CreateSchemaStmt", "create schema"},
        {"AlterDatabaseStmt", "alter database"},
        {"AlterDatabaseRefreshCollStmt", "alter database"},
        {"AlterDatabaseSetStmt", "alter database"},
        {"CreateConversionStmt", "create conversion"},
        {"CreateCastStmt", "create cast"},
        {"CreateOpClassStmt", "create operator class"},
        {"CreateOpFamilyStmt", "create operator family"},
        {"AlterOpFamilyStmt", "alter operator family"},
        {"PrepareStmt", "prepare"},
        {"ExecuteStmt", "execute"},
        {"DeallocateStmt", "deallocate"},
        {"DeclareCursorStmt", "declare cursor"},
        {"CreateTableSpaceStmt", "create tablespace"},
        {"DropTableSpaceStmt", "drop tablespace"},
        {"AlterOperatorStmt", "alter operator"},
        {"AlterTypeStmt", "alter type"},
        {"DropOwnedStmt", "drop owned"},
        {"ReassignOwnedStmt", "reassign owned"},
        {"CompositeTypeStmt", "create type"},
        {"CreateEnumStmt", "create type"},
        {"CreateRangeStmt", "create type"},
        {"AlterEnumStmt", "alter type"},
        {"AlterTSDictionaryStmt", "alter text search dictionary"},
        {"AlterTSConfigurationStmt", "alter text search configuration"},
        {"CreateFdwStmt", "create foreign data wrapper"},
        {"AlterFdwStmt", "alter foreign data wrapper"},
        {"CreateForeignServerStmt", "create server"},
        {"AlterForeignServerStmt", "alter server"},
        {"CreateUserMappingStmt", "create user mapping"},
        {"AlterUserMappingStmt", "alter user mapping"},
        {"DropUserMappingStmt", "drop user mapping"},
        {"AlterTableSpaceOptionsStmt", "alter tablespace"},
        {"AlterTableMoveAllStmt", "alter table"},
        {"SecLabelStmt", "security label"},
        {"CreateForeignTableStmt", "create foreign table"},
        {"ImportForeignSchemaStmt", "import foreign schema"},
        {"CreateExtensionStmt", "create extension"},
        {"AlterExtensionStmt", "alter extension"},
        {"AlterExtensionContentsStmt", "alter extension"},
        {"CreateEventTrigStmt", "create event trigger"},
        {"AlterEventTrigStmt", "alter event trigger"},
        {"RefreshMatViewStmt", "refresh materialized view"},
        {"AlterSystemStmt", "alter system"},
        {"CreatePolicyStmt", "create policy"},
        {"AlterPolicyStmt", "alter policy"},
        {"CreateTransformStmt", "create transform"},
        {"CreateAmStmt", "create access method"},
        {"CreatePublicationStmt", "create publication"},
        {"AlterPublicationStmt", "alter publication"},
        {"CreateSubscriptionStmt", "create subscription"},
        {"AlterSubscriptionStmt", "alter subscription"},
        {"DropSubscriptionStmt", "drop subscription"},
        {"CreateStatsStmt", "create statistics"},
        {"AlterCollationStmt", "alter collation"},
        {"CallStmt", "call"},
        {"AlterStatsStmt", "alter statistics"},
    };
    return names;
}

std::string_view transaction_name(PgQuery__TransactionStmtKind kind) {
    switch (kind) {
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN: return "begin";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START: return "start transaction";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT: return "commit";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT: return "savepoint";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE: return "release";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE: return "prepare transaction";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED: return "commit prepared";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED: return "rollback prepared";
        default: return "rollback";
    }
}

std::string on(std::string_view verb, PgQuery__ObjectType type) {
    return std::string(verb) + ' ' + object_name(type);
}

// ALTER of a part is one of the whole, which relation_type says.
PgQuery__ObjectType renamed(const PgQuery__RenameStmt& rename) {
    switch (rename.rename_type) {
        case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT:
            return rename.relation_type == PG_QUERY__OBJECT_TYPE__OBJECT_TYPE_UNDEFINED
                       ? PG_QUERY__OBJECT_TYPE__OBJECT_TABLE
                       : rename.relation_type;
        case PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE: return PG_QUERY__OBJECT_TYPE__OBJECT_TYPE;
        case PG_QUERY__OBJECT_TYPE__OBJECT_DOMCONSTRAINT: return PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN;
        default: return rename.rename_type;
    }
}

template <class Node>
const Node& cast(const Message& message) {
    return reinterpret_cast<const Node&>(message);
}

// Of a statement that says only inside what it is about; empty for what is no statement.
std::string name_of(const Message& node) {
    const std::string_view type = node.descriptor->short_name;
    if (type == "CopyStmt") return cast<PgQuery__CopyStmt>(node).is_from != 0 ? "copy from" : "copy to";
    if (type == "TransactionStmt") return std::string(transaction_name(cast<PgQuery__TransactionStmt>(node).kind));
    if (type == "VariableSetStmt") {
        const auto kind = cast<PgQuery__VariableSetStmt>(node).kind;
        const bool resets =
            kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET || kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL;
        return resets ? "reset" : "set";
    }
    if (type == "GrantStmt") return cast<PgQuery__GrantStmt>(node).is_grant != 0 ? "grant" : "revoke";
    if (type == "GrantRoleStmt") return cast<PgQuery__GrantRoleStmt>(node).is_grant != 0 ? "grant" : "revoke";
    if (type == "FetchStmt") return cast<PgQuery__FetchStmt>(node).ismove != 0 ? "move" : "fetch";
    if (type == "VacuumStmt") return cast<PgQuery__VacuumStmt>(node).is_vacuumcmd != 0 ? "vacuum" : "analyze";
    if (type == "CreateTableAsStmt") {
        const auto& create = cast<PgQuery__CreateTableAsStmt>(node);
        if (create.is_select_into != 0) return "select into";
        const bool is_view = create.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;
        return is_view ? "create materialized view" : "create table as";
    }
    if (type == "CreateFunctionStmt") {
        return cast<PgQuery__CreateFunctionStmt>(node).is_procedure != 0 ? "create procedure" : "create function";
    }
    if (type == "AlterFunctionStmt") return on("alter", cast<PgQuery__AlterFunctionStmt>(node).objtype);
    if (type == "DefineStmt") return on("create", cast<PgQuery__DefineStmt>(node).kind);
    if (type == "DropStmt") return on("drop", cast<PgQuery__DropStmt>(node).remove_type);
    if (type == "AlterTableStmt") return on("alter", cast<PgQuery__AlterTableStmt>(node).objtype);
    if (type == "RenameStmt") return on("alter", renamed(cast<PgQuery__RenameStmt>(node)));
    if (type == "AlterOwnerStmt") return on("alter", cast<PgQuery__AlterOwnerStmt>(node).object_type);
    if (type == "AlterObjectSchemaStmt") return on("alter", cast<PgQuery__AlterObjectSchemaStmt>(node).object_type);
    if (type == "AlterObjectDependsStmt") return on("alter", cast<PgQuery__AlterObjectDependsStmt>(node).object_type);
    // Parts of other statements.
    const bool is_part = type == "RawStmt" || type == "SetOperationStmt" || type == "ReturnStmt" ||
                         type == "PLAssignStmt" || type == "ReplicaIdentityStmt";
    return type.ends_with("Stmt") && !is_part ? "other" : "";
}

}  // namespace

const char* object_name(PgQuery__ObjectType type) {
    switch (type) {
        case PG_QUERY__OBJECT_TYPE__OBJECT_ACCESS_METHOD: return "access method";
        case PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE: return "aggregate";
        case PG_QUERY__OBJECT_TYPE__OBJECT_CAST: return "cast";
        case PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION: return "collation";
        case PG_QUERY__OBJECT_TYPE__OBJECT_CONVERSION: return "conversion";
        case PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE: return "database";
        case PG_QUERY__OBJECT_TYPE__OBJECT_DEFACL: return "default privileges";
        case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN:
        case PG_QUERY__OBJECT_TYPE__OBJECT_DOMCONSTRAINT: return "domain";
        case PG_QUERY__OBJECT_TYPE__OBJECT_EVENT_TRIGGER: return "event trigger";
        case PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION: return "extension";
        case PG_QUERY__OBJECT_TYPE__OBJECT_FDW: return "foreign data wrapper";
        case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_SERVER: return "server";
        case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE: return "foreign table";
        case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION: return "function";
        case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX: return "index";
        case PG_QUERY__OBJECT_TYPE__OBJECT_LANGUAGE: return "language";
        case PG_QUERY__OBJECT_TYPE__OBJECT_LARGEOBJECT: return "large object";
        case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW: return "materialized view";
        case PG_QUERY__OBJECT_TYPE__OBJECT_OPCLASS: return "operator class";
        case PG_QUERY__OBJECT_TYPE__OBJECT_OPERATOR: return "operator";
        case PG_QUERY__OBJECT_TYPE__OBJECT_OPFAMILY: return "operator family";
        case PG_QUERY__OBJECT_TYPE__OBJECT_POLICY: return "policy";
        case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE: return "procedure";
        case PG_QUERY__OBJECT_TYPE__OBJECT_PUBLICATION: return "publication";
        case PG_QUERY__OBJECT_TYPE__OBJECT_ROLE: return "role";
        case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE: return "routine";
        case PG_QUERY__OBJECT_TYPE__OBJECT_RULE: return "rule";
        case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA: return "schema";
        case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: return "sequence";
        case PG_QUERY__OBJECT_TYPE__OBJECT_SUBSCRIPTION: return "subscription";
        case PG_QUERY__OBJECT_TYPE__OBJECT_STATISTIC_EXT: return "statistics";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE: return "table";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABLESPACE: return "tablespace";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TRANSFORM: return "transform";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER: return "trigger";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TSCONFIGURATION: return "text search configuration";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TSDICTIONARY: return "text search dictionary";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TSPARSER: return "text search parser";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TSTEMPLATE: return "text search template";
        case PG_QUERY__OBJECT_TYPE__OBJECT_USER_MAPPING: return "user mapping";
        case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW: return "view";
        // A type, and its parts.
        default: return "type";
    }
}

std::optional<std::size_t> kind_of(const Message& node) {
    const auto& names = kind_names();
    const auto simple = simple_names().find(node.descriptor->short_name);
    const std::string name = simple != simple_names().end() ? std::string(simple->second) : name_of(node);
    if (name.empty()) return std::nullopt;
    const auto found = std::find(names.begin(), names.end(), name);
    // A word that is missing in the list is a mistake of ours, which a test of all of them finds.
    return static_cast<std::size_t>((found != names.end() ? found : std::find(names.begin(), names.end(), "other")) -
                                    names.begin());
}

}  // namespace pgsluice::sql
