// Asks a server, between two transactions, what its session has become: the settings that were made in it, and what of
// it no other server can be given. The server is the one that knows: what a statement did inside functions, what a
// ROLLBACK or a savepoint took back and how a value is spelled all show in the answer. One statement in a batch of its
// own, whose replies carry Fate::inspect, in a transaction that begins as we want it and not as the client's do.
#pragma once

#include <pgsluice/protocol/exchange.hpp>
#include <pgsluice/protocol/parameter_set.hpp>
#include <pgsluice/protocol/settings_replay.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace pgsluice::protocol {

// What keeps a client on its server while it lasts.
enum class Pin : std::uint8_t {
    temporary_table,  // or any other object of the session's temporary schema
    advisory_lock,
    listen,
    cursor,    // WITH HOLD
    prepared,  // by SQL
    library,   // LOAD, or what a function has left that nothing clears: a connection of dblink
    unknown,   // the server could not be asked
};
constexpr std::size_t pin_count = 7;

// A set of them.
class Pins {
  public:
    void add(Pin pin) { bits_ = static_cast<std::uint8_t>(bits_ | 1U << static_cast<unsigned>(pin)); }
    bool has(Pin pin) const { return (bits_ >> static_cast<unsigned>(pin) & 1U) != 0; }
    bool any() const { return bits_ != 0; }
    friend bool operator==(const Pins&, const Pins&) = default;

  private:
    std::uint8_t bits_ = 0;
};

struct Question {
    std::vector<std::string> custom_settings;  // whose values are asked for: PostgreSQL lists them nowhere
    bool locks = false;                        // look for advisory locks, which looks at those of all sessions
    bool lifts_timeouts = false;               // the client's own do not count meanwhile
};

// The statement itself, with two parameters: the names as a text[], and whether to look for locks.
ByteView inspection_text();
// What is sent in front of it.
ByteView isolation_text();
// A text[], as PostgreSQL reads it.
std::string array_of(const std::vector<std::string>& names);
void append_inspection(Bytes& to_server, Exchange& exchange, ReservedStatements& reserved, const Question& question);

// The answer, read row by row.
class Answer {
  public:
    // Of names and values. Each client may have another set: a longer answer counts as failed.
    static constexpr std::size_t most_bytes = std::size_t{256} << 10;
    // PostgreSQL 15 has some 350, and the client may make others up.
    static constexpr std::size_t most_settings = 2000;

    // False: not a row of ours.
    bool add_row(ByteView body);
    bool add(ByteView kind, ByteView name, ByteView value);
    void fail();
    // Where it has to be told from the role that a session begins with.
    void tell_no_role();

    bool failed() const { return failed_; }
    Pins pins() const { return pins_; }
    // That of the database or of the login has one, by ALTER ROLE or ALTER DATABASE ... SET role.
    bool may_begin_with_role() const { return may_begin_with_role_; }
    // Settings made in this session, by SET or set_config, and custom ones that have a value. With role, where it is
    // not none, and session_authorization.
    const std::vector<Parameter>& settings() const { return settings_.all(); }
    const Parameter* find(ByteView name) const { return settings_.find(name); }

  private:
    ParameterList settings_;
    std::size_t bytes_ = 0;
    Pins pins_;
    bool may_begin_with_role_ = false;
    bool failed_ = false;
};

}  // namespace pgsluice::protocol
