#include "command_tag.hpp"

#include "kind_groups.hpp"
#include "object_name.hpp"

#include <string>
#include <unordered_map>

namespace pgsluice::sql {

namespace {

using Names = std::unordered_map<std::string_view, std::string_view>;

// Those whose tag is the same whatever stands in them.
const Names& fixed_tags() {
    static const Names tags{
        {"AlterCollationStmt", "alter collation"},
        {"AlterDatabaseRefreshCollStmt", "alter database"},
        {"AlterDatabaseSetStmt", "alter database"},
        {"AlterDatabaseStmt", "alter database"},
        {"AlterDefaultPrivilegesStmt", "alter default privileges"},
        {"AlterDomainStmt", "alter domain"},
        {"AlterEnumStmt", "alter type"},
        {"AlterEventTrigStmt", "alter event trigger"},
        {"AlterExtensionContentsStmt", "alter extension"},
        {"AlterExtensionStmt", "alter extension"},
        {"AlterFdwStmt", "alter foreign data wrapper"},
        {"AlterForeignServerStmt", "alter server"},
        {"AlterOpFamilyStmt", "alter operator family"},
        {"AlterOperatorStmt", "alter operator"},
        {"AlterPolicyStmt", "alter policy"},
        {"AlterPublicationStmt", "alter publication"},
        {"AlterRoleSetStmt", "alter role"},
        {"AlterRoleStmt", "alter role"},
        {"AlterSeqStmt", "alter sequence"},
        {"AlterStatsStmt", "alter statistics"},
        {"AlterSubscriptionStmt", "alter subscription"},
        {"AlterSystemStmt", "alter system"},
        {"AlterTSConfigurationStmt", "alter text search configuration"},
        {"AlterTSDictionaryStmt", "alter text search dictionary"},
        {"AlterTableMoveAllStmt", "alter tablespace"},
        {"AlterTableSpaceOptionsStmt", "alter tablespace"},
        {"AlterTypeStmt", "alter type"},
        {"AlterUserMappingStmt", "alter user mapping"},
        {"CallStmt", "call"},
        {"CheckPointStmt", "checkpoint"},
        {"ClosePortalStmt", "close"},
        {"ClusterStmt", "cluster"},
        {"CommentStmt", "comment"},
        {"CompositeTypeStmt", "create type"},
        {"ConstraintsSetStmt", "set constraints"},
        {"CreateAmStmt", "create access method"},
        {"CreateCastStmt", "create cast"},
        {"CreateConversionStmt", "create conversion"},
        {"CreateDomainStmt", "create domain"},
        {"CreateEnumStmt", "create type"},
        {"CreateEventTrigStmt", "create event trigger"},
        {"CreateExtensionStmt", "create extension"},
        {"CreateFdwStmt", "create foreign data wrapper"},
        {"CreateForeignServerStmt", "create server"},
        {"CreateForeignTableStmt", "create foreign table"},
        {"CreateOpClassStmt", "create operator class"},
        {"CreateOpFamilyStmt", "create operator family"},
        {"CreatePLangStmt", "create language"},
        {"CreatePolicyStmt", "create policy"},
        {"CreatePublicationStmt", "create publication"},
        {"CreateRangeStmt", "create type"},
        {"CreateRoleStmt", "create role"},
        {"CreateSchemaStmt", "create schema"},
        {"CreateSeqStmt", "create sequence"},
        {"CreateStatsStmt", "create statistics"},
        {"CreateStmt", "create table"},
        {"CreateSubscriptionStmt", "create subscription"},
        {"CreateTableSpaceStmt", "create tablespace"},
        {"CreateTransformStmt", "create transform"},
        {"CreateTrigStmt", "create trigger"},
        {"CreateUserMappingStmt", "create user mapping"},
        {"CreatedbStmt", "create database"},
        {"DeallocateStmt", "deallocate"},
        {"DeclareCursorStmt", "declare cursor"},
        {"DeleteStmt", "delete"},
        {"DiscardStmt", "discard"},
        {"DoStmt", "do"},
        {"DropOwnedStmt", "drop owned"},
        {"DropRoleStmt", "drop role"},
        {"DropSubscriptionStmt", "drop subscription"},
        {"DropTableSpaceStmt", "drop tablespace"},
        {"DropUserMappingStmt", "drop user mapping"},
        {"DropdbStmt", "drop database"},
        {"ExecuteStmt", "execute"},
        {"ExplainStmt", "explain"},
        {"ImportForeignSchemaStmt", "import foreign schema"},
        {"IndexStmt", "create index"},
        {"InsertStmt", "insert"},
        {"ListenStmt", "listen"},
        {"LoadStmt", "load"},
        {"LockStmt", "lock table"},
        {"MergeStmt", "merge"},
        {"NotifyStmt", "notify"},
        {"PrepareStmt", "prepare"},
        {"ReassignOwnedStmt", "reassign owned"},
        {"RefreshMatViewStmt", "refresh materialized view"},
        {"ReindexStmt", "reindex"},
        {"RuleStmt", "create rule"},
        {"SecLabelStmt", "security label"},
        {"TruncateStmt", "truncate table"},
        {"UnlistenStmt", "unlisten"},
        {"UpdateStmt", "update"},
        {"VariableShowStmt", "show"},
        {"ViewStmt", "create view"},
    };
    return tags;
}

std::string_view tag_of(const PgQuery__TransactionStmt& transaction) {
    switch (transaction.kind) {
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START: return "begin";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT: return "commit";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO: return "rollback";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT: return "savepoint";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE: return "release";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE: return "prepare transaction";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED: return "commit prepared";
        case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED: return "rollback prepared";
        default: return {};
    }
}

std::string_view tag_of(const PgQuery__VariableSetStmt& set) {
    const bool resets =
        set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET || set.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL;
    return resets ? "reset" : "set";
}

std::string tagged(std::string_view verb, PgQuery__ObjectType type) {
    const std::string_view object = object_name(type);
    return object.empty() ? std::string() : std::string(verb) + ' ' + std::string(object);
}

// PostgreSQL names what is renamed in a relation by the relation.
std::string tag_of(const PgQuery__RenameStmt& rename) {
    switch (rename.rename_type) {
        case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN:
        case PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE: return tagged("alter", rename.relation_type);
        default: return tagged("alter", rename.rename_type);
    }
}

// Those whose tag depends on what stands in them.
std::string varying_tag(const Message& statement) {
    if (const auto* select = as<PgQuery__SelectStmt>(&statement, pg_query__select_stmt__descriptor)) {
        return select->into_clause == nullptr ? "select" : "select into";
    }
    if (const auto* transaction = as<PgQuery__TransactionStmt>(&statement, pg_query__transaction_stmt__descriptor)) {
        return std::string(tag_of(*transaction));
    }
    if (const auto* set = as<PgQuery__VariableSetStmt>(&statement, pg_query__variable_set_stmt__descriptor)) {
        return std::string(tag_of(*set));
    }
    if (const auto* copy = as<PgQuery__CopyStmt>(&statement, pg_query__copy_stmt__descriptor)) {
        return copy->is_from ? "copy from" : "copy to";
    }
    if (const auto* fetch = as<PgQuery__FetchStmt>(&statement, pg_query__fetch_stmt__descriptor)) {
        return fetch->ismove ? "move" : "fetch";
    }
    if (const auto* grant = as<PgQuery__GrantStmt>(&statement, pg_query__grant_stmt__descriptor)) {
        return grant->is_grant ? "grant" : "revoke";
    }
    if (const auto* grant = as<PgQuery__GrantRoleStmt>(&statement, pg_query__grant_role_stmt__descriptor)) {
        return grant->is_grant ? "grant role" : "revoke role";
    }
    if (const auto* vacuum = as<PgQuery__VacuumStmt>(&statement, pg_query__vacuum_stmt__descriptor)) {
        return vacuum->is_vacuumcmd ? "vacuum" : "analyze";
    }
    if (const auto* made = as<PgQuery__CreateTableAsStmt>(&statement, pg_query__create_table_as_stmt__descriptor)) {
        const bool is_view = made->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW;
        return is_view ? "create materialized view" : "create table as";
    }
    if (const auto* made = as<PgQuery__CreateFunctionStmt>(&statement, pg_query__create_function_stmt__descriptor)) {
        return made->is_procedure ? "create procedure" : "create function";
    }
    return {};
}

// ALTER, CREATE and DROP with a type of object.
std::string object_tag(const Message& statement) {
    if (const auto* drop = as<PgQuery__DropStmt>(&statement, pg_query__drop_stmt__descriptor)) {
        return tagged("drop", drop->remove_type);
    }
    if (const auto* define = as<PgQuery__DefineStmt>(&statement, pg_query__define_stmt__descriptor)) {
        return tagged("create", define->kind);
    }
    if (const auto* alter = as<PgQuery__AlterTableStmt>(&statement, pg_query__alter_table_stmt__descriptor)) {
        return tagged("alter", alter->objtype);
    }
    if (const auto* alter = as<PgQuery__AlterFunctionStmt>(&statement, pg_query__alter_function_stmt__descriptor)) {
        return tagged("alter", alter->objtype);
    }
    if (const auto* rename = as<PgQuery__RenameStmt>(&statement, pg_query__rename_stmt__descriptor)) {
        return tag_of(*rename);
    }
    if (const auto* alter =
            as<PgQuery__AlterObjectDependsStmt>(&statement, pg_query__alter_object_depends_stmt__descriptor)) {
        return tagged("alter", alter->object_type);
    }
    if (const auto* alter =
            as<PgQuery__AlterObjectSchemaStmt>(&statement, pg_query__alter_object_schema_stmt__descriptor)) {
        return tagged("alter", alter->object_type);
    }
    if (const auto* alter = as<PgQuery__AlterOwnerStmt>(&statement, pg_query__alter_owner_stmt__descriptor)) {
        return tagged("alter", alter->object_type);
    }
    return {};
}

}  // namespace

Kinds kinds_of_statement(const Message& statement) {
    const auto fixed = fixed_tags().find(statement.descriptor->short_name);
    std::string tag(fixed == fixed_tags().end() ? std::string_view() : fixed->second);
    if (tag.empty()) tag = varying_tag(statement);
    if (tag.empty()) tag = object_tag(statement);
    const std::optional<Kinds> kinds = kinds_named(tag);
    return kinds ? *kinds : kinds_of_group("utility");
}

}  // namespace pgsluice::sql
