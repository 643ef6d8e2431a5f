// What each call of a client takes, for whoever collects it: Host::on_call, and for the limits of policies.
#include "statement_kind.hpp"

#include <pgsluice/session/session.hpp>
#include <pgsluice/sql/comment_tags.hpp>
#include <pgsluice/sql/deallocated_name.hpp>
#include <pgsluice/sql/passwords.hpp>

namespace pgsluice::session {

namespace {

// What has changed something, or committed, cannot be told to have failed.
bool only_reads(const sql::Facts& facts) {
    static const sql::Kinds control = *sql::kinds_named("transaction");
    return !facts.may_write && (facts.kinds & control).none();
}

}  // namespace

void Session::measure(bool on) {
    if (on && !measures())
        measured_ = std::make_unique<Measured>(statements_.translates() || phase_ == Phase::starting);
    if (on || !measures()) return;
    // What is in the ledger has the numbers of these, and what is held under a limit, or for a cancel request, will. An
    // Execute that waits for its turn has its limit from its portal, of which only they know.
    const bool is_wanted = !measured_->calls.empty() || front_.limit() != nullptr || front_.is_queued() ||
                           measured_->limits.is_cancelling();
    if (!is_wanted) measured_.reset();
}

Callee Session::callee_of(ByteView text, std::shared_ptr<const policy::Limit> limit) {
    Callee callee;
    callee.limit = std::move(limit);
    if (rules_.may_limit()) callee.takes = sql::may_take_names(text);
    const bool may_count = callee.limit != nullptr && callee.limit->counts_result();
    // Who is cut off or refused by a limit is told of with the statement.
    if (!rulebook_->measures_calls && callee.limit == nullptr) return callee;
    callee.facts = front_.take_facts();
    if (callee.facts == nullptr) {
        if (const sql::FactsRef* facts = facts_of(text)) callee.facts = *facts;
    }
    callee.is_counted = may_count && callee.facts != nullptr && only_reads(*callee.facts);
    const bool may_show = callee.facts != nullptr && pool_->target().query_log.literals;
    const bool shows_constants = may_show && !sql::may_hold_password(text, *callee.facts);
    std::string trace_id;
    if (rulebook_->measures_calls) trace_id = sql::trace_id(sql::comment_tags(text));
    if (!shows_constants && trace_id.empty()) return callee;
    Remarks remarks{std::move(trace_id), std::string(shows_constants ? text : ByteView())};
    callee.remarks = std::make_shared<const Remarks>(std::move(remarks));
    return callee;
}

// Whether it does so is known when it has been answered, and what is sent until then may use the names.
std::uint32_t Session::begin_call(Callee callee) {
    if (callee.takes.statements) measured_->calls.names().doubt_statements();
    if (callee.takes.portals) measured_->calls.names().doubt_portals();
    const std::uint32_t number = measured_->calls.begin(std::move(callee), active_at_, totals_.wait_time);
    measured_->calls[number].slot = front_.take_slot();
    return number;
}

// DEALLOCATE by itself, which drivers send whose cache of statements is full, takes one name only.
std::uint32_t Session::begin_query(ByteView text) {
    Callee callee = callee_of(text, front_.limit());
    const bool may_be_one = callee.takes.statements && !callee.takes.portals;
    if (const auto name = may_be_one ? sql::deallocated_name(text) : std::nullopt) {
        measured_->calls.names().doubt_statement(*name);
        callee.takes = {};
    }
    return begin_call(std::move(callee));
}

// Where names are the client's own business, they are followed by what it says; else it is known what they stand for.
void Session::note_bound(const wire::Bind& bind) {
    CalledNames& names = measured_->calls.names();
    if (!statements_.translates()) {
        names.bind(bind.portal, names.prepared(bind.statement));
    } else if (const protocol::Statement* bound = statements_.bound()) {
        const Callee callee = callee_of(bound->text, front_.limit());
        names.bind(bind.portal, &callee);
    } else {
        names.bind(bind.portal, nullptr);
    }
}

void Session::on_answered(std::uint32_t call) {
    const Call& answered = measured_->calls.finish(call, context_.host.now());
    if (rulebook_->measures_calls) {
        metrics_.statements[statement_kind(answered.callee.facts.get())].add();
        context_.host.on_call(*this, answered);
    }
    measured_->calls.drop_finished();
}

void Session::report_the_rest() {
    if (!measures()) return;
    while (!measured_->calls.empty()) {
        measured_->calls.fail();
        on_answered(measured_->calls.first());
    }
}

}  // namespace pgsluice::session
