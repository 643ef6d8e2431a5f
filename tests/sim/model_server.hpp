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
//     set [local] NAME = 'VALUE', reset NAME, show NAME, discard all, deallocate all, begin, commit, rollback
#pragma once

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
    const std::map<std::string, unsigned>& runs() const { return runs_; }

  private:
    enum class Block { none, open, failed };
    struct State {
        std::map<std::string, std::string> settings, temporary;
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
    void set(const std::string& name, const std::string& value, bool local);
    std::string value_of(const std::string& name) const;
    void answer_inspection();
    std::size_t prepared_by_sql() const;

    void begin_implicitly();
    void end_transaction(bool commits);
    void fail(std::string_view sqlstate, const std::string& text);
    void complete(const std::string& tag);
    void ready();
    void report();

    Events& events_;
    Kind kind_;
    Bytes unread_, out_;
    State state_;
    std::map<std::string, std::string> local_;
    std::optional<State> saved_;  // as the transaction found it
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
