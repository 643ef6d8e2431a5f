// One client's prepared statements in transaction and statement mode. A client's name stands for a text; a server knows
// that text by a name of ours, or learns it just before it is needed (ADR 8). Where the answer depends on replies that
// have not come (has that Parse succeeded?) the client is to be held until they have.
//
// One per session, and most clients are idle: the table of names is made with the first of them.
#pragma once

#include <pgsluice/metrics/sets.hpp>
#include <pgsluice/pool/schema_changes.hpp>
#include <pgsluice/pool/server.hpp>
#include <pgsluice/protocol/client_statements.hpp>
#include <pgsluice/session/result_question.hpp>
#include <pgsluice/sql/facts.hpp>
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frontend_messages.hpp>
#include <pgsluice/wire/outbox.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace pgsluice::session {

class PreparedStatements {
  public:
    // The server that a message is for, and what the way there is like.
    struct Lease {
        pool::Server& server;
        wire::Outbox& to_server;
        metrics::RouteMetrics& metrics;
        std::uint64_t& parses;              // of the server's, counted
        std::size_t slots;                  // pool.max_prepared_statements
        bool kept_to_the_end;               // the server has statements that are not known here
        bool may_have_sql_names;            // SQL has perhaps prepared there by names of the client's
        protocol::Environment environment;  // of what is parsed now
        pool::SchemaChanges& schema_changes;
    };
    enum class Outcome : std::uint8_t {
        pass,                 // the message goes on as it is
        done,                 // what it comes to has been sent
        hold,                 // nothing has happened: come again when the server has answered
        hold_until_answered,  // come again when nothing is unanswered
    };
    // What becomes of a message; its reply is in the ledger then. Or the error that it is refused with.
    using Admission = std::variant<Outcome, wire::SqlError>;

    // `translates`: false lets every message pass unchanged, and names stay what they are on one server.
    PreparedStatements(protocol::StatementCache& texts, bool translates) : texts_(texts), translates_(translates) {}

    bool translates() const { return translates_; }

    Admission parse(const wire::Parse& parse, std::size_t message_bytes, const Lease& lease);
    // `rest_bytes`: how long what follows the two names is; as much as is there is in bind.rest, and sent with `done`.
    Admission bind(const wire::Bind& bind, std::size_t rest_bytes, const Lease& lease);
    // What a name stands for as far as is known; nullptr for nothing. Good until the next message.
    const protocol::Statement* meant_by(ByteView name) const;
    // Whether the server has what the name stands for, parsed as it was at first, and has said nothing else of it than
    // the client was told: else its text is read anew when it is bound or described, by the settings of now.
    bool is_on_server(ByteView name, pool::Server& server) const;
    // The statement that the last bind was for; nullptr where it is unknown. Good until the next message.
    const protocol::Statement* bound() const { return bound_; }
    // A Describe of the unnamed portal has something to tell that the client has not been told. Behind the end of the
    // Bind's batch another portal may be there again, where the Bind has failed.
    bool has_untold(const protocol::Exchange& exchange) const {
        return describing_ != nullptr && describing_->untold != nullptr &&
               describing_->untold_batch == exchange.batch();
    }
    // What is owed for a Describe of the portal.
    protocol::Owed describe_portal(ByteView portal, const protocol::Exchange& exchange);
    Admission describe(const wire::Target& statement, const Lease& lease);
    Admission close(const wire::Target& statement, const Lease& lease);
    bool has_names() const { return names_ != nullptr; }
    std::size_t size() const { return names_ == nullptr ? 0 : names_->size(); }
    // The name of the client's that a text deallocates. Where there is one, all that was asked before must be answered,
    // and deallocate() sends what a Query with that text comes to. What binds such a statement is found by bind().
    std::optional<std::string> deallocated_by(ByteView text) const;
    void deallocate(ByteView name, pool::Server& server, wire::Outbox& to_server);
    bool has_deallocating_portals() const { return names_ != nullptr && names_->has_deallocating_portals(); }
    // SQL and the protocol give names in one namespace. Statements of the protocol's that a text may speak of (EXECUTE,
    // PREPARE) go by the client's names on the server while it runs, and whatever is left of that is discarded when the
    // server is given back.
    using Mentioned = protocol::ClientStatements::Mentioned;
    std::vector<Mentioned> spoken_of_by(ByteView text, sql::Reading how) const;
    // False: an earlier batch that is unanswered decides about one of them; hold.
    static bool can_lend(const std::vector<Mentioned>& statements, pool::Server& server);
    // No transaction may have failed.
    static void lend_names(const std::vector<Mentioned>& statements, pool::Server& server, wire::Outbox& to_server);
    // In a transaction that has failed, with nothing unanswered, to a text that begins with `way_out` of it.
    static void lend_names_behind(ByteView way_out, const std::vector<Mentioned>& statements, pool::Server& server,
                                  wire::Outbox& to_server);
    // Behind a Query.
    static void take_names_back(const std::vector<Mentioned>& statements, pool::Server& server,
                                wire::Outbox& to_server);
    // What is owed for an Execute of the portal.
    protocol::Owed execute(ByteView portal) const;
    void on_deallocated(const protocol::Owed& owed) {
        if (names_ != nullptr) names_->remove(owed.text->name);
    }
    // No server is lent, so nothing is unanswered.
    void close_unsent(ByteView name);
    bool has_unnamed() const { return unnamed_ != nullptr || unnamed_unanswered_ > 0; }
    // A simple query destroys the unnamed statement.
    void forget_unnamed();
    // A Parse without a name that fails on the server whatever it stands for.
    void owe_refused(protocol::Owed parse, pool::Server& server);
    // DEALLOCATE ALL has been done on the server that is lent.
    void forget_all(pool::Server& server);

    // What the client calls a statement that the server knows by this name of ours; nullptr where it has none. Where it
    // has prepared one text under several names, any of them.
    const std::string* name_of(ByteView server_name, const pool::Server& server) const;

    // What became of the messages in the ledger: see Exchange::Witness.
    void on_parsed(const protocol::Owed& owed);
    void on_closed(const protocol::Owed& owed);
    void on_dropped(const protocol::Owed& owed, bool was_read);
    // What the server says of what it was asked to describe: a ParameterDescription, RowDescription or NoData. nullopt:
    // too long to be looked into.
    void learn(const protocol::Owed& described, wire::BackendTag tag, std::optional<ByteView> body,
               pool::Server& server);
    // Another server is lent from now on: what the last one was asked it does not answer.
    void part_from_server() { end_question(); }

  private:
    bool find(ByteView name, pool::Server& server, const protocol::ClientStatements::Entry*& known) const;
    static bool is_unsettled(std::uint32_t batch, pool::Server& server);
    static void send_parse(protocol::StatementRef statement, std::unique_ptr<protocol::OwedText> name,
                           protocol::Fate fate, const Lease& lease);
    void prepare_gone(pool::Server& server, Bytes& out);
    static void lend(const Mentioned& mentioned, protocol::Fate fate, pool::Server& server, wire::Outbox& to_server);
    static void end_loan(ByteView name, pool::Server& server, wire::Outbox& to_server);
    static void ask_whether_sql_has_it(const wire::Parse& parse, const Lease& lease);
    Admission bind_deallocation(const wire::Bind& bind, std::size_t rest_bytes, ByteView name, const Lease& lease);
    using Found = std::variant<protocol::StatementRef, Admission>;
    Found put_on_server(ByteView name, const Lease& lease);
    Found put_on_server(const protocol::StatementRef& statement, const protocol::DescriptionRef& told,
                        const Lease& lease);
    Found reading_of(const protocol::StatementRef& then, const protocol::DescriptionRef& told, bool stands,
                     const Lease& lease);
    Outcome ask(const protocol::StatementRef& then, const protocol::StatementRef& now, const Lease& lease);
    const protocol::DescriptionRef& told_of(ByteView name) const;
    static bool is_as_told(const protocol::ServerStatements::Entry& there, const protocol::DescriptionRef& told);
    void owe_unnamed(protocol::Owed owed, pool::Server& server);
    void owe_unnamed(protocol::Asked asked, protocol::Fate fate, protocol::StatementRef statement,
                     pool::Server& server);
    void settle_unnamed(const protocol::Owed& owed, protocol::StatementRef now);
    std::optional<Admission> put_unnamed_on_server(const Lease& lease);
    void close_named(protocol::StatementRef statement, ByteView name, const Lease& lease);

    protocol::StatementCache& texts_;
    std::unique_ptr<protocol::ClientStatements> names_;
    protocol::StatementRef unnamed_;          // if all that is unanswered succeeds
    protocol::StatementRef unnamed_settled_;  // as of the last answer
    const protocol::Statement* bound_ = nullptr;
    // What describing takes. Idle clients that have bound and described nothing have none.
    struct Describing {
        // Bound to the unnamed portal last, and not described to the client: the statement on the server, the client's
        // own, and its name of it.
        protocol::StatementRef untold, untold_known;
        std::string untold_name;
        std::uint32_t untold_batch = 0;  // of that Bind
        // What the client was told of the unnamed statement, for as long as it is that one.
        protocol::StatementRef unnamed;
        protocol::DescriptionRef unnamed_told;
        std::string types;  // of parameters, in the description that is coming
        ResultQuestion question;
    };
    Describing& describing() {
        if (describing_ == nullptr) describing_ = std::make_unique<Describing>();
        return *describing_;
    }
    void end_question() {
        if (describing_ != nullptr) describing_->question.forget();
    }
    bool is_asking(const protocol::Exchange& exchange) const {
        return describing_ != nullptr && describing_->question.waits(exchange);
    }
    std::unique_ptr<Describing> describing_;
    std::uint32_t unnamed_unanswered_ = 0;  // Parse and Close messages for it, ours included
    std::uint32_t unnamed_outdated_ = 0;    // those of them that a simple query has come behind
    std::uint32_t unnamed_batch_ = 0;       // of the last of them
    const bool translates_;
};

}  // namespace pgsluice::session
