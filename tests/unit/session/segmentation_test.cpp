// One conversation by the extended protocol with a server that answers at once, its streams cut at every place. What
// either end sees must not depend on it.
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>

#include <gtest/gtest.h>
#include <support/messages.hpp>
#include <support/splits.hpp>
#include <support/world.hpp>

#include <set>

namespace pgsluice::session {
namespace {

using test::Portions;
using test::World;
using wire::FrontendTag;
namespace client = test::client;
namespace server = test::server;

bool is_broken(ByteView parse) {
    const ByteView text = wire::read_parse(parse)->text;
    return text == "broken" || text == "refused by pgsluice";
}

// Answers every message as PostgreSQL would; a Parse that is broken, or gives a name again, fails.
class Answers {
  public:
    explicit Answers(std::size_t value_size) : value_(value_size, 'v') {}
    Bytes to(ByteView bytes) {
        unread_ += bytes;
        Bytes replies;
        while (true) {
            const wire::Frame frame = wire::cut_frontend(unread_);
            if (frame.cut != wire::Cut::frame || unread_.size() < frame.size) return replies;
            replies += to_one(static_cast<FrontendTag>(frame.tag), wire::body_of(unread_, frame));
            unread_.erase(0, frame.size);
        }
    }

  private:
    Bytes to_one(FrontendTag tag, ByteView body) {
        if (skipping_ && tag != FrontendTag::sync) return {};
        switch (tag) {
            case FrontendTag::parse: return to_parse(body);
            case FrontendTag::bind: return server::bind_complete();
            case FrontendTag::describe:
                return (body.starts_with('S') ? server::parameter_description({25}) : Bytes()) +
                       server::row_description({"a"});
            case FrontendTag::execute: return server::row({value_}) + server::command_complete("SELECT 1");
            case FrontendTag::close:
                names_.erase(std::string(wire::read_target(body)->name));
                return server::close_complete();
            case FrontendTag::query: return server::one_row("2");
            case FrontendTag::sync: skipping_ = false; return server::ready();
            default: return {};
        }
    }

    Bytes to_parse(ByteView body) {
        const std::string name(wire::read_parse(body)->statement);
        skipping_ = true;
        if (is_broken(body)) return server::error("42601", "syntax error");
        if (!name.empty() && !names_.insert(name).second) {
            return server::error("42P05", "prepared statement \"" + name + "\" already exists");
        }
        skipping_ = false;
        return server::parse_complete();
    }

    const std::string value_;
    std::set<std::string> names_;
    Bytes unread_;
    bool skipping_ = false;
};

struct Seen {
    Bytes by_client, by_server;
    std::size_t replied = 0;  // bytes that the server has sent
};

constexpr std::size_t nowhere = static_cast<std::size_t>(-1);
constexpr std::size_t everywhere = 0;

// The server's stream is cut in front of its byte `cut`.
Seen hold(const Portions& portions, std::size_t cut, std::size_t value_size = 1) {
    World world;
    world.add_client();
    world.client(0).peer.take();
    Answers answers(value_size);
    Seen seen;
    for (const ByteView portion : portions) {
        world.client_sends(0, portion);
        while (true) {
            const Bytes asked = world.server(0).take();
            seen.by_server += asked;
            const Bytes replies = answers.to(asked);
            if (asked.empty()) break;
            if (cut == everywhere) {
                for (const ByteView byte : test::byte_by_byte(replies)) world.server_sends(0, byte);
            } else {
                const std::size_t here = std::min(cut - std::min(cut, seen.replied), replies.size());
                world.server_sends(0, ByteView(replies).substr(0, here));
                world.server_sends(0, ByteView(replies).substr(here));
            }
            seen.replied += replies.size();
        }
    }
    seen.by_client = world.client(0).peer.take();
    return seen;
}

Bytes described_run(std::string_view name) {
    return client::bind("p", name, {"x", std::nullopt}) + client::describe_portal("p") + client::execute("p", 5);
}
Bytes plain_conversation() {
    return client::parse("s", "select $1", {25}) + client::describe_statement("s") + client::sync() +
           described_run("s") + client::close_portal("p") + client::flush() + client::sync() +
           client::extended("select $1", {"x"}) + client::sync() + client::query("select 2");
}
// Here a message may or may not reach the server, which depends on what has been answered when it comes.
Bytes conversation_with_errors() {
    return client::parse("s", "select $1") + described_run("s") + client::sync() + client::parse("s", "select 3") +
           client::execute() + client::sync() + client::parse("t", "broken") + described_run("t") + client::sync() +
           client::close_statement("s") + client::parse("u", "select $1") + described_run("u") + client::sync();
}

TEST(Segmentation, of_the_clients_stream_changes_no_byte_of_either_end) {
    const Bytes stream = plain_conversation();
    const Seen whole = hold({stream}, nowhere);
    ASSERT_NE(whole.by_client, "");
    for (const Portions& portions : test::every_split(stream)) {
        const Seen cut = hold(portions, nowhere);
        ASSERT_EQ(test::describe(cut.by_client), test::describe(whole.by_client)) << portions.front().size();
        ASSERT_EQ(test::describe_client(cut.by_server), test::describe_client(whole.by_server))
            << portions.front().size();
    }
}

TEST(Segmentation, of_the_servers_stream_changes_no_byte_of_either_end) {
    const Bytes stream = plain_conversation();
    const Seen whole = hold({stream}, nowhere);
    for (std::size_t cut = everywhere; cut < whole.replied; ++cut) {
        const Seen seen = hold({stream}, cut);
        ASSERT_EQ(test::describe(seen.by_client), test::describe(whole.by_client)) << cut;
        ASSERT_EQ(test::describe_client(seen.by_server), test::describe_client(whole.by_server)) << cut;
    }
}

TEST(Segmentation, changes_nothing_for_a_client_that_makes_errors) {
    const Bytes stream = conversation_with_errors();
    const Seen whole = hold({stream}, nowhere);
    EXPECT_EQ(test::describe(whole.by_client),
              "ParseComplete\nBindComplete\nRowDescription \"a\"\nDataRow \"v\"\nCommandComplete \"SELECT 1\"\n"
              "ReadyForQuery I\nErrorResponse ERROR 42P05 \"prepared statement \"s\" already exists\"\n"
              "ReadyForQuery I\nErrorResponse ERROR 42601 \"syntax error\"\nReadyForQuery I\nCloseComplete\n"
              "ParseComplete\nBindComplete\nRowDescription \"a\"\nDataRow \"v\"\nCommandComplete \"SELECT 1\"\n"
              "ReadyForQuery I\n");
    for (const Portions& portions : test::every_split(stream)) {
        ASSERT_EQ(test::describe(hold(portions, nowhere).by_client), test::describe(whole.by_client))
            << portions.front().size();
    }
    for (std::size_t cut = everywhere; cut < whole.replied; ++cut) {
        ASSERT_EQ(test::describe(hold({stream}, cut).by_client), test::describe(whole.by_client)) << cut;
    }
}

// Longer than what is held until it is whole.
TEST(Segmentation, of_long_messages_changes_no_byte_of_either_end) {
    constexpr std::size_t long_size = 9000, step = 101;
    const std::string value(long_size, 'x');
    const Bytes stream = client::parse("s", "select $1") + client::bind("", "s", {value}) + client::execute() +
                         client::sync() + client::extended("select $1", {value}) + client::sync() +
                         client::query("select '" + value + "'");
    const Seen whole = hold({stream}, nowhere, long_size);
    ASSERT_GT(whole.by_client.size(), long_size);
    for (std::size_t cut = 1; cut < stream.size(); cut += step) {
        const Seen seen = hold({ByteView(stream).substr(0, cut), ByteView(stream).substr(cut)}, nowhere, long_size);
        ASSERT_TRUE(seen.by_client == whole.by_client && seen.by_server == whole.by_server) << cut;
    }
    for (std::size_t cut = everywhere; cut < whole.replied; cut += step) {
        const Seen seen = hold({stream}, cut, long_size);
        ASSERT_TRUE(seen.by_client == whole.by_client && seen.by_server == whole.by_server) << cut;
    }
}

TEST(Segmentation, never_gives_a_server_back_in_the_middle_of_its_message) {
    const Bytes told = server::notification(1, "channel", "payload");
    World world;
    world.add_client();
    world.client_sends(0, client::query("listen"));
    world.client(0).peer.take();
    world.server_sends(0, server::ready() + told.substr(0, 7));
    EXPECT_EQ(world.pools().gauge(metrics::ServerState::active), 1);
    world.server_sends(0, told.substr(7));
    EXPECT_EQ(world.client(0).peer.take(), server::ready() + told);
    EXPECT_EQ(world.pools().gauge(metrics::ServerState::idle), 1);
}

}  // namespace
}  // namespace pgsluice::session
