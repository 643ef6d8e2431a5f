#include <pgsluice/protocol/asking.hpp>
#include <pgsluice/protocol/inspection.hpp>
#include <pgsluice/wire/backend_messages.hpp>

#include <array>
#include <utility>

namespace pgsluice::protocol {
namespace {

constexpr ByteView inspect_statement = "pgsluice_inspect";
constexpr ByteView isolate_statement = "pgsluice_isolate";
constexpr ByteView lift_statement = "pgsluice_lift";

// A deferrable transaction waits for its snapshot without end, and a standby has none for a serializable one. As long
// as nothing in the transaction has taken one, this takes none, and without LOCAL it ends with the transaction all the
// same, and warns of nothing.
constexpr ByteView isolate_text = "set transaction_isolation = 'read committed'";

// For the transaction only. While it lasts, pg_settings tells of values that are ours, so those of the client are told
// here, ahead of them: the first of a name counts. Whether a SET or the server itself has made them can no longer be
// told, and they are taken for set.
constexpr ByteView lift_text =
    "select 's', n, v from (select n, pg_catalog.current_setting(n, true) as v from pg_catalog.unnest("
    "'{statement_timeout,lock_timeout,transaction_timeout}'::pg_catalog.text[]) n offset 0) t"
    " where v is not null and pg_catalog.set_config(n, '0', true) is not null";

// Qualified throughout, operators too: the client's search_path is in force. The settings that are left out end with
// their transaction, and are named one by one: PostgreSQL 17 has a transaction_timeout, which does not.
constexpr ByteView inspect_text =
    "select 's', name, setting from pg_catalog.pg_settings where source operator(pg_catalog.=) 'session'"
    " and name operator(pg_catalog.<>) all "
    "('{transaction_isolation,transaction_read_only,transaction_deferrable}'::pg_catalog.text[])"
    " union all select 's', n, pg_catalog.current_setting(n) from "
    "pg_catalog.unnest('{role,session_authorization}'::pg_catalog.text[]) n"
    // A setting of a loaded library, which is one of the server's own, is told above where it has been set.
    " union all select 's', n, pg_catalog.current_setting(n, true) from pg_catalog.unnest($1::pg_catalog.text[]) n"
    " where pg_catalog.current_setting(n, true) is not null and not exists (select from pg_catalog.pg_settings"
    " where pg_catalog.lower(name) operator(pg_catalog.=) n)"
    // Whether none may be another role than that of the login.
    " union all select 'r', '', '' where exists (select from pg_catalog.pg_db_role_setting,"
    " pg_catalog.unnest(setconfig) c where pg_catalog.left(c, 5) operator(pg_catalog.=) 'role='"
    " and (setdatabase operator(pg_catalog.=) 0 or setdatabase operator(pg_catalog.=) (select oid from"
    " pg_catalog.pg_database where datname operator(pg_catalog.=) pg_catalog.current_database()))"
    " and (setrole operator(pg_catalog.=) 0"
    " or pg_catalog.pg_get_userbyid(setrole) operator(pg_catalog.=) session_user))"
    // Whatever is in the temporary schema depends on it.
    " union all select 'p', '0', '' where exists (select from pg_catalog.pg_depend"
    " where refclassid operator(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass"
    " and refobjid operator(pg_catalog.=) pg_catalog.pg_my_temp_schema())"
    " union all select 'p', '1', '' where $2::pg_catalog.bool and exists (select from pg_catalog.pg_locks"
    " where locktype operator(pg_catalog.=) 'advisory' and pid operator(pg_catalog.=) pg_catalog.pg_backend_pid())"
    " union all select 'p', '2', '' where exists (select from pg_catalog.pg_listening_channels())"
    " union all select 'p', '3', '' where exists (select from pg_catalog.pg_cursors where is_holdable)"
    " union all select 'p', '4', '' where exists (select from pg_catalog.pg_prepared_statements where from_sql)";

}  // namespace

ByteView inspection_text() {
    return inspect_text;
}

ByteView isolation_text() {
    return isolate_text;
}

std::string array_of(const std::vector<std::string>& names) {
    std::string array = "{";
    for (const std::string& name : names) {
        array += array.size() > 1 ? ",\"" : "\"";
        for (const char c : name) {
            if (c == '"' || c == '\\') array += '\\';
            array += c;
        }
        array += '"';
    }
    return array + '}';
}

void append_inspection(Bytes& to_server, Exchange& exchange, ReservedStatements& reserved, const Question& question) {
    const bool is_parsed = std::exchange(reserved.inspect, true);
    Asking asking(to_server, exchange, Fate::inspect);
    // Anew: by those names there may be one still, behind an answer that failed. The first ahead of all else, since to
    // parse a SELECT takes a snapshot, too.
    if (!is_parsed) asking.parse_anew(isolate_statement, isolate_text);
    asking.run(isolate_statement);
    if (question.lifts_timeouts) {
        asking.parse_anew(lift_statement, lift_text);
        asking.run(lift_statement);
    }
    if (!is_parsed) asking.parse_anew(inspect_statement, inspect_text);
    const std::string names = array_of(question.custom_settings);
    const std::array<ByteView, 2> values{names, question.locks ? "t" : "f"};
    asking.run(inspect_statement, values);
    asking.sync();
}

bool Answer::add_row(ByteView body) {
    const auto row = wire::read_data_row(body);
    if (!row || row->size() != 3 || !(*row)[0] || !(*row)[1] || !(*row)[2]) return false;
    return add(*(*row)[0], *(*row)[1], *(*row)[2]);
}

bool Answer::add(ByteView kind, ByteView name, ByteView value) {
    if (kind == "p") {
        if (name.size() != 1 || name[0] < '0' || name[0] > '4') return false;
        pins_.add(static_cast<Pin>(name[0] - '0'));
    } else if (kind == "r") {
        may_begin_with_role_ = true;
    } else if (!failed_ && !(name == "role" && value == "none") && find(name) == nullptr) {
        bytes_ += name.size() + value.size();
        if (bytes_ <= most_bytes && settings().size() < most_settings)
            settings_.add({std::string(name), std::string(value), false});
        else
            fail();
    }
    return true;
}

void Answer::tell_no_role() {
    if (!failed_ && find("role") == nullptr) settings_.add({"role", "none"});
}

void Answer::fail() {
    failed_ = true;
    settings_ = {};
}

}  // namespace pgsluice::protocol
