#include "object_name.hpp"

namespace pgsluice::sql {

std::string_view object_name(PgQuery__ObjectType type) {
    switch (type) {
        case PG_QUERY__OBJECT_TYPE__OBJECT_ACCESS_METHOD: return "access method";
        case PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE: return "aggregate";
        case PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE: return "type";
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
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT:
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
        case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN: return "table";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TABLESPACE: return "tablespace";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TRANSFORM: return "transform";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER: return "trigger";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TSCONFIGURATION: return "text search configuration";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TSDICTIONARY: return "text search dictionary";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TSPARSER: return "text search parser";
        case PG_QUERY__OBJECT_TYPE__OBJECT_TSTEMPLATE: return "text search template";
        case PG_QUERY__OBJECT_TYPE__OBJECT_USER_MAPPING: return "user mapping";
        case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW: return "view";
        default: return {};
    }
}

}  // namespace pgsluice::sql
