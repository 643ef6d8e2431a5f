#include <pgsluice/protocol/asking.hpp>
#include <pgsluice/protocol/settings_replay.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::protocol {
namespace {

constexpr ByteView set_statement = "pgsluice_set";
constexpr ByteView reset_statement = "pgsluice_reset";
constexpr ByteView role = "role";
constexpr ByteView session_authorization = "session_authorization";

// Without a row: a result is as long as its value, and of no use.
constexpr ByteView set_config = "select where pg_catalog.set_config($1, $2, false) is null";

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

class Replay {
  public:
    Replay(Bytes& to_server, Exchange& exchange, ReservedStatements& reserved, const SettingsDifference& difference)
        : restoring_(to_server, exchange, Fate::restore),
          taking_back_(to_server, exchange, Fate::take_back),
          reserved_(reserved),
          difference_(difference),
          encoding_(difference.has().encoding()) {}

    std::size_t append();

  private:
    void take_rights_off();
    void reset_unwanted();
    void set_wanted();
    void set(const SettingDifference& each);
    void put_rights_on();
    void restore_encoding();
    void read_as(const Parameter& parameter);
    void append_set(ByteView name, ByteView value);
    void append_reset(ByteView name);

    Asking restoring_;
    Asking taking_back_;
    ReservedStatements& reserved_;
    const SettingsDifference& difference_;
    ByteView encoding_;  // the server's client_encoding behind what has been appended
    std::size_t differences_ = 0;
};

std::size_t Replay::append() {
    take_rights_off();
    reset_unwanted();
    set_wanted();
    put_rights_on();
    restore_encoding();
    restoring_.sync();
    return differences_;
}

void Replay::take_rights_off() {
    for (const ByteView rights : {role, session_authorization}) {
        for (const SettingDifference& each : difference_.all()) {
            if (each.present == nullptr || !same_name(each.name(), rights)) continue;
            append_reset(each.present->name);
            ++differences_;
        }
    }
}

void Replay::reset_unwanted() {
    const auto reset_those = [&](bool in_other_encoding) {
        bool is_hindered = false;
        for (const SettingDifference& each : difference_.all()) {
            if (!each.must_be_reset() || is_rights(each.name())) continue;
            const Parameter& present = *each.present;
            const bool is_in_other = !is_ascii(present.name) && present.encoding != difference_.has().encoding();
            if (is_in_other != in_other_encoding) continue;
            read_as(present);
            append_reset(present.name);
            ++differences_;
            is_hindered |= begins_transactions(present.name);
        }
        return is_hindered;
    };
    // What is behind it runs in a transaction that begins without them: to set an encoding for a name, too.
    if (reset_those(false)) restoring_.sync();
    reset_those(true);
}

void Replay::set_wanted() {
    // What is not ASCII is mostly in this encoding.
    for (const SettingDifference& each : difference_.all()) {
        if (same_name(each.name(), client_encoding)) set(each);
    }
    for (const SettingDifference& each : difference_.all()) {
        if (!is_rights(each.name()) && !same_name(each.name(), client_encoding)) set(each);
    }
}

void Replay::set(const SettingDifference& each) {
    if (each.wanted == nullptr) return;
    if (each.present != nullptr && keeps_part_of_the_old(*each.wanted)) append_reset(each.present->name);
    read_as(*each.wanted);
    append_set(each.wanted->name, each.wanted->value);
    ++differences_;
}

void Replay::put_rights_on() {
    for (const ByteView rights : {session_authorization, role}) {
        for (const SettingDifference& each : difference_.all()) {
            if (same_name(each.name(), rights)) set(each);
        }
    }
}

void Replay::restore_encoding() {
    const ByteView wanted = difference_.wants().encoding();
    if (!wanted.empty() && encoding_ != wanted)
        append_set(client_encoding, wanted);
    else if (wanted.empty() && !encoding_.empty())
        append_reset(client_encoding);
}

// The server decodes a message by the encoding of the moment it reads it.
void Replay::read_as(const Parameter& parameter) {
    if (parameter.encoding.empty() || parameter.encoding == encoding_) return;
    append_set(client_encoding, parameter.encoding);
}

void Replay::append_set(ByteView name, ByteView value) {
    if (!reserved_.set_config) {
        if (reserved_.doubtful) restoring_.close_statement(set_statement);
        restoring_.parse(set_statement, set_config);
        reserved_.set_config = true;
    }
    const std::array<ByteView, 2> values{name, value};
    restoring_.run(set_statement, values);
    if (same_name(name, client_encoding)) encoding_ = value;
}

void Replay::append_reset(ByteView name) {
    // What is there by this name is our last one, or what somebody has prepared with SQL; nothing there is fine too.
    taking_back_.parse_anew(reset_statement, "reset " + quoted_name(name));
    taking_back_.run(reset_statement);
    if (same_name(name, client_encoding)) encoding_ = {};
}

}  // namespace

std::size_t append_replay(Bytes& to_server, Exchange& exchange, ReservedStatements& reserved,
                          const SettingsDifference& difference) {
    if (difference.empty()) return 0;
    return Replay(to_server, exchange, reserved, difference).append();
}

}  // namespace pgsluice::protocol
