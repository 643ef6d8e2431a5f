#include "server_places.hpp"

#include <pgsluice/net/asio.hpp>

#include <boost/asio/steady_timer.hpp>

namespace pgsluice::daemon {

using pool::ServerPlaces;
using pool::Upstream;

namespace {

// One of the two limits, as the connection that wants a place meets it.
struct Wanted {
    std::shared_ptr<ServerPlaces> places;
    bool has_claimed = false;
    std::shared_ptr<bool> is_making_room = std::make_shared<bool>(false);

    // `since`: from when on its pool's oldest client has waited; never: none does. Who has waited for long enough, and
    // longest of those that claim one, takes the place that is kept.
    bool has_waited(TimePoint since, TimePoint now) const {
        return has_claimed && now - since >= ServerPlaces::patience;
    }
    bool is_open_to_it(const pool::Share& share, TimePoint since, TimePoint now) const {
        return has_claimed ? !places->is_kept_from(&share, since, now) : !places->is_kept(now);
    }

    // The oldest idle connection of another pool makes room; one that is busy does when it comes back, after a while.
    void seek_room(Worker& worker, pool::Pool& pool, TimePoint since) {
        has_claimed = true;
        if (since != never) places->claims().enter({&pool.share(), worker.index(), since});
        if (std::exchange(*is_making_room, true)) return;
        worker.make_room({places, nullptr, nullptr}, [flag = is_making_room](bool) { *flag = false; });
    }
};

// Keeps its pool's permits told that a connection lacks a place.
class Lacking {
  public:
    explicit Lacking(std::shared_ptr<pool::Permits> permits) : permits_(std::move(permits)) {}
    Lacking(const Lacking&) = delete;
    Lacking& operator=(const Lacking&) = delete;
    ~Lacking() { set(false); }

    void set(bool lacks) {
        if (std::exchange(lacks_, lacks) == lacks) return;
        lacks ? permits_->begin_lacking() : permits_->end_lacking();
    }

  private:
    const std::shared_ptr<pool::Permits> permits_;
    bool lacks_ = false;
};

}  // namespace

boost::asio::awaitable<TakenPlaces> take_places(Worker& worker, pool::Pool& pool, std::shared_ptr<Upstream> upstream,
                                                std::shared_ptr<ServerPlaces> user, TimePoint until) {
    const std::shared_ptr<const pool::Target> target = pool.target_ref();
    boost::asio::steady_timer timer(worker.io());
    Wanted of_server{upstream}, of_user{user};
    Wanted* lacking = nullptr;
    Lacking is_lacking(pool.share().permits_ref());
    while (true) {
        const TimePoint now = worker.read_clock();
        const TimePoint since = pool.share().oldest().value_or(never);
        const auto try_both = [&] {
            lacking = &of_user;
            if (!of_user.is_open_to_it(pool.share(), since, now) || !user->try_take(target->max_user_connections))
                return false;
            lacking = &of_server;
            auto permit = Upstream::Permit::at_cap;
            if (of_server.is_open_to_it(pool.share(), since, now)) {
                permit = upstream->begin_connecting(target->cluster.max_connections, target->cluster.max_connecting);
            }
            if (permit == Upstream::Permit::granted) return true;
            user->closed();
            // Those that connect now will have done so soon.
            if (permit == Upstream::Permit::too_many_connecting) lacking = nullptr;
            return false;
        };
        const bool has_both = try_both();
        if (has_both) lacking = nullptr;
        for (Wanted* each : {&of_server, &of_user}) {
            if (has_both && each->has_waited(since, now)) each->places->take_kept();
        }
        const bool gives_up = now >= until || (lacking != nullptr && pool.waiting() == 0);
        if (has_both || gives_up) {
            // Another dial of this pool that still lacks one says so again.
            for (Wanted* each : {&of_server, &of_user}) {
                if (each->has_claimed) each->places->claims().withdraw(&pool.share(), worker.index());
            }
            if (has_both) co_return TakenPlaces{PlacesTaken::all, {upstream, user}};
            co_return TakenPlaces{lacking == &of_user ? PlacesTaken::user_is_full : PlacesTaken::server_is_full, {}};
        }
        is_lacking.set(lacking != nullptr);
        if (lacking != nullptr) lacking->seek_room(worker, pool, since);
        timer.expires_after(Milliseconds(5));
        co_await timer.async_wait(net::as_tuple);
    }
}

}  // namespace pgsluice::daemon
