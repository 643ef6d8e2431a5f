// What each call of a client takes, for whoever collects it: Host::on_call.
#include <pgsluice/session/session.hpp>
#include <pgsluice/sql/comment_tags.hpp>

namespace pgsluice::session {

void Session::measure(bool on) {
    if (on && calls_ == nullptr) calls_ = std::make_unique<Calls>();
    // What is in the ledger has the numbers of these.
    if (!on && calls_ != nullptr && calls_->empty()) calls_.reset();
}

Callee Session::callee_of(ByteView text) {
    Callee callee;
    if (facts_in_front_ != nullptr)
        callee.facts = std::move(facts_in_front_);
    else if (const sql::FactsRef* facts = facts_of(text))
        callee.facts = *facts;
    callee.trace_id = sql::trace_id(sql::comment_tags(text));
    return callee;
}

std::uint32_t Session::begin_call(Callee callee) {
    return calls_->begin(std::move(callee), active_at_, totals_.wait_time);
}

// Where names are the client's own business, they are followed by what it says; else it is known what they stand for.
void Session::note_bound(const wire::Bind& bind) {
    if (!statements_.translates()) {
        calls_->bind(bind.portal, calls_->prepared(bind.statement));
        return;
    }
    const protocol::Statement* bound = statements_.bound();
    calls_->bind(bind.portal, bound == nullptr ? Callee() : callee_of(bound->text));
}

void Session::on_answered(std::uint32_t call) {
    context_.host.on_call(*this, calls_->finish(call, context_.host.now()));
    calls_->drop_finished();
}

void Session::report_the_rest() {
    if (!measures()) return;
    while (!calls_->empty()) {
        calls_->fail();
        on_answered(calls_->first());
    }
}

}  // namespace pgsluice::session
