#include "readiness.hpp"

#include "hangups.hpp"

#include <pgsluice/net/link.hpp>

namespace pgsluice::net {

namespace detail = boost::asio::detail;

Readiness::Operation::Operation(Readiness& owner, void (Link::*handler)())
    : reactor_op(boost::system::error_code(), &Operation::perform, &Operation::complete),
      readiness(&owner),
      event(handler) {}

// Asio asks twice: when a wait starts (there is nothing to try, it has just been drained) and when an event has come.
// "Exhausted" keeps it from asking at the next start.
detail::reactor_op::status Readiness::Operation::perform(reactor_op* base) {
    return static_cast<Operation*>(base)->queued ? done_and_exhausted : not_done;
}

void Readiness::Operation::complete(void* owner, detail::operation* base, const boost::system::error_code&,
                                    std::size_t) {
    auto* self = static_cast<Operation*>(base);
    self->queued = false;
    Readiness& readiness = *self->readiness;
    if (readiness.link_ == nullptr) return readiness.delete_if_unused();
    if (owner == nullptr || self->ec_) return;  // the io_context is being destroyed
    (readiness.link_->*self->event)();          // may abandon, and so delete, this object
}

Readiness::Readiness(Reactor& reactor, Link& link)
    : reactor_(boost::asio::use_service<detail::reactor>(reactor.io())),
      hangups_(reactor.hangups()),
      link_(&link),
      read_(*this, &Link::on_readable),
      write_(*this, &Link::on_writable),
      turn_(*this, &Link::on_turn) {
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
