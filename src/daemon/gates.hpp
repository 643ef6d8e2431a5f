// Which databases an administrator has paused or closed to new clients, and whether all connections stand still, by the
// console. Thread-safe; it stands until it is taken back or the process ends, and no reload touches it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace pgsluice::daemon {

class Gates {
  public:
    // --- PAUSE: by the names that servers know.
    void pause(const std::string& database) { change(paused_, database, true); }
    void pause_all() { change(all_paused_, true); }
    void resume(const std::string& database) { change(paused_, database, false); }
    // Who has paused a database and then points its route at another one means to resume when that is ready. Asked by
    // every worker as it gets the snapshot with the change, and done by the first: what an administrator has resumed
    // meanwhile is not paused again.
    void follow(const std::string& from, const std::string& to, const std::shared_ptr<const void>& snapshot) {
        const std::lock_guard lock(mutex_);
        if (from == to || !paused_.contains(from)) return;
        if (followed_in_.lock() != snapshot) followed_.clear();
        followed_in_ = snapshot;
        if (!followed_.emplace(from, to).second) return;
        ++changes_;
        paused_.insert(to);
    }
    // Ends pause_all() alone.
    void unpause_all() { change(all_paused_, false); }
    void resume_all() {
        const std::lock_guard lock(mutex_);
        ++changes_;
        all_paused_ = suspended_ = false;
        paused_.clear();
    }
    bool is_paused(const std::string& database) const {
        const std::lock_guard lock(mutex_);
        return all_paused_ || paused_.contains(database);
    }

    // --- SUSPEND: nobody is heard. RESUME ends it with the rest.
    void suspend() { change(suspended_, true); }
    void end_suspension() { change(suspended_, false); }
    bool is_suspended() const {
        const std::lock_guard lock(mutex_);
        return suspended_;
    }

    // --- DISABLE: by the names that clients give.
    void disable(const std::string& database) { change(disabled_, database, true); }
    void enable(const std::string& database) { change(disabled_, database, false); }
    bool is_disabled(const std::string& database) const {
        const std::lock_guard lock(mutex_);
        return disabled_.contains(database);
    }

    // How often anything has been changed: whether something that one has set is one's own still.
    std::uint64_t changes() const {
        const std::lock_guard lock(mutex_);
        return changes_;
    }

    struct State {
        bool all_paused = false, suspended = false;
        std::set<std::string> paused, disabled;
        bool holds_anything() const { return all_paused || suspended || !paused.empty(); }
    };
    State state() const {
        const std::lock_guard lock(mutex_);
        return {all_paused_, suspended_, paused_, disabled_};
    }

  private:
    void change(std::set<std::string>& names, const std::string& name, bool in) {
        const std::lock_guard lock(mutex_);
        ++changes_;
        if (in)
            names.insert(name);
        else
            names.erase(name);
    }
    void change(bool& flag, bool value) {
        const std::lock_guard lock(mutex_);
        ++changes_;
        flag = value;
    }

    mutable std::mutex mutex_;
    // Protected by mutex_.
    std::uint64_t changes_ = 0;
    bool all_paused_ = false, suspended_ = false;
    std::set<std::string> paused_, disabled_;
    std::weak_ptr<const void> followed_in_;
    std::set<std::pair<std::string, std::string>> followed_;  // from and to, in that snapshot
};

}  // namespace pgsluice::daemon
