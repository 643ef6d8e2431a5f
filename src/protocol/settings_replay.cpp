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

// Without a row: a result is as long as its value, and of no use.
constexpr ByteView set_config = "select where pg_catalog.set_config($1, $2, false) is null";

bool is_rights(ByteView name) {
    return same_name(name, role) || same_name(name, session_authorization);
}

void owe(Exchange& exchange, Asked asked, Fate fate = Fate::restore) {
    exchange.owe({asked, fate});
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

// Settings that not everybody may set or reset, whom another role that was on has let set it, or nobody has: those of
// extensions are anybody's until the library is loaded.
bool may_be_privileged(ByteView name) {
    constexpr std::array<ByteView, 3> families{"log_", "track_", "wal_"};
    constexpr std::array<ByteView, 8> others{"session_replication_role", "lc_messages",         "deadlock_timeout",
                                             "temp_file_limit",          "commit_delay",        "compute_query_id",
                                             "dynamic_library_path",     "update_process_title"};
    return is_custom(name) ||
           std::any_of(families.begin(), families.end(), [&](ByteView each) { return name.starts_with(each); }) ||
           std::any_of(others.begin(), others.end(), [&](ByteView each) { return same_name(name, each); });
}

bool is_deferrable(const Parameter& present) {
    return same_name(present.name, "default_transaction_deferrable") && present.value != "off";
}

// Whether it has to go before anything else is set: as it is not wanted, or first of all.
bool must_be_reset(const Parameter& present, const Parameter* wanted) {
    if (wanted == nullptr || is_deferrable(present)) return true;
    return begins_transactions(present.name) && present.value != wanted->value;
}

// nullptr where the set has no such setting: a name of the same bytes in another encoding is another one.
const Parameter* counterpart(const ParameterSet& set, const Parameter& of) {
    const Parameter* found = set.find(of.name);
    const bool is_other = found != nullptr && found->encoding != of.encoding && !is_ascii(of.name);
    return is_other ? nullptr : found;
}

class Replay {
  public:
    Replay(Bytes& to_server, Exchange& exchange, ReservedStatements& reserved, const ParameterSet& has,
           const ParameterSet& wants)
        : to_server_(to_server),
          exchange_(exchange),
          reserved_(reserved),
          has_(has),
          wants_(wants),
          encoding_(has.encoding()) {}

    std::size_t append();

  private:
    void take_rights_off();
    void reset_unwanted();
    void set_wanted(const Parameter& wanted);
    void put_rights_on();
    void restore_encoding();
    void read_as(const Parameter& parameter);
    void append_set(ByteView name, ByteView value);
    void append_reset(ByteView name);
    void append_sync();

    Bytes& to_server_;
    Exchange& exchange_;
    ReservedStatements& reserved_;
    const ParameterSet& has_;
    const ParameterSet& wants_;
    ByteView encoding_;  // the server's client_encoding behind what has been appended
    std::size_t differences_ = 0;
};

std::size_t Replay::append() {
    take_rights_off();
    reset_unwanted();
    // What is not ASCII is mostly in this encoding.
    if (const Parameter* encoding = wants_.find(client_encoding)) set_wanted(*encoding);
    for (const Parameter& wanted : wants_.all()) {
        if (!is_rights(wanted.name) && !same_name(wanted.name, client_encoding)) set_wanted(wanted);
    }
    put_rights_on();
    restore_encoding();
    if (differences_ > 0) append_sync();
    return differences_;
}

void Replay::take_rights_off() {
    for (const ByteView rights : {role, session_authorization}) {
        const Parameter* present = has_.find(rights);
        if (present == nullptr) continue;
        append_reset(present->name);
        ++differences_;
    }
}

void Replay::reset_unwanted() {
    const auto reset_those = [&](bool in_other_encoding) {
        bool is_hindered = false;
        for (const Parameter& present : has_.all()) {
            const bool is_in_other = !is_ascii(present.name) && present.encoding != has_.encoding();
            if (is_in_other != in_other_encoding || is_rights(present.name)) continue;
            if (!must_be_reset(present, counterpart(wants_, present))) continue;
            read_as(present);
            append_reset(present.name);
            ++differences_;
            is_hindered |= begins_transactions(present.name);
        }
        return is_hindered;
    };
    // What is behind it runs in a transaction that begins without them: to set an encoding for a name, too.
    if (reset_those(false)) append_sync();
    reset_those(true);
}

void Replay::set_wanted(const Parameter& wanted) {
    const Parameter* present = counterpart(has_, wanted);
    const bool is_set =
        present != nullptr && !must_be_reset(*present, &wanted) && (present->overrides || !wanted.overrides);
    if (is_set && same_value(*present, wanted)) return;
    if (present != nullptr && keeps_part_of_the_old(wanted)) append_reset(present->name);
    read_as(wanted);
    append_set(wanted.name, wanted.value);
    ++differences_;
}

void Replay::put_rights_on() {
    for (const ByteView rights : {session_authorization, role}) {
        const Parameter* wanted = wants_.find(rights);
        if (wanted == nullptr) continue;
        read_as(*wanted);
        append_set(wanted->name, wanted->value);
        ++differences_;
    }
}

void Replay::restore_encoding() {
    const Parameter* wanted = wants_.find(client_encoding);
    if (wanted != nullptr && encoding_ != wanted->value)
        append_set(wanted->name, wanted->value);
    else if (wanted == nullptr && !encoding_.empty())
        append_reset(client_encoding);
}

// The server decodes a message by the encoding of the moment it reads it.
void Replay::read_as(const Parameter& parameter) {
    if (parameter.encoding.empty() || parameter.encoding == encoding_) return;
    append_set(client_encoding, parameter.encoding);
}

void Replay::append_set(ByteView name, ByteView value) {
    if (!reserved_.set_config) {
        if (reserved_.doubtful) {
            wire::write_target(to_server_, FrontendTag::close, 'S', set_statement);
            owe(exchange_, Asked::close);
        }
        wire::write_parse(to_server_, set_statement, set_config, wire::no_parameter_types);
        owe(exchange_, Asked::parse);
        reserved_.set_config = true;
    }
    const std::array<ByteView, 2> values{name, value};
    wire::write_bind(to_server_, "", set_statement, values);
    owe(exchange_, Asked::bind);
    wire::write_execute(to_server_, "", 0);
    owe(exchange_, Asked::execute);
    if (same_name(name, client_encoding)) encoding_ = value;
}

void Replay::append_reset(ByteView name) {
    // What is there by this name is our last one, or what somebody has prepared with SQL; nothing there is fine too.
    wire::write_target(to_server_, FrontendTag::close, 'S', reset_statement);
    owe(exchange_, Asked::close, Fate::take_back);
    wire::write_parse(to_server_, reset_statement, "reset " + quoted_name(name), wire::no_parameter_types);
    owe(exchange_, Asked::parse, Fate::take_back);
    wire::write_bind(to_server_, "", reset_statement, {});
    owe(exchange_, Asked::bind, Fate::take_back);
    wire::write_execute(to_server_, "", 0);
    owe(exchange_, Asked::execute, Fate::take_back);
    if (same_name(name, client_encoding)) encoding_ = {};
}

void Replay::append_sync() {
    wire::write_empty(to_server_, FrontendTag::sync);
    owe(exchange_, Asked::sync);
}

}  // namespace

std::size_t append_replay(Bytes& to_server, Exchange& exchange, ReservedStatements& reserved, const ParameterSet& has,
                          const ParameterSet& wants) {
    if (has.all() == wants.all()) return 0;
    return Replay(to_server, exchange, reserved, has, wants).append();
}

bool must_be_awaited(const ParameterSet& has, const ParameterSet& wants) {
    constexpr std::array<ByteView, 4> decisive{role, session_authorization, "search_path", "row_security"};
    const bool decides = std::any_of(decisive.begin(), decisive.end(), [&](ByteView name) {
        const Parameter* present = has.find(name);
        const Parameter* wanted = wants.find(name);
        return (present == nullptr) != (wanted == nullptr) || (present != nullptr && !same_value(*present, *wanted));
    });
    return decides || std::any_of(has.all().begin(), has.all().end(), [&](const Parameter& present) {
               return may_be_privileged(present.name) && wants.find(present.name) == nullptr;
           });
}

}  // namespace pgsluice::protocol
