#include "readiness.hpp"

#include <pgsluice/net/link.hpp>

#include <memory>
#include <utility>

namespace pgsluice::net {

namespace {

constexpr std::uint32_t broken = EPOLLERR | EPOLLHUP;

}  // namespace

Readiness::Operation::Operation(Readiness& owner, void (Link::*handler)())
    : scheduler_operation(&Operation::complete), readiness(&owner), event(handler) {}

void Readiness::Operation::complete(void* owner, boost::asio::detail::operation* base, const boost::system::error_code&,
                                    std::size_t) {
    auto* self = static_cast<Operation*>(base);
    self->queued = false;
    Readiness& readiness = *self->readiness;
    if (readiness.link_ == nullptr) return readiness.release_if_unused();
    if (owner == nullptr) return;       // the io_context is being destroyed
    (readiness.link_->*self->event)();  // may abandon, and so delete, this object
}

Readiness::Readiness(Reactor& reactor, Link& link)
    : poller_(reactor.poller()),
      link_(&link),
      turn_(*this, &Link::on_turn),
      unwatched_write_(*this, &Link::on_writable) {}

bool Readiness::watch(int fd) {
    fd_ = fd;
    return poller_.watch(fd, *this);
}

// Once watched for, room is told of edge by edge as well: after a write that the kernel did not take whole.
void Readiness::wait_write() {
    waits_to_write_ = true;
    if (watches_writing_) return;
    watches_writing_ = poller_.watch_writing(fd_, *this);
    if (!watches_writing_) post(unwatched_write_);
}

void Readiness::post(Operation& operation) {
    if (std::exchange(operation.queued, true)) return;
    poller_.post_immediate_completion(&operation, false);
}

// Each of the calls may abandon this object, and so may what came earlier in the round. The end comes behind the bytes
// that came with it: who has paused on them is told of it as one who was paused before.
void Readiness::on_events(std::uint32_t events) noexcept {
    if (link_ == nullptr) return;
    if ((events & (EPOLLOUT | broken)) != 0 && std::exchange(waits_to_write_, false)) {
        link_->on_writable();
        if (link_ == nullptr) return;
    }
    if ((events & (EPOLLIN | EPOLLRDHUP | broken)) != 0 && std::exchange(waits_to_read_, false)) {
        link_->on_readable();
        if (link_ == nullptr) return;
    }
    // Epoll names an end with every event behind it.
    const std::uint32_t new_ends = events & (EPOLLRDHUP | broken) & ~ends_told_;
    if (new_ends == 0) return;
    ends_told_ |= new_ends;
    link_->on_hangup((events & EPOLLERR) != 0);
}

void Readiness::abandon() {
    link_ = nullptr;
    poller_.forget(fd_);
    release_if_unused();
}

void Readiness::release_if_unused() {
    if (!turn_.queued && !unwatched_write_.queued) poller_.release(std::unique_ptr<Readiness>(this));
}

}  // namespace pgsluice::net
