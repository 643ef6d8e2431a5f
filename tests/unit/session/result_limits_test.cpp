// Statements under `action: limit`: how large their results may be.
#include <gtest/gtest.h>
#include <support/script.hpp>

namespace pgsluice::session {
namespace {

using test::Script;
using test::World;
namespace client = test::client;
namespace server = test::server;

const std::string too_large =
    "ErrorResponse ERROR 54000 \"result is larger than policy \"small\" allows\" D=\"max_rows is 2.\" R=\"pgsluice\"\n";
const std::string cut_off = "RowDescription \"a\"\nDataRow \"1\"\nDataRow \"2\"\n";

World::Options limited(config::PoolMode mode = config::PoolMode::transaction, std::uint64_t max_bytes = 0) {
    config::Policy policy;
    policy.name = "small";
    policy.when.tables = {"big"};
    policy.action = config::PolicyAction::limit;
    if (max_bytes == 0) policy.limit.max_rows = 2;
    policy.limit.max_bytes = max_bytes;
    World::Options options;
    options.pool.mode = mode;
    options.policies = {policy};
    return options;
}

Bytes rows(int from, int to) {
    Bytes out;
    for (int i = from; i <= to; ++i) out += server::row({std::to_string(i)});
    return out;
}
Bytes result(int from, int to) {
    return server::row_description({"a"}) + rows(from, to);
}
Bytes cancelled() {
    return server::error("57014", "canceling statement due to user request");
}
void expect_cancels(Script& script, std::size_t count) {
    script.expect([count](World& world) { EXPECT_EQ(world.cancels().size(), count); });
}
void end_cancels(Script& script) {
    script.then([](World& world) { world.end_cancels(); });
}
void begin(Script& script) {
    script.client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('T'))
        .expect_to_client("CommandComplete \"BEGIN\"\nReadyForQuery T\n")
        .expect_to_server("Query \"begin\"\n");
}
Bytes execute_all(const std::string& text) {
    return client::parse("", text) + client::bind("", "") + client::execute("");
}
constexpr const char* executed = "Parse \"\" \"table big\"\nBind \"\" \"\"\nExecute \"\" 0\nFlush\n";
constexpr const char* failing = "Parse \"pgsluice_refused\" \"refused by pgsluice\"\nFlush\n";

TEST(ResultLimits, rows_beyond_are_not_passed_on_and_the_server_is_cancelled) {
    Script script(limited());
    script.client_sends(client::query("table big")).server_sends(result(1, 2)).expect_to_client(cut_off);
    expect_cancels(script, 0);
    script.server_sends(rows(3, 4)).expect_to_client("");
    expect_cancels(script, 1);
    script.server_sends(rows(5, 9) + cancelled() + server::ready())
        .expect_to_client(too_large + "ReadyForQuery I\n")
        .expect_to_server("Query \"table big\"\n");
    end_cancels(script);
    script.exchange(0, 0, "select 1");
    script.run();
}

TEST(ResultLimits, a_result_that_keeps_to_it_is_as_it_was) {
    Script script(limited());
    script.client_sends(client::query("table big"))
        .server_sends(result(1, 2) + server::command_complete("SELECT 2") + server::ready())
        .expect_to_client(cut_off + "CommandComplete \"SELECT 2\"\nReadyForQuery I\n");
    expect_cancels(script, 0);
    script.run();
}

TEST(ResultLimits, bytes_are_those_of_the_rows_as_they_are_sent) {
    const auto two = rows(1, 2).size();
    Script script(limited(config::PoolMode::transaction, two + 5));
    script.client_sends(client::query("table big"))
        .server_sends(result(1, 3) + server::command_complete("SELECT 3") + server::ready())
        .expect_to_client(
            cut_off + "ErrorResponse ERROR 54000 \"result is larger than policy \"small\" allows\" D=\"max_bytes is " +
            std::to_string(two + 5) + ".\" R=\"pgsluice\"\nReadyForQuery I\n");
    end_cancels(script);
    script.run();
}

TEST(ResultLimits, a_query_that_is_done_fails_its_transaction) {
    for (const auto mode : {config::PoolMode::transaction, config::PoolMode::session}) {
        Script script(limited(mode));
        begin(script);
        script.client_sends(client::query("table big") + client::query("select 1"))
            .server_sends(result(1, 3) + server::command_complete("SELECT 3") + server::ready('T'))
            .expect_to_client(cut_off)
            .expect_to_server("Query \"table big\"\nQuery \"refused by pgsluice\"\n");
        end_cancels(script);
        script.wait(std::chrono::milliseconds(50)).expect_to_server("Query \"select 1\"\n");
        script.server_sends(server::error("42601", "syntax error") + server::ready('E'))
            .expect_to_client(too_large + "ReadyForQuery E\n")
            .server_sends(server::error("25P02", "aborted") + server::ready('E'))
            .expect_to_client("ErrorResponse ERROR 25P02 \"aborted\"\nReadyForQuery E\n")
            .exchange(0, 0, "rollback");
        script.run();
    }
}

TEST(ResultLimits, an_execute_is_answered_before_what_follows_it_is_sent) {
    for (const auto mode : {config::PoolMode::transaction, config::PoolMode::session}) {
        Script script(limited(mode));
        script.client_sends(execute_all("table big") + client::sync())
            .expect_to_server(executed)
            .server_sends(server::parse_complete() + server::bind_complete() + rows(1, 2) +
                          server::command_complete("SELECT 2"))
            .expect_to_client(
                "ParseComplete\nBindComplete\nDataRow \"1\"\nDataRow \"2\"\nCommandComplete \"SELECT 2\"\n")
            .expect_to_server("Sync\n")
            .server_sends(server::ready())
            .expect_to_client("ReadyForQuery I\n");
        script.run();
    }
}

TEST(ResultLimits, an_execute_that_is_done_fails_its_batch) {
    for (const auto mode : {config::PoolMode::transaction, config::PoolMode::session}) {
        Script script(limited(mode));
        script.client_sends(execute_all("table big") + execute_all("select 1") + client::sync())
            .expect_to_server(executed)
            .server_sends(server::parse_complete() + server::bind_complete() + rows(1, 3) +
                          server::command_complete("SELECT 3"))
            .expect_to_client("ParseComplete\nBindComplete\nDataRow \"1\"\nDataRow \"2\"\n")
            .expect_to_server(failing);
        script.server_sends(server::error("42601", "syntax error")).expect_to_client(too_large);
        end_cancels(script);
        script.wait(std::chrono::milliseconds(50))
            .expect_to_server("Sync\n")
            .server_sends(server::ready())
            .expect_to_client("ReadyForQuery I\n")
            .exchange(0, 0, "select 1");
        script.run();
    }
}

TEST(ResultLimits, a_portal_that_is_suspended_beyond_it_fails_too) {
    Script script(limited());
    script.client_sends(client::parse("", "table big") + client::bind("", "") + client::execute("", 3) + client::sync())
        .server_sends(server::parse_complete() + server::bind_complete() + rows(1, 3) + server::portal_suspended())
        .expect_to_client("ParseComplete\nBindComplete\nDataRow \"1\"\nDataRow \"2\"\n");
    end_cancels(script);
    script.server_sends(server::error("42601", "syntax error"))
        .expect_to_client(too_large)
        .wait(std::chrono::milliseconds(50))
        .server_sends(server::ready())
        .expect_to_client("ReadyForQuery I\n");
    script.run();
}

TEST(ResultLimits, an_execute_that_is_cancelled_is_answered_by_the_policy) {
    Script script(limited());
    script.client_sends(execute_all("table big") + client::sync())
        .server_sends(server::parse_complete() + server::bind_complete() + rows(1, 3) + cancelled())
        .expect_to_client("ParseComplete\nBindComplete\nDataRow \"1\"\nDataRow \"2\"\n" + too_large)
        .expect_to_server(std::string(executed) + "Sync\n")
        .server_sends(server::ready())
        .expect_to_client("ReadyForQuery I\n");
    end_cancels(script);
    script.run();
}

TEST(ResultLimits, copy_out_counts_its_lines) {
    Script script(limited());
    script.client_sends(client::query("copy big to stdout"))
        .server_sends(server::copy_out_response() + server::copy_data("1\n") + server::copy_data("2\n") +
                      server::copy_data("3\n") + server::copy_done() + server::command_complete("COPY 3") +
                      server::ready())
        .expect_to_client("CopyOutResponse 5\nCopyData \"1\\x0a\"\nCopyData \"2\\x0a\"\n" + too_large +
                          "ReadyForQuery I\n");
    end_cancels(script);
    script.run();
}

TEST(ResultLimits, an_error_of_the_servers_own_stays_its_own) {
    Script script(limited());
    script.client_sends(client::query("table big"))
        .server_sends(result(1, 3) + server::error("22012", "division by zero") + server::ready())
        .expect_to_client(cut_off + "ErrorResponse ERROR 22012 \"division by zero\"\nReadyForQuery I\n");
    end_cancels(script);
    script.run();
}

TEST(ResultLimits, what_may_have_changed_something_is_not_cut_off) {
    for (const char* text : {"insert into big select 1 returning a", "table big; commit", "table big for update"}) {
        Script script(limited());
        script.client_sends(client::query(text))
            .server_sends(result(1, 3) + server::command_complete("OK") + server::ready())
            .expect_to_client(cut_off + "DataRow \"3\"\nCommandComplete \"OK\"\nReadyForQuery I\n");
        expect_cancels(script, 0);
        script.run();
    }
}

TEST(ResultLimits, what_is_longer_than_is_looked_into_is_still_the_servers_error) {
    World world(limited());
    world.add_client();
    world.client(0).peer.take();
    world.client_sends(0, client::query("table big"));
    world.server_sends(0, result(1, 3));
    world.server_sends(0, server::error("22012", std::string(300'000, 'x')) + server::ready());
    const std::string seen = test::describe(world.client(0).peer.take());
    EXPECT_NE(seen.find("ErrorResponse ERROR 22012"), std::string::npos);
    EXPECT_EQ(seen.find("54000"), std::string::npos);
}

TEST(ResultLimits, a_row_that_streams_is_left_out_as_a_whole) {
    World world(limited(config::PoolMode::transaction, 100));
    world.add_client();
    world.client(0).peer.take();
    world.client_sends(0, client::query("table big"));
    const Bytes row = server::row({std::string(100000, 'x')});
    world.server_sends(0, row.substr(0, 50000));
    EXPECT_EQ(world.cancels().size(), 1U);
    world.server_sends(0, row.substr(50000) + cancelled() + server::ready());
    EXPECT_NE(test::describe(world.client(0).peer.take()).find("ErrorResponse ERROR 54000"), std::string::npos);
}

TEST(ResultLimits, what_is_cut_off_is_told_once) {
    for (const std::uint64_t max_bytes : {0, 20}) {
        Script script(limited(config::PoolMode::transaction, max_bytes));
        script.client_sends(client::query("table big")).server_sends(result(1, 9));
        const std::vector<std::string> told{max_bytes == 0 ? "small max_rows: table big"
                                                           : "small max_bytes: table big"};
        script.expect([told](World& world) { EXPECT_EQ(world.limits(), told); });
        script.run();
    }
}

}  // namespace
}  // namespace pgsluice::session
