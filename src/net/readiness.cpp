#include "readiness.hpp"

#include "hangups.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/net/link.hpp>

#include <utility>

namespace pgsluice::net {

namespace detail = boost::asio::detail;

Readiness::Operation::Operation(Readiness& owner, void (Link::*handler)(), perform_func_type asked)
    : reactor_op(boost::system::error_code(), asked, &Operation::complete), readiness(&owner), event(handler) {}

// Asio asks when an event has come, and at the start, when nobody is waiting yet. "Not done" leaves the operation where
// it is, so that the next wait has nothing to tell Asio. Nothing of ours is looked at after the call: it may have
// abandoned this object, which Asio's queue keeps alive.
detail::reactor_op::status Readiness::perform_read(detail::reactor_op* base) {
    Readiness& readiness = *static_cast<Operation*>(base)->readiness;
    if (std::exchange(readiness.waits_to_read_, false)) readiness.link_->on_readable();
    return detail::reactor_op::not_done;
}

// Likewise, but this one is taken out for its event: in a round of events writing comes first, and what is called for
// it may end the descriptor, whose state the rest of the round goes on with.
detail::reactor_op::status Readiness::perform_write(detail::reactor_op* base) {
    return static_cast<Operation*>(base)->queued ? detail::reactor_op::done_and_exhausted
                                                 : detail::reactor_op::not_done;
}

void Readiness::Operation::complete(void* owner, detail::operation* base, const boost::system::error_code&,
                                    std::size_t) {
    auto* self = static_cast<Operation*>(base);
    self->queued = false;
    Readiness& readiness = *self->readiness;
    if (readiness.link_ == nullptr) return readiness.delete_if_unused();
    if (owner == nullptr) return;  // the io_context is being destroyed
    // Set where the kernel refuses to tell of the event. Then the link tries, and waits anew if it has to.
    self->ec_ = {};
    if (self == &readiness.read_) readiness.waits_to_read_ = false;
    (readiness.link_->*self->event)();  // may abandon, and so delete, this object
}

Readiness::Readiness(Reactor& reactor, Link& link)
    : reactor_(boost::asio::use_service<detail::reactor>(reactor.io())),
      hangups_(reactor.hangups()),
      link_(&link),
      read_(*this, &Link::on_readable, &Readiness::perform_read),
      write_(*this, &Link::on_writable, &Readiness::perform_write),
      turn_(*this, &Link::on_turn, nullptr) {
    // Links are called with the descriptor's lock held, and end, wait and dial from there.
    const auto& scheduler = boost::asio::use_service<detail::io_context_impl>(reactor.io());
    PGSLUICE_CHECK(!BOOST_ASIO_CONCURRENCY_HINT_IS_LOCKING(REACTOR_IO, scheduler.concurrency_hint()));
    reactor_.init_task();
}

bool Readiness::watch(int fd) {
    fd_ = fd;
    return reactor_.register_descriptor(fd, descriptor_data_) == 0 && hangups_.watch(fd, *this);
}

void Readiness::wait(int kind, Operation& operation) {
    if (operation.queued) return;
    reactor_.start_op(kind, fd_, descriptor_data_, &operation, false, true);
    operation.queued = true;
}

void Readiness::wait_read() {
    wait(detail::reactor::read_op, read_);
    waits_to_read_ = true;
}
void Readiness::wait_write() {
    wait(detail::reactor::write_op, write_);
}

void Readiness::post_turn() {
    if (turn_.queued) return;
    turn_.queued = true;
    reactor_.post_immediate_completion(&turn_, false);
}

void Readiness::on_hangup(bool is_error) {
    link_->on_hangup(is_error);
}

void Readiness::abandon(bool stays_open) {
    link_ = nullptr;
    if (stays_open) hangups_.forget(fd_);
    reactor_.deregister_descriptor(fd_, descriptor_data_, !stays_open);
    reactor_.cleanup_descriptor_data(descriptor_data_);
    delete_if_unused();
}

void Readiness::delete_if_unused() {
    if (!read_.queued && !write_.queued && !turn_.queued) delete this;
}

}  // namespace pgsluice::net
