// Names that are being looked up, each on a thread that belongs to nobody: what looks them up blocks and cannot be
// called off, and may take longer than anybody waits, the end of the process included. Whoever asks for a name that is
// being looked up waits with the others, so that there are never more threads than names.
#pragma once

#include <pgsluice/net/handover.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pgsluice::net {

// Thread-safe. May go while lookups are under way.
template <class Answer>
class SharedLookups {
  public:
    using Ask = std::function<Answer(const std::string& name)>;
    using Giver = typename Handover<Answer>::Giver;
    using Start = std::function<void(std::function<void()> work)>;  // on a thread of its own

    explicit SharedLookups(Ask ask, Start start = on_a_thread)
        : state_(std::make_shared<State>(std::move(ask))), start_(std::move(start)) {}

    // Throws where there is no memory or no thread to be had; the name may be asked for again then.
    void join(const std::string& name, Giver giver) {
        const std::lock_guard lock(state_->mutex);
        const auto [entry, is_new] = state_->waiting.try_emplace(name);
        try {
            // A lookup that hangs for long is asked for again and again.
            std::erase_if(entry->second, [](const Giver& other) { return !other.is_wanted(); });
            entry->second.push_back(std::move(giver));
            if (is_new) start_([state = state_, name] { answer(*state, name); });
        } catch (...) {
            // A name without a thread would never be answered.
            if (is_new) state_->waiting.erase(entry);
            throw;
        }
    }

    // Nobody waits for anything any more: before the loops go of those who did.
    void forget_all() {
        const std::lock_guard lock(state_->mutex);
        for (auto& [name, those_who_wait] : state_->waiting) those_who_wait.clear();
    }

  private:
    struct State {
        explicit State(Ask how) : ask(std::move(how)) {}
        const Ask ask;
        std::mutex mutex;
        std::map<std::string, std::vector<Giver>> waiting;  // by name; protected by mutex
    };

    static void on_a_thread(std::function<void()> work) { std::thread(std::move(work)).detach(); }

    static void answer(State& state, const std::string& name) {
        const Answer made = state.ask(name);
        const std::lock_guard lock(state.mutex);
        const auto those_who_wait = state.waiting.extract(name);
        for (const Giver& each : those_who_wait.mapped()) each.give(made);
    }

    const std::shared_ptr<State> state_;  // shared with the threads
    const Start start_;
};

// The names of hosts, which are looked up for whoever connects: forget_all() of those.
void forget_lookups();

}  // namespace pgsluice::net
