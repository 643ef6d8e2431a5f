#include "simulation.hpp"

#include "judge.hpp"

#include <algorithm>

namespace pgsluice::sim {
namespace {

using test::World;

// Two clients share a process id, as in session mode clients of several clusters may.
std::int32_t process_id(std::size_t who) {
    return static_cast<std::int32_t>(1000 + who / 2);
}

Bytes secret(std::size_t who) {
    return "secret " + std::to_string(who);
}

}  // namespace

// This and the next by the seed itself, as lazy_begin: what the seeds of sim.found draw stays what it was.
Changes Simulation::changes_of(std::uint64_t seed, Random& random) {
    if (!happens(random, 700)) return Changes::none;
    constexpr std::uint64_t all = 0b1001100111;  // none of sim.found, which are older
    return all >> seed % 10 & 1 ? Changes::all : Changes::some;
}

std::size_t Simulation::workers_of(std::uint64_t seed) {
    return seed % 7 < 3 ? 2 : 1;
}

test::WorldOptions Simulation::options_of(std::uint64_t seed, Random& random, Changes changes) {
    test::WorldOptions options;
    // By the seed itself: what the seeds of sim.found draw stays what it was.
    options.pool.lazy_begin = seed % 5 < 2;
    options.pool.size = static_cast<std::uint32_t>(1 + below(random, 3));
    options.pool.mode = happens(random, 100) ? config::PoolMode::session : config::PoolMode::transaction;
    options.pool.max_prepared_statements = happens(random, 300) ? 2 : 200;
    options.pool.max_pinned = 100;
    options.pool.session_state =
        changes != Changes::none ? config::SessionState::preserve : config::SessionState::ignore;
    if (changes == Changes::all) options.pool.custom_settings = config::CustomSettings::affinity;
    options.answers_dials = false;
    options.workers = workers_of(seed);
    return options;
}

Simulation::Simulation(std::uint64_t seed)
    : random_(seed),
      has_faults_(happens(random_, 500)),
      changes_(changes_of(seed, random_)),
      world_(options_of(seed, random_, changes_)) {
    const std::size_t count = 1 + below(random_, 5);
    for (std::size_t i = 0; i < count; ++i) clients_.emplace_back().program = make_program(random_, i, changes_);
}

std::string Simulation::run() {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        const std::size_t worker = world_.workers() == 1 ? 0 : below(random_, world_.workers());
        world_.add_client({}, worker);
        keys_.add(process_id(i), secret(i), {static_cast<WorkerIndex>(worker), static_cast<SessionId>(i), false});
    }
    for (std::size_t events = 100 + below(random_, 600); events > 0; --events) {
        act();
        if (has_faults_) fault();
        collect();
    }
    const bool is_finished = finish();
    if (!is_finished) complain("something waits for ever");
    for (std::size_t i = 0; i < clients_.size(); ++i) problems_ += judge_client(i);
    problems_ += judge_servers();
    if (is_finished) {
        // World's own checks.
        while (open()) carry();
        world_.close_everything();
    }
    return problems_;
}

// --- Events

void Simulation::act() {
    if (world_.workers() > 1 && happens(random_, 200)) {
        if (happens(random_, 300))
            cancel_next();
        else
            carry();
        return;
    }
    const std::size_t servers = world_.servers();
    const std::size_t most = happens(random_, 300) ? 1 + below(random_, 8) : 1 + below(random_, 400);
    switch (below(random_, 12)) {
        case 0:
        case 1:
        case 2: send_some(below(random_, clients_.size()), most); break;
        case 3:
        case 4:
        case 5:
            if (servers > 0) serve(below(random_, servers));
            break;
        case 6:
        case 7:
        case 8:
            if (servers > 0) deliver(below(random_, servers), most);
            break;
        case 9:
            if (servers > 0) wake(below(random_, servers));
            break;
        case 10: open(); break;
        default: world_.advance(std::chrono::milliseconds(below(random_, 50)));
    }
}

void Simulation::fault() {
    const std::size_t servers = world_.servers();
    const std::size_t who = below(random_, clients_.size());
    switch (below(random_, 250)) {
        case 0:
            clients_[who].has_left = true;
            collect();
            world_.client_leaves(who);
            break;
        case 1:
            if (servers > 0) world_.server_leaves(below(random_, servers));
            break;
        case 2: refuse(); break;
        case 3:
        case 4:
        case 5:
        case 6: ask_to_cancel(who); break;
        case 7:
        case 8:
        case 9:
        case 10: end_cancels(); break;
        case 11: world_.client(who).peer.congest(); break;
        case 12:
        case 13:
            world_.client(who).peer.drain();
            world_.settle();
            break;
        case 14: world_.advance(std::chrono::seconds(below(random_, 8))); break;
        default: break;
    }
}

void Simulation::collect() {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        clients_[i].received += world_.client(i).peer.take();
        if (world_.client(i).ended) keys_.remove(process_id(i), static_cast<SessionId>(i));
    }
    while (models_.size() < world_.servers()) {
        models_.push_back(std::make_unique<ModelServer>(events_, ModelServer::Kind::server));
        undelivered_.emplace_back();
    }
}

bool Simulation::send_some(std::size_t who, std::size_t most) {
    Client& client = clients_[who];
    if (client.has_left || world_.client(who).peer.is_closed()) return false;
    if (client.unsent.empty()) {
        if (client.next == client.program.size()) return false;
        const Step& step = client.program[client.next];
        if (step.waits && readies_in(client.received) < step.readies_before) return false;
        client.unsent = step.bytes;
        ++client.next;
    }
    const Bytes piece = client.unsent.substr(0, most);
    client.unsent.erase(0, piece.size());
    client.sent += piece;
    world_.client_sends(who, piece);
    collect();
    return true;
}

bool Simulation::serve(std::size_t number) {
    collect();
    test::FakeServer& server = world_.server(number);
    const Bytes bytes = server.take();
    if (!server.is_open() || bytes.empty()) return false;
    models_[number]->receive(bytes);
    undelivered_[number] += models_[number]->take();
    return true;
}

bool Simulation::deliver(std::size_t number, std::size_t most) {
    collect();
    if (!world_.server(number).is_open() || undelivered_[number].empty()) return false;
    const Bytes piece = undelivered_[number].substr(0, most);
    undelivered_[number].erase(0, piece.size());
    world_.server_sends(number, piece);
    collect();
    return true;
}

bool Simulation::wake(std::size_t number) {
    collect();
    if (!world_.server(number).is_open() || !models_[number]->is_asleep()) return false;
    models_[number]->wake();
    undelivered_[number] += models_[number]->take();
    return true;
}

// A dial of a worker that has any under way ends well.
bool Simulation::open() {
    if (world_.dials() == 0) return false;
    std::size_t worker = world_.workers() == 1 ? 0 : below(random_, world_.workers());
    while (world_.pools(worker).dials() == 0) worker = (worker + 1) % world_.workers();
    world_.pools(worker).open();
    world_.settle();
    return true;
}

void Simulation::refuse() {
    for (std::size_t i = 0; i < world_.workers(); ++i) {
        if (world_.pools(i).dials() == 0) continue;
        world_.pools(i).refuse(wire::fatal("57P03", "refused"), true);
        world_.settle();
        return;
    }
}

// Something that one worker has sent to the other arrives.
bool Simulation::carry() {
    if (world_.workers() == 1) return false;
    const std::size_t first = below(random_, world_.workers());
    const bool servers_first = happens(random_, 500);
    for (std::size_t i = 0; i < world_.workers(); ++i) {
        const std::size_t from = (first + i) % world_.workers();
        const bool has_carried = servers_first ? world_.carry_server(from) || world_.carry_request(from)
                                               : world_.carry_request(from) || world_.carry_server(from);
        if (!has_carried) continue;
        collect();
        return true;
    }
    return false;
}

// The request comes to any worker, which finds the session by its key and has its worker cancel what it runs.
void Simulation::ask_to_cancel(std::size_t who) {
    if (world_.client(who).session == nullptr) return;
    clients_[who].has_asked_to_cancel = true;
    const auto owner = keys_.find(process_id(who), secret(who));
    if (!owner) return complain("the key of client " + std::to_string(who) + " is unknown");
    cancels_.push_back(*owner);
    if (world_.workers() == 1) cancel_next();
}

bool Simulation::cancel_next() {
    if (cancels_.empty()) return false;
    const auto owner = cancels_.front();
    cancels_.pop_front();
    const auto who = number(owner.session);
    if (world_.client(who).worker != number(owner.worker)) complain("a cancel went to another worker");
    // It may have ended meanwhile.
    if (world_.client(who).session != nullptr && !world_.client(who).ended) world_.session(who).cancel();
    world_.settle();
    return true;
}

bool Simulation::end_cancels() {
    collect();
    if (world_.cancels().empty()) return false;
    for (const auto& [pool, server] : world_.cancels()) {
        for (std::size_t i = 0; i < models_.size(); ++i) {
            if (world_.server(i).server != server) continue;
            const auto tag = models_[i]->cancel();
            undelivered_[i] += models_[i]->take();
            if (!tag) continue;
            const Client& owner = clients_.at(std::stoul(tag->substr(1)));
            if (!owner.has_asked_to_cancel && !owner.has_left)
                complain("a cancel hit " + *tag + ", whose client had not asked");
        }
    }
    world_.end_cancels();
    collect();
    return true;
}

// No faults any more: whatever can happen happens, until nothing does. True if everybody has got everything.
bool Simulation::finish() {
    constexpr std::size_t all = 1 << 20;
    for (std::size_t i = 0; i < clients_.size(); ++i) world_.client(i).peer.drain();
    world_.settle();
    std::size_t patience = 200;
    while (patience > 0) {
        bool any = cancel_next() || end_cancels() || carry();
        for (std::size_t i = 0; i < clients_.size(); ++i) any |= send_some(i, all);
        while (open()) any = true;
        for (std::size_t i = 0; i < world_.servers(); ++i) any = serve(i) || deliver(i, all) || wake(i) || any;
        if (any) continue;
        const bool all_sent = std::all_of(clients_.begin(), clients_.end(), [](const Client& client) {
            return client.next == client.program.size() && client.unsent.empty();
        });
        // What only a clock moves: the next dial behind a refused one, the end of what was abandoned.
        if (all_sent && patience < 150) return true;
        world_.advance(std::chrono::milliseconds(100));
        --patience;
    }
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        const Client& client = clients_[i];
        const bool is_over = client.has_left || world_.client(i).peer.is_closed();
        if (!is_over && (client.next < client.program.size() || !client.unsent.empty())) return false;
    }
    return true;
}

// --- What must hold

std::string Simulation::judge_client(std::size_t who) {
    const Client& client = clients_[who];
    const bool is_there = !client.has_left && !world_.client(who).peer.is_closed();
    const auto problem = judge({"c" + std::to_string(who) + ".", client.sent, client.received, is_there,
                                client.has_asked_to_cancel, has_faults_},
                               events_);
    return problem.empty() ? problem : "client " + std::to_string(who) + ": " + problem;
}

std::string Simulation::judge_servers() {
    std::string problems;
    std::size_t open = 0;
    for (std::size_t i = 0; i < models_.size(); ++i) {
        if (!world_.server(i).is_open()) continue;
        ++open;
        const std::string left = models_[i]->leftovers();
        if (!left.empty()) problems += "server " + std::to_string(i) + " is left with " + left + "and nobody there\n";
        if (models_[i]->status() != 'I') problems += "server " + std::to_string(i) + " is left in a transaction\n";
    }
    const auto idle = static_cast<std::size_t>(world_.gauge(metrics::ServerState::idle));
    if (idle != open && world_.pool().target().settings.mode == config::PoolMode::transaction) {
        problems += std::to_string(open) + " servers are open and " + std::to_string(idle) + " of them idle\n";
    }
    return problems;
}

}  // namespace pgsluice::sim
