// What a client's prepared statements and portals stand for, as far as its own messages say. The server may know
// better: a message can fail, be skipped, or give a name that is taken. Limits of policies must not be evaded by that,
// so a name has a meaning here only while nothing else is possible, and whoever asks decides about the others.
//
// Sources: src/backend/tcop/postgres.c (the unnamed ones are replaced, Query destroys them), src/backend/utils/mmgr/
// portalmem.c and src/backend/commands/prepare.c (names that are taken, and 63 bytes that count).
#pragma once

#include <pgsluice/session/callee.hpp>

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

namespace pgsluice::session {

class CalledNames {
  public:
    static constexpr std::size_t longest_name = 63;  // NAMEDATALEN - 1: PostgreSQL tells no longer ones apart
    // Of statements and of portals each; what comes behind them has no meaning here. Bytes are those of what the names
    // stand for, counted for each as if nobody else kept it.
    static constexpr std::size_t most_names = 4096;
    static constexpr std::size_t most_bytes = std::size_t{4} << 20;

    // `callee`: nullptr where nobody knows.
    void prepare(ByteView statement, const Callee* callee) { statements_.note(statement, callee); }
    void bind(ByteView portal, const Callee* callee) { portals_.note(portal, callee); }

    // nullptr: it is not certain. Good until the next change.
    const Callee* prepared(ByteView statement) const { return statements_.find(statement); }
    const Callee* bound(ByteView portal) const { return portals_.find(portal); }

    // Once the server has done so. `S` or `P`, for a statement or a portal, and its name.
    void close(ByteView kind_and_name);
    // What has been sent may take them away, or make others of these names: until they are closed nobody knows. Those
    // without a name SQL does not reach.
    void doubt_statements() { statements_.doubt_named(); }
    void doubt_statement(ByteView name) { statements_.doubt(name); }
    void doubt_portals() { portals_.doubt_named(); }
    // DEALLOCATE ALL, DISCARD ALL. What has been sent behind them has been noted here, and must not be forgotten: they
    // count when nothing is unanswered.
    void note_statements_gone() { statements_are_gone_ = true; }
    // Nothing is unanswered. `in_transaction`: else its portals have ended with it.
    void settle(bool in_transaction);

    // Of the batch that has failed: who knows which unnamed ones are left, and whose a name is that is taken.
    void note_failure(ByteView sqlstate);

  private:
    using Meaning = std::optional<Callee>;  // nullopt: not certain
    // Looks a name up without making a string of it.
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(ByteView name) const { return std::hash<ByteView>()(name); }
    };
    // Those of one kind; the empty name is the unnamed one's, which there always is room for.
    class Meanings {
      public:
        void note(ByteView name, const Callee* callee);
        const Callee* find(ByteView name) const;
        void forget(ByteView name);
        void forget_unnamed() { unnamed_.reset(); }
        void forget_all();
        void doubt(ByteView name);
        void doubt_named();

      private:
        void put(Meaning& place, Meaning meaning);

        Meaning unnamed_;
        std::unordered_map<std::string, Meaning, Hash, std::equal_to<>> named_;
        std::size_t bytes_ = 0;  // of those that are named
    };

    Meanings statements_, portals_;
    bool statements_are_gone_ = false;
};

}  // namespace pgsluice::session
