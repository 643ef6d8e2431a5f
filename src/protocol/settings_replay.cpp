#include <pgsluice/protocol/settings_replay.hpp>
#include <pgsluice/wire/frontend_messages.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::protocol {
namespace {

using wire::FrontendTag;

constexpr ByteView set_statement = "pgsluice_set";
constexpr ByteView reset_statement = "pgsluice_reset";
constexpr ByteView role = "role";
constexpr ByteView session_authorization = "session_authorization";

bool is_rights(ByteView name) {
    return same_name(name, role) || same_name(name, session_authorization);
}

void owe(Exchange& exchange, Asked asked) {
    exchange.owe({asked, Fate::restore});
}

void append_set(Bytes& to_server, Exchange& exchange, ReservedStatements& reserved, const Parameter& wanted) {
    if (!reserved.set_config) {
        wire::write_parse(to_server, set_statement, "select pg_catalog.set_config($1, $2, false)",
                          wire::no_parameter_types);
        owe(exchange, Asked::parse);
        reserved.set_config = true;
    }
    const std::array<ByteView, 2> values{wanted.name, wanted.value};
    wire::write_bind(to_server, "", set_statement, values);
    owe(exchange, Asked::bind);
    wire::write_execute(to_server, "", 0);
    owe(exchange, Asked::execute);
}

// A dotted name is one identifier per part: "a"."b".
std::string quoted_name(ByteView name) {
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '.')
            quoted += "\".\"";
        else if (c == '"')
            quoted += "\"\"";
        else
            quoted += c;
    }
    return quoted + '"';
}

// A client's "ISO" leaves the order of day and month as it is, which must be that of a fresh connection and not what
// another client has left.
bool keeps_part_of_the_old(const Parameter& wanted) {
    return same_name(wanted.name, "DateStyle") && wanted.value.find(',') == std::string::npos;
}

// Settings that the transaction of the replay itself would begin with. A snapshot of a deferrable one may be waited for
// without end, and a standby has none for a serializable one; a RESET takes no snapshot.
bool begins_transactions(ByteView name) {
    constexpr std::array<ByteView, 3> those{"default_transaction_deferrable", "default_transaction_isolation",
                                            "default_transaction_read_only"};
    return std::any_of(those.begin(), those.end(), [&](ByteView each) { return same_name(name, each); });
}

bool is_deferrable(const Parameter& present) {
    return same_name(present.name, "default_transaction_deferrable") && present.value != "off";
}

// Whether it has to go before anything else is set: as it is not wanted, or first of all.
bool must_be_reset(const Parameter& present, const Parameter* wanted) {
    if (wanted == nullptr || is_deferrable(present)) return true;
    return begins_transactions(present.name) && present.value != wanted->value;
}

void append_sync(Bytes& to_server, Exchange& exchange) {
    wire::write_empty(to_server, FrontendTag::sync);
    owe(exchange, Asked::sync);
}

void append_reset(Bytes& to_server, Exchange& exchange, const Parameter& unwanted) {
    // What is there by this name is our last one, or what somebody has prepared with SQL; nothing there is fine too.
    wire::write_target(to_server, FrontendTag::close, 'S', reset_statement);
    owe(exchange, Asked::close);
    wire::write_parse(to_server, reset_statement, "reset " + quoted_name(unwanted.name), wire::no_parameter_types);
    owe(exchange, Asked::parse);
    wire::write_bind(to_server, "", reset_statement, {});
    owe(exchange, Asked::bind);
    wire::write_execute(to_server, "", 0);
    owe(exchange, Asked::execute);
}

}  // namespace

std::size_t append_replay(Bytes& to_server, Exchange& exchange, ReservedStatements& reserved, const ParameterSet& has,
                          const ParameterSet& wants) {
    if (has.all() == wants.all()) return 0;
    std::size_t differences = 0;
    for (const ByteView rights : {role, session_authorization}) {
        const Parameter* present = has.find(rights);
        if (present == nullptr) continue;
        append_reset(to_server, exchange, *present);
        ++differences;
    }
    bool is_hindered = false;
    for (const Parameter& present : has.all()) {
        if (is_rights(present.name) || !must_be_reset(present, wants.find(present.name))) continue;
        append_reset(to_server, exchange, present);
        ++differences;
        is_hindered |= begins_transactions(present.name);
    }
    // What is behind it runs in a transaction that begins without them.
    if (is_hindered) append_sync(to_server, exchange);
    for (const Parameter& wanted : wants.all()) {
        if (is_rights(wanted.name)) continue;
        const Parameter* present = has.find(wanted.name);
        const bool is_set =
            present != nullptr && !must_be_reset(*present, &wanted) && (present->overrides || !wanted.overrides);
        if (is_set && present->value == wanted.value) continue;
        if (present != nullptr && keeps_part_of_the_old(wanted)) append_reset(to_server, exchange, *present);
        append_set(to_server, exchange, reserved, wanted);
        ++differences;
    }
    for (const ByteView rights : {session_authorization, role}) {
        const Parameter* wanted = wants.find(rights);
        if (wanted == nullptr) continue;
        append_set(to_server, exchange, reserved, *wanted);
        ++differences;
    }
    if (differences > 0) append_sync(to_server, exchange);
    return differences;
}

bool must_be_awaited(const ParameterSet& has, const ParameterSet& wants) {
    constexpr std::array<ByteView, 4> decisive{role, session_authorization, "search_path", "row_security"};
    return std::any_of(decisive.begin(), decisive.end(), [&](ByteView name) {
        const Parameter* present = has.find(name);
        const Parameter* wanted = wants.find(name);
        return (present == nullptr) != (wanted == nullptr) || (present != nullptr && present->value != wanted->value);
    });
}

}  // namespace pgsluice::protocol
