// A whole pgsluice in memory (support/world.hpp) between clients that run random programs and model servers, moved one
// small random event at a time: bytes in pieces, wakes, cancels, dials, clocks, and faults. It has one worker or two,
// whose servers, requests and cancels are under way to the other for as long as chance has it. One seed is one course
// of events, the same on every machine.
//
// Safety, at the end: every client has read what a server of its own would have answered, up to a fault that ended it;
// nothing ran twice, and nothing that was answered has not run; a cancel hit nobody who had not asked. And after every
// event: no server is lent to two, and permits are those of the servers of both workers (World::check). Liveness: once
// faults stop, everybody gets everything, and every server is idle again and clean.
#pragma once

#include "model_server.hpp"
#include "program.hpp"

#include <cancel_registry.hpp>
#include <support/world.hpp>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace pgsluice::sim {

class Simulation {
  public:
    explicit Simulation(std::uint64_t seed);

    // What went wrong, for people; empty: nothing.
    std::string run();

  private:
    struct Client {
        std::vector<Step> program;
        std::size_t next = 0;  // step
        Bytes unsent;
        Bytes sent, received;
        bool has_left = false, has_asked_to_cancel = false;
    };

    static std::size_t workers_of(std::uint64_t seed);
    static Changes changes_of(std::uint64_t seed, Random& random);
    static test::WorldOptions options_of(std::uint64_t seed, Random& random, Changes changes);
    void act();
    void fault();
    void collect();
    bool send_some(std::size_t who, std::size_t most);
    bool serve(std::size_t number);
    bool deliver(std::size_t number, std::size_t most);
    bool wake(std::size_t number);
    bool open();
    void refuse();
    bool carry();
    void ask_to_cancel(std::size_t who);
    bool cancel_next();
    bool end_cancels();
    bool finish();
    std::string judge_client(std::size_t who);
    std::string judge_servers();
    void complain(const std::string& what) { problems_ += what + "\n"; }

    Random random_;
    bool has_faults_;
    Changes changes_;
    Events events_;
    test::World world_;
    std::vector<Client> clients_;
    std::vector<std::unique_ptr<ModelServer>> models_;
    std::vector<Bytes> undelivered_;  // by server
    daemon::CancelRegistry keys_;
    std::deque<daemon::CancelRegistry::Owner> cancels_;  // found by their keys, on their way to the session's worker
    std::string problems_;
};

}  // namespace pgsluice::sim
