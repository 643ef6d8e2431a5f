// A client goes in the middle of something: what it is owed is read and dropped, its transaction rolled back, and the
// next client finds a server at rest. However the server's replies are cut.
#include <pgsluice/wire/frame.hpp>

#include <gtest/gtest.h>
#include <support/pool_rig.hpp>
#include <support/splits.hpp>

#include <functional>

namespace pgsluice::pool {
namespace {

using metrics::ServerClose;
using protocol::Asked;
using test::PoolClient;
using test::PoolRig;
using Closes = std::vector<ServerClose>;
namespace client = test::client;
namespace server = test::server;

class Ignore final : public protocol::Exchange::Witness {
    void on_parsed(const protocol::Owed&) override {}
    void on_closed(const protocol::Owed&) override {}
    void on_deallocated(const protocol::Owed&) override {}
    void on_answered(std::uint32_t) override {}
    void on_dropped(const protocol::Owed&, bool) override {}
};

struct Leaving {
    PoolRig rig;
    PoolClient& leaver;
    PoolClient& next;

    explicit Leaving(config::PoolMode mode = config::PoolMode::transaction)
        : Leaving(PoolRig::Options{.pool{.mode = mode, .size = 1}}) {}
    explicit Leaving(PoolRig::Options options) : rig(std::move(options)), leaver(rig.holder()), next(rig.asks()) {}

    // A reply that its session has seen.
    void settle(ByteView message) {
        Ignore nobody;
        const wire::Frame frame = wire::cut_backend(message);
        leaver.server->exchange().settle(static_cast<wire::BackendTag>(frame.tag), wire::body_of(message, frame),
                                         nobody);
    }
    void leave(std::size_t rest = 0) {
        rig.server(0).take();
        rig.pool().recover(*std::exchange(leaver.server, nullptr), rest);
    }
    // What the server has been told by the pool since.
    std::string told() { return test::describe_client(rig.server(0).take()); }
    void answer(ByteView bytes) { rig.server(0).peer.receive(bytes); }
};

// The same with the replies in any portions; `prepare` is what the client did, `replies` what comes afterwards.
void expect_served_next(const std::function<void(Leaving&)>& prepare, const Bytes& replies) {
    for (const test::Portions& portions : test::every_split(replies)) {
        Leaving leaving;
        prepare(leaving);
        for (const ByteView portion : portions) leaving.answer(portion);
        ASSERT_NE(leaving.next.server, nullptr);
        EXPECT_TRUE(leaving.next.heard.empty());
        EXPECT_TRUE(leaving.leaver.heard.empty());
    }
}

TEST(Recover, a_query_is_read_to_its_end) {
    expect_served_next(
        [](Leaving& leaving) {
            leaving.leaver.send(client::query("select"), Asked::query);
            leaving.leave();
            EXPECT_TRUE(leaving.next.waits);
        },
        server::one_row("1"));
}

TEST(Recover, a_query_that_fails_is_nobodys_concern) {
    expect_served_next(
        [](Leaving& leaving) {
            leaving.leaver.send(client::query("select"), Asked::query);
            leaving.leave();
        },
        server::error("57014", "canceled") + server::ready());
}

TEST(Recover, the_rest_of_a_message_is_skipped) {
    const Bytes row = server::row({std::string(300, 'x')});
    expect_served_next(
        [&](Leaving& leaving) {
            leaving.leaver.send(client::query("select"), Asked::query);
            leaving.leave(200);
        },
        row.substr(row.size() - 200) + server::command_complete("SELECT 1") + server::ready());
}

// A server that loses its client commits nothing of it, and a Sync alone would.
TEST(Recover, a_batch_without_its_sync_is_made_to_fail) {
    expect_served_next(
        [](Leaving& leaving) {
            leaving.leaver.send(client::parse("", "a"), Asked::parse);
            leaving.leaver.send(client::bind(), Asked::bind);
            leaving.leaver.send(client::execute(), Asked::execute);
            leaving.leave();
            EXPECT_EQ(leaving.told(),
                      "Parse \"\" \"pgsluice: the client has left without the Sync of its batch\"\nSync\n");
        },
        server::parse_complete() + server::bind_complete() + server::command_complete("INSERT 0 1") +
            server::error("42601", "syntax") + server::ready());
}

TEST(Recover, only_the_last_batch_is_without_its_sync) {
    expect_served_next(
        [](Leaving& leaving) {
            leaving.leaver.send(client::execute(), Asked::execute);
            leaving.leaver.send(client::sync(), Asked::sync);
            leaving.leave();
            EXPECT_EQ(leaving.told(), "");
        },
        server::command_complete("INSERT 0 1") + server::ready());
}

// A Query is skipped like the rest, and so is its ReadyForQuery.
TEST(Recover, a_query_without_a_sync_behind_what_fails_is_given_one) {
    for (const ByteView last : {client::query("select"), client::function_call(1)}) {
        const Asked asked = last[0] == 'Q' ? Asked::query : Asked::function_call;
        const auto prepare = [&](Leaving& leaving) {
            leaving.leaver.send(client::execute(), Asked::execute);
            leaving.leaver.send(last, asked);
            leaving.leave();
            EXPECT_EQ(leaving.told(), "");
        };
        Leaving leaving;
        prepare(leaving);
        leaving.answer(server::error("34000", "no portal"));
        EXPECT_EQ(leaving.told(), "Sync\n");
        expect_served_next(prepare, server::error("34000", "no portal") + server::ready());
    }
}

TEST(Recover, a_batch_that_had_failed_is_ended) {
    expect_served_next(
        [](Leaving& leaving) {
            leaving.leaver.send(client::parse("", "a"), Asked::parse);
            leaving.settle(server::error("42601", "syntax"));
            leaving.leave();
            EXPECT_EQ(leaving.told(), "Sync\n");
        },
        server::ready());
}

TEST(Recover, a_copy_in_is_given_up) {
    expect_served_next(
        [](Leaving& leaving) {
            leaving.leaver.send(client::query("copy"), Asked::query);
            leaving.settle(server::copy_in_response());
            leaving.leave();
            EXPECT_EQ(leaving.told(), "CopyFail \"client left\"\n");
        },
        server::error("57014", "COPY from stdin failed") + server::ready());
}

TEST(Recover, an_extended_copy_in_is_given_up_and_its_batch_ended) {
    expect_served_next(
        [](Leaving& leaving) {
            leaving.leaver.send(client::execute(), Asked::execute);
            leaving.settle(server::copy_in_response());
            leaving.leave();
            EXPECT_EQ(leaving.told(), "CopyFail \"client left\"\nSync\n");
        },
        server::error("57014", "COPY from stdin failed") + server::ready());
}

TEST(Recover, a_copy_in_that_begins_behind_the_clients_back_is_given_up) {
    Leaving leaving;
    leaving.leaver.send(client::execute(), Asked::execute);
    leaving.leaver.send(client::sync(), Asked::sync);
    leaving.leave();
    EXPECT_EQ(leaving.told(), "");
    leaving.answer(server::copy_in_response());
    // It was there to be read while the COPY began, and was ignored.
    EXPECT_EQ(leaving.told(), "CopyFail \"client left\"\nSync\n");
    leaving.answer(server::error("57014", "COPY from stdin failed") + server::ready());
    leaving.answer(server::close_complete() + server::ready());
    EXPECT_NE(leaving.next.server, nullptr);
}

TEST(Recover, large_rows_are_skipped_unread) {
    Leaving leaving;
    leaving.leaver.send(client::query("select"), Asked::query);
    leaving.leave();
    const Bytes row = server::row({std::string(1000000, 'x')});
    for (std::size_t at = 0; at < row.size(); at += 16384) {
        leaving.answer(ByteView(row).substr(at, 16384));
        EXPECT_TRUE(leaving.rig.server(0).peer.unread().size() < 16384);
    }
    leaving.answer(server::command_complete("SELECT 1") + server::ready());
    EXPECT_NE(leaving.next.server, nullptr);
}

// --- Transactions

TEST(Recover, a_transaction_is_rolled_back) {
    for (const char status : {'T', 'E'}) {
        Leaving leaving;
        leaving.leaver.send(client::query("begin"), Asked::query);
        leaving.settle(server::ready(status));
        leaving.leave();
        EXPECT_EQ(leaving.told(), "Query \"ROLLBACK\"\n");
        EXPECT_TRUE(leaving.next.waits);
        leaving.answer(server::command_complete("ROLLBACK") + server::ready());
        EXPECT_NE(leaving.next.server, nullptr);
    }
}

TEST(Recover, a_transaction_that_is_opened_by_what_is_still_owed_is_rolled_back_too) {
    const Bytes begun = server::command_complete("BEGIN") + server::ready('T');
    for (const test::Portions& portions : test::every_split(begun)) {
        Leaving leaving;
        leaving.leaver.send(client::query("begin"), Asked::query);
        leaving.leave();
        for (const ByteView portion : portions) leaving.answer(portion);
        EXPECT_EQ(leaving.told(), "Query \"ROLLBACK\"\n");
        leaving.answer(server::command_complete("ROLLBACK") + server::ready());
        EXPECT_NE(leaving.next.server, nullptr);
    }
}

TEST(Recover, a_rollback_that_fails_ends_the_server) {
    const Bytes answers[] = {
        server::error("XX000", "no") + server::ready('E'),
        server::error("XX000", "no") + server::ready(),
        server::command_complete("ROLLBACK") + server::ready('T'),
    };
    for (const Bytes& answer : answers) {
        Leaving leaving;
        leaving.leaver.send(client::query("begin"), Asked::query);
        leaving.settle(server::ready('T'));
        leaving.leave();
        leaving.answer(answer);
        EXPECT_EQ(leaving.rig.host().closes, Closes{ServerClose::reset_failed});
        leaving.rig.host().open();
        EXPECT_NE(leaving.next.server, nullptr);
    }
}

TEST(Recover, session_mode_is_reset_as_well) {
    Leaving leaving(config::PoolMode::session);
    leaving.leaver.send(client::query("begin"), Asked::query);
    leaving.leave();
    leaving.answer(server::command_complete("BEGIN") + server::ready('T'));
    EXPECT_EQ(leaving.told(), "Query \"ROLLBACK\"\n");
    leaving.answer(server::command_complete("ROLLBACK") + server::ready());
    EXPECT_EQ(leaving.told(), "Query \"DISCARD ALL\"\n");
    EXPECT_TRUE(leaving.next.waits);
    leaving.answer(server::command_complete("DISCARD ALL") + server::ready());
    EXPECT_NE(leaving.next.server, nullptr);
}

// --- It cannot be recovered

TEST(Recover, ends_a_server_that_takes_too_long) {
    Leaving leaving;
    leaving.leaver.send(client::query("select"), Asked::query);
    leaving.leave();
    leaving.rig.advance(Milliseconds(4999));
    leaving.rig.host().cancels.clear();
    leaving.rig.advance(Milliseconds(1));
    EXPECT_EQ(leaving.rig.host().closes, Closes{ServerClose::reset_failed});
    EXPECT_EQ(leaving.rig.dials(), 1U);
    // Nothing of it is to run on for nobody: what runs is cancelled, and its answer finds the connection broken.
    EXPECT_EQ(leaving.rig.host().cancels.size(), 1U);
    EXPECT_TRUE(leaving.rig.server(0).peer.is_reset());
}

TEST(Recover, waits_as_long_as_it_is_told_to) {
    Leaving leaving(PoolRig::Options{.abandoned = Milliseconds(9000)});
    leaving.leaver.send(client::query("select"), Asked::query);
    leaving.leave();
    leaving.rig.advance(Milliseconds(8999));
    EXPECT_TRUE(leaving.rig.server(0).is_open());
    leaving.rig.advance(Milliseconds(1));
    EXPECT_EQ(leaving.rig.host().closes, Closes{ServerClose::reset_failed});
}

// PostgreSQL drops a cancel that comes before the query has been read, without a word.
TEST(Recover, cancels_again_while_the_query_runs_on) {
    Leaving leaving;
    Server& recovering = *leaving.leaver.server;
    leaving.leaver.send(client::query("select"), Asked::query);
    leaving.leave();
    leaving.rig.advance(Milliseconds(999));
    EXPECT_TRUE(leaving.rig.host().cancels.empty());
    leaving.rig.advance(Milliseconds(1));
    EXPECT_EQ(leaving.rig.host().cancels, std::vector<const Server*>{&recovering});
    leaving.rig.advance(Milliseconds(1000));
    EXPECT_EQ(leaving.rig.host().cancels.size(), 2U);
    leaving.answer(server::error("57014", "canceled") + server::ready());
    EXPECT_EQ(leaving.next.server, &recovering);
    leaving.rig.advance(Milliseconds(1000));
    EXPECT_EQ(leaving.rig.host().cancels.size(), 2U);
}

TEST(Recover, cancels_each_statement_that_runs_on_behind_the_one_before_it) {
    Leaving leaving;
    for (int i = 0; i < 4; ++i) leaving.leaver.send(client::query("select"), Asked::query);
    leaving.leave();
    leaving.answer(server::error("57014", "canceled") + server::ready());
    EXPECT_TRUE(leaving.rig.host().cancels.empty()) << "a short one has ended before the next sweep";
    leaving.answer(server::one_row("1"));
    leaving.rig.advance(Milliseconds(50));
    EXPECT_EQ(leaving.rig.host().cancels.size(), 1U);
    leaving.rig.advance(Milliseconds(50));
    EXPECT_EQ(leaving.rig.host().cancels.size(), 1U) << "of the same statement once a second";
    leaving.answer(server::error("57014", "canceled") + server::ready());
    leaving.rig.advance(Milliseconds(50));
    EXPECT_EQ(leaving.rig.host().cancels.size(), 2U);
    leaving.answer(server::error("57014", "canceled") + server::ready());
    leaving.rig.advance(Milliseconds(50));
    EXPECT_EQ(leaving.rig.host().cancels.size(), 2U) << "nothing is left to cancel";
    EXPECT_NE(leaving.next.server, nullptr);
    EXPECT_FALSE(leaving.rig.server(0).peer.is_reset());
}

TEST(Recover, ends_a_server_that_answers_more_than_it_was_asked) {
    const Bytes answers[] = {
        server::one_row("1") + server::ready(),
        server::one_row("1") + Bytes("Z"),
        server::parse_complete(),
        server::with_length('Z', 70000),
    };
    for (const Bytes& answer : answers) {
        Leaving leaving;
        leaving.leaver.send(client::query("select"), Asked::query);
        leaving.leave();
        leaving.answer(answer);
        EXPECT_FALSE(leaving.rig.server(0).is_open());
        EXPECT_EQ(leaving.next.server, nullptr);
    }
}

TEST(Recover, waits_for_a_cancel_that_is_on_its_way) {
    Leaving leaving;
    Server& recovering = *leaving.leaver.server;
    leaving.leaver.send(client::query("select"), Asked::query);
    recovering.begin_cancel();
    leaving.leave();
    leaving.answer(server::error("57014", "canceled") + server::ready());
    EXPECT_TRUE(leaving.next.waits);
    leaving.rig.pool().end_cancel(recovering);
    EXPECT_EQ(leaving.next.server, &recovering);
}

// The cancel may end before what it cancelled has been read.
TEST(Recover, of_a_query_whose_cancel_has_ended_goes_on) {
    Leaving leaving;
    Server& recovering = *leaving.leaver.server;
    leaving.leaver.send(client::query("select"), Asked::query);
    recovering.begin_cancel();
    leaving.leave();
    leaving.rig.pool().end_cancel(recovering);
    EXPECT_TRUE(leaving.next.waits);
    leaving.answer(server::error("57014", "canceled") + server::ready());
    EXPECT_EQ(leaving.next.server, &recovering);
}

TEST(Recover, notes_what_the_client_has_deallocated) {
    Leaving leaving;
    leaving.leaver.server->statements().restore(leaving.rig.statements().intern("select 1", ""));
    leaving.leaver.send(client::query("deallocate all"), Asked::query);
    leaving.leave();
    leaving.answer(server::command_complete("DEALLOCATE ALL") + server::ready());
    ASSERT_NE(leaving.next.server, nullptr);
    EXPECT_EQ(leaving.next.server->statements().size(), 0U);
}

TEST(Recover, notes_that_the_client_has_changed_the_schema) {
    Leaving leaving;
    leaving.leaver.send(client::query("alter table t add b int"), Asked::query);
    leaving.leave();
    leaving.answer(server::command_complete("ALTER TABLE") + server::ready());
    EXPECT_EQ(leaving.rig.share().schema_changes().count(), 1U);
}

}  // namespace
}  // namespace pgsluice::pool
