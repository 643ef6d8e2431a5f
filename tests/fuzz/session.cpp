// Two clients and up to three servers that say anything, in any order and portions, and go when they like: the whole
// session, its pool and its servers (support/world.hpp). World checks what must hold after every step and at the end.
//
// The input is one byte for the configuration, then steps: a byte that says what happens and to whom, and for what is
// sent a byte of length in front of the bytes.
#include "fuzz.hpp"

#include <support/world.hpp>

using namespace pgsluice;

namespace {

test::WorldOptions options_of(unsigned variant) {
    test::WorldOptions options;
    options.pool.size = 1 + variant % 3;
    options.pool.mode = (variant & 4) != 0   ? config::PoolMode::session
                        : (variant & 8) != 0 ? config::PoolMode::statement
                                             : config::PoolMode::transaction;
    options.pool.session_state = (variant & 16) != 0 ? config::SessionState::preserve : config::SessionState::ignore;
    options.pool.max_prepared_statements = (variant & 32) != 0 ? 1 : 200;
    if ((variant & 64) != 0) options.limits.inspect_bytes = 64;
    return options;
}

enum class Step : unsigned {
    client_sends,
    server_sends,
    client_goes,
    server_goes,
    cancel,
    cancel_ends,
    time,
    reading,
    count
};

void take(test::World& world, Step step, std::size_t who, ByteView& input) {
    switch (step) {
        case Step::client_sends:
        case Step::server_sends: {
            const std::size_t length = fuzz::choice(input);
            const ByteView bytes = input.substr(0, length);
            input.remove_prefix(bytes.size());
            if (step == Step::client_sends)
                world.client_sends(who % world.clients(), bytes);
            else
                world.server_sends(who, bytes);
            return;
        }
        case Step::client_goes: return world.client_leaves(who % world.clients());
        case Step::server_goes: return world.server_leaves(who);
        case Step::cancel:
            if (world.client(who % world.clients()).session == nullptr) return;
            world.session(who % world.clients()).cancel();
            return world.settle();
        case Step::cancel_ends: return world.end_cancels();
        case Step::time: return world.advance(std::chrono::seconds(who));
        case Step::reading: {
            test::FakePeer& peer = world.client(who % world.clients()).peer;
            if (peer.congested())
                peer.drain();
            else
                peer.congest();
            return world.settle();
        }
        case Step::count: return;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input = fuzz::view(data, size);
    test::World world(options_of(fuzz::choice(input)));
    world.add_client();
    world.add_client();
    while (!input.empty()) {
        const unsigned what = fuzz::choice(input);
        take(world, static_cast<Step>(what % static_cast<unsigned>(Step::count)), what / 64, input);
    }
    world.close_everything();
    return 0;
}
