// A conversation between clients, pgsluice and servers, written down once and held many times: as it stands, one byte
// at a time, with every message stream split at every place, and with either end closing before each step. What the
// peers are sent must be the same however the bytes came; when an end is missing, the invariants of World must hold.
//
//     Script script;
//     script.client_sends(client::query("select 1"))
//         .expect_to_server("Query \"select 1\"\n")
//         .server_sends(server::one_row("1"))
//         .expect_to_client("...\n");
//     script.run();
#pragma once

#include <gtest/gtest.h>
#include <support/messages.hpp>
#include <support/splits.hpp>
#include <support/world.hpp>

#include <functional>
#include <utility>

namespace pgsluice::test {

class Script {
  public:
    explicit Script(World::Options options = {}) : options_(std::move(options)) { add_client(); }

    // --- Steps. Clients and servers go by number, in the order in which they came; client 0 is there from the start.
    Script& add_client(std::vector<wire::Setting> startup = {}) {
        return then([startup](World& world) {
            const std::size_t number = world.add_client(startup);
            // The greeting of a login that needed no server, and is no part of the conversation.
            if (startup.empty()) world.client(number).peer.take();
        });
    }
    Script& client_sends(Bytes bytes) { return client_sends(0, std::move(bytes)); }
    Script& client_sends(std::size_t who, Bytes bytes) {
        return add({Kind::client_sends, who, std::move(bytes), {}, {}});
    }
    Script& server_sends(Bytes bytes) { return server_sends(0, std::move(bytes)); }
    Script& server_sends(std::size_t who, Bytes bytes) {
        return add({Kind::server_sends, who, std::move(bytes), {}, {}});
    }
    // All that it has been sent since the last look.
    Script& expect_to_server(std::string text) { return expect_to_server(0, std::move(text)); }
    Script& expect_to_server(std::size_t who, std::string text) {
        return add({Kind::expect_to_server, who, {}, std::move(text), {}});
    }
    Script& expect_to_client(std::string text) { return expect_to_client(0, std::move(text)); }
    Script& expect_to_client(std::size_t who, std::string text) {
        return add({Kind::expect_to_client, who, {}, std::move(text), {}});
    }
    Script& client_leaves(std::size_t who = 0) {
        return then([who](World& world) { world.client_leaves(who); });
    }
    Script& server_leaves(std::size_t who = 0) {
        return then([who](World& world) { world.server_leaves(who); });
    }
    Script& wait(TimePoint::duration by) {
        return then([by](World& world) { world.advance(by); });
    }
    // Anything else; it must bear that clients and servers have gone.
    Script& then(std::function<void(World&)> act) { return add({Kind::act, 0, {}, {}, std::move(act)}); }
    // Anything else that is asked only where no end is missing.
    Script& expect(std::function<void(World&)> ask) { return add({Kind::ask, 0, {}, {}, std::move(ask)}); }
    // A query from a client, and its reply from a server that was idle.
    Script& exchange(std::size_t who, std::size_t server, const std::string& text) {
        return client_sends(who, client::query(text))
            .expect_to_server(server, "Query \"" + text + "\"\n")
            .server_sends(server, server::command_complete("OK") + server::ready())
            .expect_to_client(who, "CommandComplete \"OK\"\nReadyForQuery I\n");
    }

    void run() {
        hold({});
        if (testing::Test::HasFailure()) return;
        hold({.byte_by_byte = true});
        split_everywhere();
        break_everywhere();
    }
    // For conversations that are long, or lean on what arrives together.
    void run_whole() {
        hold({});
        break_everywhere();
    }
    // For those whose long messages stream, so that what arrived may end in the middle of one.
    void run_whole_unbroken() { hold({}); }

  private:
    enum class Kind { client_sends, server_sends, expect_to_server, expect_to_client, act, ask };
    struct Step {
        Kind kind;
        std::size_t who;
        Bytes bytes;
        std::string text;
        std::function<void(World&)> act;
    };
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
    struct Variation {
        bool byte_by_byte = false;
        std::size_t split_step = nowhere, split_at = 0;
        std::size_t break_step = nowhere;  // before this step
        bool breaks_client = false;
        std::size_t who = 0;
        bool in_the_middle = false;  // of what that step sends
    };

    Script& add(Step step) {
        steps_.push_back(std::move(step));
        return *this;
    }

    void send(World& world, const Step& step, ByteView bytes) {
        if (step.kind == Kind::client_sends)
            world.client_sends(step.who, bytes);
        else
            world.server_sends(step.who, bytes);
    }

    void hold(const Variation& how) {
        World world(options_);
        const bool is_broken = how.break_step != nowhere;
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            const Step& step = steps_[i];
            const bool sends = step.kind == Kind::client_sends || step.kind == Kind::server_sends;
            if (i == how.break_step) {
                if (how.in_the_middle && sends)
                    send(world, step, ByteView(step.bytes).substr(0, step.bytes.size() / 2));
                if (how.breaks_client)
                    world.client_leaves(how.who);
                else
                    world.server_leaves(how.who);
                if (how.in_the_middle && sends) continue;
            }
            if (sends) {
                if (how.byte_by_byte) {
                    for (const char byte : step.bytes) send(world, step, ByteView(&byte, 1));
                } else if (i == how.split_step) {
                    send(world, step, ByteView(step.bytes).substr(0, how.split_at));
                    send(world, step, ByteView(step.bytes).substr(how.split_at));
                } else {
                    send(world, step, step.bytes);
                }
            } else if (step.kind == Kind::act) {
                step.act(world);
            } else if (!is_broken) {
                ask(world, step, i, how);
                if (testing::Test::HasFailure()) return;
            }
        }
        for (std::size_t i = 0; is_broken && i < world.clients(); ++i) check_stream(world.client(i), i);
        world.close_everything();
    }

    void ask(World& world, const Step& step, std::size_t number, const Variation& how) {
        SCOPED_TRACE("step " + std::to_string(number) +
                     (how.byte_by_byte ? ", byte by byte"
                      : how.split_step != nowhere
                          ? ", step " + std::to_string(how.split_step) + " split at " + std::to_string(how.split_at)
                          : ""));
        if (step.kind == Kind::ask) {
            step.act(world);
        } else if (step.kind == Kind::expect_to_client) {
            EXPECT_EQ(describe(world.client(step.who).peer.take()), step.text);
        } else if (step.who >= world.pools().servers()) {
            EXPECT_EQ("no such server", step.text);
        } else {
            EXPECT_EQ(describe_client(world.server(step.who).take()), step.text);
        }
    }

    // A client sees whole messages, at most one FATAL, and nothing behind it. (Of a message that streams it may see
    // less, so conversations that are broken hold short ones.)
    static void check_stream(FakeClient& client, std::size_t number) {
        const std::string seen = describe(client.peer.take());
        EXPECT_EQ(seen.find("(incomplete)"), std::string::npos) << "client " << number << " saw\n" << seen;
        const auto fatal = seen.find("ErrorResponse FATAL");
        if (fatal == std::string::npos) return;
        EXPECT_EQ(seen.find('\n', fatal), seen.size() - 1) << "client " << number << " saw\n" << seen;
        EXPECT_TRUE(client.peer.is_closed()) << "client " << number << " saw\n" << seen;
    }

    void split_everywhere() {
        for (std::size_t i = 0; i < steps_.size(); ++i) {
            const Kind kind = steps_[i].kind;
            if (kind != Kind::client_sends && kind != Kind::server_sends) continue;
            for (std::size_t at = 1; at < steps_[i].bytes.size(); ++at) {
                hold({.split_step = i, .split_at = at});
                if (testing::Test::HasFailure()) return;
            }
        }
    }

    void break_everywhere() {
        std::set<std::size_t> clients, servers;
        for (const Step& step : steps_) {
            if (step.kind == Kind::client_sends || step.kind == Kind::expect_to_client) clients.insert(step.who);
            if (step.kind == Kind::server_sends || step.kind == Kind::expect_to_server) servers.insert(step.who);
        }
        for (std::size_t i = 1; i < steps_.size(); ++i) {
            for (const bool middle : {false, true}) {
                for (const std::size_t who : clients)
                    hold({.break_step = i, .breaks_client = true, .who = who, .in_the_middle = middle});
                for (const std::size_t who : servers) hold({.break_step = i, .who = who, .in_the_middle = middle});
                if (testing::Test::HasFailure()) return;
            }
        }
    }

    World::Options options_;
    std::vector<Step> steps_;
};

}  // namespace pgsluice::test
