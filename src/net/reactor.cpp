#include "bulk_reads.hpp"
#include "poller.hpp"

#include <pgsluice/net/reactor.hpp>

#include <boost/asio/post.hpp>

#include <utility>

namespace pgsluice::net {

Deadlined::Deadlined(Reactor& reactor) {
    reactor.without_deadline_.push_back(*this);
}

Reactor::Reactor(boost::asio::io_context& io)
    : io_(io),
      poller_(Poller::install(io)),
      work_(io.get_executor()),
      timer_(io),
      token_(std::make_shared<Reactor*>(this)),
      scratch_(std::make_unique_for_overwrite<char[]>(scratch_bytes)),
      bulk_reads_(std::make_unique<BulkReads>(io)) {}

Reactor::~Reactor() {
    for (List* list : {&with_deadline_, &without_deadline_}) {
        while (!list->empty()) {
            Deadlined& object = list->front();
            list->pop_front();
            object.on_reactor_gone();
        }
    }
    empty_graveyard();
    *token_ = nullptr;
}

void Reactor::bury(Corpse corpse) {
    graveyard_.push_back(corpse);
    if (std::exchange(burying_, true)) return;
    boost::asio::post(io_, [token = token_] {
        if (*token != nullptr) (*token)->empty_graveyard();
    });
}

void Reactor::empty_graveyard() {
    burying_ = false;
    // Destroying one object may bury the next.
    while (!graveyard_.empty()) {
        const Corpse corpse = graveyard_.back();
        graveyard_.pop_back();
        corpse.destroy(corpse.object);
    }
}

void Reactor::set_deadline(Deadlined& object, TimePoint until) {
    object.until_ = until;
    object.unlink();
    if (until == never) {
        without_deadline_.push_back(object);
        return;
    }
    with_deadline_.push_back(object);
    if (!ticking_) start_tick();
}

void Reactor::start_tick() {
    ticking_ = true;
    timer_.expires_after(tick);
    timer_.async_wait([token = token_](error_code ec) {
        if (!ec && *token != nullptr) (*token)->on_tick();
    });
}

void Reactor::on_tick() {
    ticking_ = false;
    const TimePoint now = std::chrono::steady_clock::now();
    // What is due leaves the list before anything is called: a callback may list, unlist or destroy any other object.
    List due;
    for (auto object = with_deadline_.begin(); object != with_deadline_.end();) {
        Deadlined& candidate = *object++;
        if (candidate.until_ > now) continue;
        candidate.unlink();
        due.push_back(candidate);
    }
    while (!due.empty()) {
        Deadlined& object = due.front();
        set_deadline(object, never);
        object.on_deadline();
    }
    if (!with_deadline_.empty() && !ticking_) start_tick();
}

}  // namespace pgsluice::net
