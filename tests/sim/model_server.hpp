// One session of a PostgreSQL that speaks a toy language: the protocol's rules for statements, portals, pipelines,
// transactions, settings and COPY, and a handful of statements whose answers carry the tag that stands in them. The
// simulation puts it behind pgsluice, and in front of every client as the reference that says what is right.
//
//     select 'TAG'                              one row, the tag
//     select 'TAG' from generate_series(1, N)   N of them
//     select 'TAG' from pg_sleep(1)             asleep until it is woken or cancelled
//     select 'TAG', 1/0                         ERROR 22012
//     create temp table t as select 'TAG', table t, drop table t; prepare p as ..., execute p, deallocate p
//     declare c cursor for select 'TAG', fetch c; copy sink from stdin
//     set [local] NAME = 'VALUE', select set_config('NAME', 'VALUE', LOCAL), reset NAME, show NAME
//     set session authorization 'VALUE', reset session authorization
//     listen news, unlisten news, unlisten *, select c from pg_listening_channels() c
//     select pg_advisory_lock(7), pg_advisory_unlock(7), pg_advisory_unlock_all(), count(*) from pg_locks where ...
//     declare h cursor with hold for select 'TAG', fetch h, close h
//     discard all, deallocate all, begin, commit, rollback, savepoint one, rollback to one, release one
//
// Locks and channels are the session's own: no other has them, and nobody is notified.
#pragma once

#include "toy_language.hpp"

#include <pgsluice/base/bytes.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pgsluice::sim {

// What has happened in a simulation, for all its servers and the references.
struct Events {
    std::set<std::string> canceled;         // "TAG N": the Nth run of a sleeping statement was cancelled
    std::map<std::string, unsigned> slept;  // how often a tag has gone to sleep on a server
    std::map<std::string, unsigned> runs;   // how often servers began to answer a tag
};

class ModelServer {
  public:
    enum class Kind { server, reference };

    // `events` outlives it. A reference never sleeps, and cancels what was cancelled elsewhere.
    ModelServer(Events& events, Kind kind) : events_(events), kind_(kind) {}

    void receive(ByteView bytes) {
        unread_ += bytes;
        run();
    }
    Bytes take() { return std::exchange(out_, {}); }
    bool has_output() const { return !out_.empty(); }

    bool is_asleep() const { return asleep_.has_value(); }
    void wake();
    // A CancelRequest: its tag, or nothing where nothing runs.
    std::optional<std::string> cancel();

    char status() const { return block_ == Block::none ? 'I' : block_ == Block::open ? 'T' : 'E'; }
    std::size_t readies() const { return readies_; }
    // What of a session it has that no other server can be given; empty: nothing.
    std::string leftovers() const;
    // A message that a proxy has refused by `error`, in the place of what would have been answered to it.
    void refuse(ByteView message, ByteView error);
    const std::map<std::string, unsigned>& runs() const { return runs_; }

  private:
    enum class Block { none, open, failed };
    struct State {
        std::map<std::string, std::string> settings, temporary, held;
        bool listens = false;
    };
    struct Savepoint {
        State state;
        std::map<std::string, std::string> local, cursors;
    };
    struct Statement {
        std::string text;
        bool from_sql = false;
    };
    struct Portal {
        std::string text;
        std::vector<std::string> values;
        std::size_t rows_sent = 0;
        bool done = false;
    };
    struct Copy {
        std::size_t rows = 0;
    };

    void run();
    void handle(char tag, ByteView body);
    void handle_query(const std::string& text);
    void forget_unnamed();
    void handle_parse(ByteView body);
    void handle_bind(ByteView body);
    void handle_describe(ByteView body);
    void handle_execute(ByteView body);
    void handle_close(ByteView body);
    void handle_copy(char tag);

    // True: the statement is over, one way or the other; false: it sleeps, or COPY goes on.
    bool execute(Portal& portal, std::size_t max_rows, bool simple);
    void complete_execute();
    bool rows_of(Portal& portal, std::size_t max_rows);
    // As execute; nothing: it is not of these.
    std::optional<bool> execute_savepoint(const Toy& toy, Portal& portal, bool simple);
    std::optional<bool> execute_lasting(const Toy& toy, Portal& portal, bool simple);
    bool say(Portal& portal, const std::string& tag);
    bool say_row(Portal& portal, std::string_view value, const std::string& tag = "SELECT 1");
    bool go_wrong(std::string_view sqlstate, const std::string& text, bool simple);
    void reset(const std::string& name);
    void set(const std::string& name, const std::string& value, bool local);
    bool knows(const std::string& name) const;
    static std::string default_of(const std::string& name);
    std::string value_of(const std::string& name) const;
    void answer_inspection(const Portal& portal);
    std::size_t prepared_by_sql() const;

    void begin_implicitly();
    void end_transaction(bool commits);
    void fail(std::string_view sqlstate, const std::string& text);
    void fail_by(ByteView error);
    void complete(const std::string& tag);
    void ready();
    void report();

    Events& events_;
    Kind kind_;
    Bytes unread_, out_;
    State state_;
    std::map<std::string, std::string> local_;
    std::optional<State> saved_;  // as the transaction found it
    std::vector<Savepoint> savepoints_;
    std::set<std::string> custom_;  // names of custom settings, for the life of the connection
    unsigned locks_ = 0;            // how often the lock is held, whatever becomes of the transaction
    Block block_ = Block::none;
    bool skips_ = false;  // to the next Sync
    std::map<std::string, Statement> statements_;
    std::map<std::string, Portal> portals_;
    std::map<std::string, std::string> cursors_;
    std::map<std::string, std::string> reported_;
    std::optional<Copy> copy_;
    struct Sleep {
        std::string tag, run;
        std::string portal;
        std::size_t max_rows = 0;
        bool simple = false;
    };
    std::optional<Sleep> asleep_;
    bool is_woken_ = false;
    std::string woken_run_;
    std::size_t readies_ = 0;
    std::map<std::string, unsigned> runs_, slept_;
};

}  // namespace pgsluice::sim
