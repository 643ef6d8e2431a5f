// DEALLOCATE of one name of the protocol, of all, and by statements that may do so.
#include "statement_scripts.hpp"

#include <gtest/gtest.h>

namespace pgsluice::session {
namespace {

const std::string deallocates =
    "Close S \"pgsluice_gone\"\nParse \"pgsluice_gone\" \"\"\nQuery \"DEALLOCATE pgsluice_gone\"\n";
const Bytes deallocated =
    server::close_complete() + server::parse_complete() + server::command_complete("DEALLOCATE") + server::ready();

std::string binds_deallocation(const std::string& portal) {
    return "Close S \"pgsluice_gone\"\nParse \"pgsluice_gone\" \"\"\nClose S \"pgsluice_deallocate\"\n"
           "Parse \"pgsluice_deallocate\" \"DEALLOCATE pgsluice_gone\"\nBind \"" +
           portal + "\" \"pgsluice_deallocate\"\n";
}
const Bytes bound_deallocation = server::close_complete() + server::parse_complete() + server::close_complete() +
                                 server::parse_complete() + server::bind_complete();

World::Options preserving() {
    World::Options options;
    options.pool.session_state = config::SessionState::preserve;
    return options;
}

// The text "A" is prepared by this name of the client's.
Script& prepare(Script& script, std::string_view name) {
    return script.client_sends(client::parse(name, "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepares("A") + "Sync\n");
}

}  // namespace

TEST(Deallocate, all_takes_this_clients_names_only) {
    for (const char* tag : {"DEALLOCATE ALL", "DISCARD ALL"}) {
        Script script;
        script.add_client()
            .client_sends(client::parse("a", "A") + client::sync())
            .server_sends(server::parse_complete() + server::ready())
            .client_sends(1, client::parse("b", "A") + client::sync())
            .server_sends(server::ready())
            .client_sends(client::query("take all"))
            .server_sends(server::command_complete(tag) + server::ready())
            .then([](World& world) {
                if (world.pools().servers() > 0) world.server(0).take();
            })
            .client_sends(client::bind("", "a") + client::sync())
            .expect_to_server("Bind \"\" \"a\"\nSync\n")
            .server_sends(server::error("26000", "no") + server::ready())
            // The text is prepared again for the other.
            .client_sends(1, run("b"))
            .expect_to_server(prepares("A") + runs("A"));
        script.run();
    }
}

// The text stays for others, and the server answers as it would.
TEST(Deallocate, takes_the_name_of_one) {
    Script script;
    prepare(script, "A1")
        .then([](World& world) { world.client(0).peer.take(); })
        .client_sends(client::query("DEALLOCATE PREPARE \"A1\""))
        .expect_to_server(deallocates)
        .server_sends(deallocated)
        .expect_to_client("CommandComplete \"DEALLOCATE\"\nReadyForQuery I\n")
        .client_sends(client::bind("", "A1") + client::sync())
        .expect_to_server("Bind \"\" \"A1\"\nSync\n")
        .server_sends(server::error("26000", "no") + server::ready())
        .client_sends(client::parse("A1", "A") + run("A1"))
        .expect_to_server(runs("A"));
    script.run();
}

TEST(Deallocate, takes_the_name_of_one_by_the_extended_protocol_too) {
    Script script(preserving());
    prepare(script, "s")
        .then([](World& world) { world.client(0).peer.take(); })
        .client_sends(client::parse("", "DEALLOCATE s") + client::bind() + client::execute() + client::sync())
        .expect_to_server("Parse \"\" \"DEALLOCATE s\"\nFlush\n")
        .server_sends(server::parse_complete())
        .expect_to_server(binds_deallocation("") + "Execute \"\" 0\nSync\n")
        .server_sends(bound_deallocation + server::command_complete("DEALLOCATE") + server::ready())
        .expect_to_client("ParseComplete\nBindComplete\nCommandComplete \"DEALLOCATE\"\nReadyForQuery I\n")
        .client_sends(client::bind("", "s") + client::sync())
        .expect_to_server("Bind \"\" \"s\"\nSync\n");
    script.run();
}

// A setting that is being changed makes every text another one: what is prepared for the portal would never be there.
TEST(Deallocate, waits_for_what_was_asked_before_and_for_nothing_of_its_own) {
    World::Options options = preserving();
    options.pool.size = 2;
    Script script(options);
    const std::string sets = "select set_config('work_mem', '7MB', false)";
    prepare(script, "s")
        .client_sends(client::parse("d", "deallocate s") + client::sync())
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(prepares("deallocate s") + "Sync\n")
        .add_client();
    hold_server(script, 1, 0);
    script
        .client_sends(client::parse("", sets) + client::bind() + client::execute() + client::bind("p", "d") +
                      client::sync())
        .expect_to_server(1, "Parse \"\" \"" + sets + "\"\nBind \"\" \"\"\nExecute \"\" 0\nFlush\n")
        .server_sends(1, server::parse_complete() + server::bind_complete() + server::row({"7MB"}) +
                             server::command_complete("SELECT 1"))
        .expect_to_server(1, binds_deallocation("p") + "Sync\n");
    script.run_whole_unbroken();
}

// What the name stands for is known when it is bound, not when the text is parsed.
TEST(Deallocate, that_was_parsed_before_the_name_was_takes_it) {
    Script script(preserving());
    script.client_sends(client::parse("", "DEALLOCATE s") + client::sync())
        .expect_to_server("Parse \"\" \"DEALLOCATE s\"\nSync\n")
        .server_sends(server::parse_complete() + server::ready());
    prepare(script, "s")
        .client_sends(client::bind() + client::execute() + client::sync())
        .expect_to_server(binds_deallocation("") + "Execute \"\" 0\nSync\n")
        .server_sends(bound_deallocation + server::command_complete("DEALLOCATE") + server::ready())
        .client_sends(client::bind("", "s") + client::sync())
        .expect_to_server("Bind \"\" \"s\"\nSync\n");
    script.run();
}

TEST(Deallocate, that_is_bound_wrongly_is_told_by_the_clients_name) {
    for (const std::string name : {"d", ""}) {
        Script script(preserving());
        prepare(script, "s")
            .client_sends(client::parse(name, "deallocate s") + client::sync())
            .server_sends(server::parse_complete() + server::ready())
            .then([](World& world) {
                world.client(0).peer.take();
                if (world.pools().servers() > 0) world.server(0).take();
            })
            .client_sends(client::bind("p", name) + client::sync())
            .expect_to_server(binds_deallocation("p") + "Sync\n")
            .server_sends(server::close_complete() + server::parse_complete() + server::close_complete() +
                          server::parse_complete() +
                          server::error("08P01", "statement \"pgsluice_deallocate\" requires 0") + server::ready())
            .expect_to_client("ErrorResponse ERROR 08P01 \"statement \"" + name + "\" requires 0\"\nReadyForQuery I\n");
        script.run();
    }
}

TEST(Deallocate, by_a_statement_with_a_name_takes_its_name_each_time) {
    Script script(preserving());
    prepare(script, "s")
        .client_sends(client::parse("d", "deallocate s") + client::sync())
        .expect_to_server(prepares("deallocate s") + "Sync\n")
        .server_sends(server::parse_complete() + server::ready());
    for (int round = 0; round < 2; ++round) {
        script.client_sends(client::bind("p", "d") + client::execute("p") + client::sync())
            .expect_to_server(binds_deallocation("p") + "Execute \"p\" 0\nSync\n")
            .server_sends(bound_deallocation + server::command_complete("DEALLOCATE") + server::ready())
            .client_sends(client::parse("s", "A") + client::sync())
            .expect_to_server("Sync\n")
            .server_sends(server::ready());
    }
    script.run();
}

// Each takes the name that it was bound for, in whatever order they run.
TEST(Deallocate, by_several_portals_takes_the_name_of_each_that_runs) {
    Script script;
    prepare(script, "a")
        .client_sends(client::query("begin"))
        .server_sends(server::command_complete("BEGIN") + server::ready('T'));
    script.client_sends(client::parse("b", "A") + client::sync())
        .server_sends(server::ready('T'))
        .then([](World& world) { world.server(0).take(); })
        .client_sends(client::parse("", "deallocate a") + client::bind("pa") + client::flush())
        .expect_to_server("Parse \"\" \"deallocate a\"\nFlush\n")
        .server_sends(server::parse_complete())
        .expect_to_server(binds_deallocation("pa") + "Flush\n")
        .server_sends(bound_deallocation)
        .client_sends(client::parse("", "deallocate b") + client::bind("pb") + client::flush())
        .expect_to_server("Parse \"\" \"deallocate b\"\nFlush\n")
        .server_sends(server::parse_complete())
        .expect_to_server(binds_deallocation("pb") + "Flush\n")
        .server_sends(bound_deallocation)
        .client_sends(client::execute("pa") + client::sync())
        .expect_to_server("Execute \"pa\" 0\nSync\n")
        .server_sends(server::command_complete("DEALLOCATE") + server::ready('T'))
        .client_sends(client::bind("", "a") + client::sync())
        .expect_to_server("Bind \"\" \"a\"\nSync\n")
        .server_sends(server::error("26000", "no") + server::ready('E'))
        .client_sends(client::query("rollback"))
        .server_sends(server::command_complete("ROLLBACK") + server::ready())
        .then([](World& world) { world.server(0).take(); })
        .client_sends(run("b"))
        .expect_to_server(runs("A"));
    script.run();
}

TEST(Deallocate, lets_what_follows_wait_for_its_answer) {
    Script script;
    script
        .client_sends(client::parse("s", "A") + client::sync() + client::query("deallocate s") +
                      client::parse("s", "B") + client::sync())
        .expect_to_server(prepares("A") + "Sync\n")
        .server_sends(server::parse_complete() + server::ready())
        .expect_to_server(deallocates)
        .server_sends(deallocated)
        .expect_to_server(prepares("B") + "Sync\n");
    script.run();
}

// PostgreSQL refuses it in a transaction that has failed, and a cancel may hit it.
TEST(Deallocate, that_fails_takes_no_name) {
    Script script;
    script.client_sends(client::parse("s", "A") + client::sync())
        .server_sends(server::parse_complete() + server::ready('E'))
        .expect_to_server(prepares("A") + "Sync\n")
        .client_sends(client::query("deallocate s"))
        .expect_to_server("Query \"deallocate s\"\n")
        .server_sends(server::error("25P02", "aborted") + server::ready('E'))
        .client_sends(client::query("rollback"))
        .server_sends(server::command_complete("ROLLBACK") + server::ready())
        .expect_to_server("Query \"rollback\"\n")
        .client_sends(client::query("deallocate s"))
        .expect_to_server(deallocates)
        .server_sends(server::close_complete() + server::parse_complete() + server::error("57014", "canceled") +
                      server::ready())
        .client_sends(client::query("deallocate by_sql"))
        .server_sends(server::command_complete("DEALLOCATE") + server::ready())
        .expect_to_server("Query \"deallocate by_sql\"\n")
        .client_sends(run("s"))
        .expect_to_server(runs("A"));
    script.run();
}

// The server would not know them, and the client's error would be ours.
TEST(Deallocate, is_waited_for_where_it_may_take_them) {
    Script script(preserving());
    prepare(script, "s")
        .client_sends(client::query("deallocate all") + client::bind("", "s") + client::sync())
        .expect_to_server("Query \"deallocate all\"\n")
        .server_sends(server::command_complete("DEALLOCATE ALL") + server::ready())
        .expect_to_server("Bind \"\" \"s\"\nSync\n");
    script.run();
}

TEST(Deallocate, within_a_batch_takes_effect_in_it) {
    Script script(preserving());
    script
        .client_sends(client::parse("s", "deallocate all") + client::bind("", "s") + client::describe_portal("") +
                      client::execute() + client::parse("s", "B") + client::sync())
        .expect_to_server(prepares("deallocate all") + "Bind \"\" \"" + our_name("deallocate all") + "\"\nFlush\n")
        .server_sends(server::parse_complete() + server::bind_complete())
        .expect_to_server("Describe P \"\"\nExecute \"\" 0\nFlush\n")
        .server_sends(server::no_data() + server::command_complete("DEALLOCATE ALL"))
        .expect_to_server(prepares("B") + "Sync\n");
    script.run();
}

}  // namespace pgsluice::session
