#include "feed.hpp"

#include <pgsluice/protocol/client_startup.hpp>

#include <gtest/gtest.h>
#include <support/messages.hpp>

namespace pgsluice::protocol {
namespace {

namespace client = test::client;
using config::ListenerTlsMode;
using Action = ClientStartup::Action;

std::string told(const Action& action) {
    if (std::holds_alternative<ClientStartup::NeedMore>(action)) return "need more";
    if (std::holds_alternative<ClientStartup::StartTls>(action)) return "start tls";
    if (const auto* cancel = std::get_if<ClientStartup::Cancel>(&action)) {
        return "cancel " + std::to_string(cancel->process_id) + " " + cancel->secret;
    }
    if (const auto* close = std::get_if<ClientStartup::Close>(&action)) {
        if (!close->error) return "close";
        const auto& error = *close->error;
        return "close " + std::string(error.code()) + " " + error.message +
               (error.hint.empty() ? "" : " / " + error.hint);
    }
    const auto& identity = std::get<ClientStartup::Authenticate>(action).identity;
    std::string text = "authenticate " + identity.user + "@" + identity.database;
    for (const auto& [name, value] : identity.settings) text += " " + name + "=" + value;
    return text;
}

struct Result {
    std::string action;
    Bytes out;
    Bytes unread;
};

Result run(const test::Portions& portions, ListenerTlsMode mode = ListenerTlsMode::disable) {
    ClientStartup machine(mode);
    Result result;
    const auto is_waiting = [](const Action& action) {
        return std::holds_alternative<ClientStartup::NeedMore>(action);
    };
    result.action = told(test::feed(machine, portions, result.out, is_waiting, result.unread));
    return result;
}

std::string outcome(ByteView stream, ListenerTlsMode mode = ListenerTlsMode::disable) {
    return run({stream}, mode).action;
}

const Bytes alice = client::startup({{"user", "alice"}, {"database", "orders"}});

}  // namespace

TEST(ClientStartup, reads_who_the_client_is) {
    EXPECT_EQ(outcome(alice), "authenticate alice@orders");
    EXPECT_EQ(outcome(client::startup({{"user", "alice"}})), "authenticate alice@alice");
    EXPECT_EQ(outcome(client::startup({{"user", "alice"}, {"database", ""}})), "authenticate alice@alice");
}

TEST(ClientStartup, cannot_tell_how_its_bytes_were_cut) {
    const Bytes stream = client::gss_enc_request();
    const Bytes packet = client::startup({{"user", "alice"}, {"options", "-c work_mem=1MB"}, {"DateStyle", "ISO"}});
    for (const auto& portions : test::every_split(packet)) {
        EXPECT_EQ(run(portions).action, "authenticate alice@alice work_mem=1MB datestyle=ISO");
    }
    for (const auto& portions : test::every_split(stream)) {
        const auto result = run(portions);
        EXPECT_EQ(result.action, "need more");
        EXPECT_EQ(result.out, "N");
    }
}

TEST(ClientStartup, leaves_what_follows_the_startup_message) {
    const auto result = run({alice + client::password("secret")});
    EXPECT_EQ(result.action, "authenticate alice@orders");
    EXPECT_EQ(result.unread, client::password("secret"));
}

TEST(ClientStartup, of_equal_names_the_last_wins) {
    EXPECT_EQ(outcome(client::startup({{"user", "a"}, {"user", "b"}, {"database", "x"}, {"database", "y"}})),
              "authenticate b@y");
    EXPECT_EQ(outcome(client::startup({{"user", "a"}, {"TimeZone", "UTC"}, {"work_mem", "1"}, {"timezone", "CET"}})),
              "authenticate a@a work_mem=1 timezone=CET");
    EXPECT_EQ(outcome(client::startup({{"user", "a"}, {"options", "-c a"}, {"options", "-c work_mem=2"}})),
              "authenticate a@a work_mem=2");
}

TEST(ClientStartup, applies_options_before_the_parameters) {
    EXPECT_EQ(
        outcome(client::startup({{"user", "a"}, {"work_mem", "1"}, {"options", "-c work_mem=2 --search-path=s"}})),
        "authenticate a@a search_path=s work_mem=1");
}

TEST(ClientStartup, cuts_names_to_63_bytes) {
    const std::string long_name(70, 'u'), multibyte = std::string(62, 'u') + "\u00e9";
    EXPECT_EQ(outcome(client::startup({{"user", long_name}, {"database", long_name}})),
              "authenticate " + std::string(63, 'u') + "@" + std::string(63, 'u'));
    EXPECT_EQ(outcome(client::startup({{"user", multibyte}, {"database", "d"}})),
              "authenticate " + std::string(62, 'u') + "\xc3@d");
    EXPECT_EQ(outcome(client::startup({{"user", std::string(63, 'u')}, {"database", "d"}})),
              "authenticate " + std::string(63, 'u') + "@d");
}

TEST(ClientStartup, shows_the_application_name_as_postgresql_does) {
    const auto name = [](std::string_view value) {
        ClientStartup machine(ListenerTlsMode::disable);
        Bytes out;
        auto step = machine.resume(client::startup({{"user", "a"}, {"application_name", value}}), out);
        return std::get<ClientStartup::Authenticate>(step.action).identity.application_name;
    };
    EXPECT_EQ(name("psql"), "psql");
    EXPECT_EQ(name("a\nb\u00e9"), "a?b??");
    EXPECT_EQ(name(std::string(70, 'x')), std::string(63, 'x'));
}

TEST(ClientStartup, refuses_a_missing_user) {
    const std::string refusal = "close 28000 no PostgreSQL user name specified in startup packet";
    EXPECT_EQ(outcome(client::startup({})), refusal);
    EXPECT_EQ(outcome(client::startup({{"user", ""}})), refusal);
    EXPECT_EQ(outcome(client::startup({{"User", "a"}})), refusal);
}

// A setting of such a name would stand in the StartupMessage to a server as who we are.
TEST(ClientStartup, no_setting_can_pass_for_the_identity) {
    EXPECT_EQ(outcome(client::startup({{"user", "a"}, {"User", "postgres"}})),
              "close 42704 unrecognized configuration parameter \"User\"");
    EXPECT_EQ(outcome(client::startup({{"user", "a"}, {"options", "-c user=postgres"}})),
              "close 42704 unrecognized configuration parameter \"user\"");
    EXPECT_EQ(outcome(client::startup({{"user", "a"}, {"options", "-c DATABASE=x"}})),
              "close 42704 unrecognized configuration parameter \"DATABASE\"");
    EXPECT_EQ(outcome(client::startup({{"user", "a"}, {"options", "--replication=on"}})),
              "close 42704 unrecognized configuration parameter \"replication\"");
    EXPECT_EQ(outcome(client::startup({{"user", "a"}, {"options", "-c=x"}})),
              "close 42704 unrecognized configuration parameter \"\"");
}

// Only a parameter of such a name is an option of the protocol.
TEST(ClientStartup, takes_a_setting_in_options_by_whatever_name) {
    ClientStartup machine(ListenerTlsMode::disable);
    Bytes out;
    const auto step = machine.resume(
        client::startup({{"user", "a"}, {"options", "-c _pq_.x=1"}, {"_pq_.y", "2"}, {"_PQ_.z", "3"}}), out);
    const auto& identity = std::get<ClientStartup::Authenticate>(step.action).identity;
    EXPECT_EQ(identity.settings, (std::vector<wire::Setting>{{"_pq_.x", "1"}, {"_pq_.z", "3"}}));
    EXPECT_EQ(test::describe(out), "NegotiateProtocolVersion 3.0 \"_pq_.y\"\n");
}

TEST(ClientStartup, refuses_options_that_postgresql_refuses) {
    EXPECT_TRUE(
        outcome(client::startup({{"user", "a"}, {"options", "-Z"}})).starts_with("close 42601 invalid command-line"));
    EXPECT_TRUE(outcome(client::startup({{"user", "a"}, {"options", "-c a"}})).starts_with("close 42601 "));
}

TEST(ClientStartup, tells_replication_as_postgresql_reads_it) {
    const auto kind = [](std::string_view value) {
        ClientStartup machine(ListenerTlsMode::disable);
        Bytes out;
        const auto step = machine.resume(client::startup({{"user", "a"}, {"replication", value}}), out);
        const auto& identity = std::get<ClientStartup::Authenticate>(step.action).identity;
        EXPECT_TRUE(identity.settings.empty());
        return identity.replication;
    };
    for (const auto* value : {"on", "t", "TRUE", "yes", "y", "1"})
        EXPECT_EQ(kind(value), Replication::physical) << value;
    for (const auto* value : {"false", "0", "off", "of", "no", "n", "F"})
        EXPECT_EQ(kind(value), Replication::none) << value;
    EXPECT_EQ(kind("database"), Replication::logical);
    for (const std::string_view value : {"", "o", "bogus", "DATABASE", "11", "truee"}) {
        EXPECT_EQ(outcome(client::startup({{"user", "a"}, {"replication", value}})),
                  "close 22023 invalid value for parameter \"replication\": \"" + std::string(value) +
                      "\" / Valid values are: \"false\", 0, \"true\", 1, \"database\".");
    }
}

TEST(ClientStartup, negotiates_the_protocol) {
    for (const int known : {0x30000, 0x30001, 0x30002}) {
        const auto spoken = run({client::startup({{"user", "a"}}, known)});
        EXPECT_EQ(spoken.action, "authenticate a@a");
        EXPECT_EQ(spoken.out, "");
    }
    const auto newer = run({client::startup({{"user", "a"}}, 0x3270F)});
    EXPECT_EQ(newer.action, "authenticate a@a");
    EXPECT_EQ(test::describe(newer.out), "NegotiateProtocolVersion 3.2\n");
    const auto options = run({client::startup({{"user", "a"}, {"_pq_.x", "y"}, {"_pq_.z", ""}})});
    EXPECT_EQ(options.action, "authenticate a@a");
    EXPECT_EQ(test::describe(options.out), "NegotiateProtocolVersion 3.0 \"_pq_.x\" \"_pq_.z\"\n");
    const auto both = run({client::startup({{"user", "a"}, {"_pq_.x", "y"}}, 0x30063)});
    EXPECT_EQ(test::describe(both.out), "NegotiateProtocolVersion 3.2 \"_pq_.x\"\n");
    const auto nobody = run({client::startup({{"_pq_.x", "y"}}, 0x30002)});
    EXPECT_TRUE(
        test::describe(nobody.out).starts_with("NegotiateProtocolVersion 3.2 \"_pq_.x\"\nErrorResponse FATAL 28000"));
}

TEST(ClientStartup, refuses_other_protocols) {
    const auto refusal = [](const char* version) {
        return std::string("close 0A000 unsupported frontend protocol ") + version + ": server supports 3.0 to 3.2";
    };
    EXPECT_EQ(outcome(client::startup({{"user", "a"}}, 0x40000)), refusal("4.0"));
    EXPECT_EQ(outcome(client::startup({{"user", "a"}}, 0)), refusal("0.0"));
    EXPECT_EQ(outcome(client::startup({{"user", "a"}}, 0x7fff0001)), refusal("32767.1"));
    const auto old = run({client::startup({{"user", "a"}}, 0x20000)});
    EXPECT_EQ(old.action, refusal("2.0"));
    EXPECT_EQ(old.out, Bytes("EFATAL:  unsupported frontend protocol 2.0: server supports 3.0 to 3.2\n") + '\0');
}

TEST(ClientStartup, closes_without_a_word_on_a_length_that_cannot_be) {
    for (const Bytes& head : {Bytes(4, '\0'), Bytes("\0\0\0\3", 4), Bytes("\0\0\0\7", 4), Bytes("\x80\0\0\0", 4),
                              Bytes("\xff\xff\xff\xff", 4), Bytes("\0\0\x27\x15", 4), Bytes("GET / HTTP/1.1\r\n"),
                              Bytes("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)}) {
        const auto result = run({head});
        EXPECT_EQ(result.action, "close");
        EXPECT_EQ(result.out, "");
        EXPECT_EQ(result.unread, "");
    }
    EXPECT_EQ(outcome(Bytes("\0\0\x27\x14", 4)), "need more");  // 10,004: the longest
    EXPECT_EQ(outcome(Bytes("\0\0", 2)), "need more");
}

TEST(ClientStartup, refuses_a_layout_that_cannot_be) {
    const std::string refusal = "close 08P01 invalid startup packet layout: expected terminator as last byte";
    EXPECT_EQ(outcome(client::packet(0x30000)), refusal);
    EXPECT_EQ(outcome(client::packet(0x30000, "abcd")), refusal);
    EXPECT_EQ(outcome(client::packet(0x30000, ByteView("user\0", 5))), refusal);
    EXPECT_EQ(outcome(client::packet(0x30000, ByteView("user\0a\0\0x", 9))), refusal);
    for (std::size_t size = 4; size < alice.size() - 8; ++size) {
        EXPECT_TRUE(outcome(client::packet(0x30000, ByteView(alice).substr(8, size))).starts_with("close ")) << size;
    }
}

TEST(ClientStartup, answers_an_ssl_request_by_the_listeners_mode) {
    const auto plain = run({client::ssl_request()}, ListenerTlsMode::disable);
    EXPECT_EQ(plain.out, "N");
    EXPECT_EQ(plain.action, "need more");
    for (const auto mode : {ListenerTlsMode::prefer, ListenerTlsMode::require, ListenerTlsMode::verify_ca,
                            ListenerTlsMode::verify_full}) {
        const auto encrypted = run({client::ssl_request()}, mode);
        EXPECT_EQ(encrypted.out, "S");
        EXPECT_EQ(encrypted.action, "start tls");
    }
}

TEST(ClientStartup, goes_on_inside_tls) {
    ClientStartup machine(ListenerTlsMode::require);
    Bytes out;
    EXPECT_EQ(told(machine.resume(client::ssl_request(), out).action), "start tls");
    EXPECT_FALSE(machine.encrypted());
    EXPECT_EQ(told(machine.resume("", out).action), "need more");
    EXPECT_TRUE(machine.encrypted());
    EXPECT_EQ(told(machine.resume(alice, out).action), "authenticate alice@orders");
    EXPECT_EQ(out, "S");
}

TEST(ClientStartup, tells_which_protocol_is_spoken) {
    const auto minor = [](int version) {
        ClientStartup machine(ListenerTlsMode::disable);
        Bytes out;
        const auto step = machine.resume(client::startup({{"user", "a"}}, version), out);
        return std::get<ClientStartup::Authenticate>(step.action).identity.protocol_minor;
    };
    EXPECT_EQ(minor(0x30000), 0);
    EXPECT_EQ(minor(0x30001), 1);
    EXPECT_EQ(minor(0x30002), 2);
    EXPECT_EQ(minor(0x3270F), 2);
}

TEST(ClientStartup, goes_on_inside_tls_that_the_client_began_with) {
    EXPECT_TRUE(ClientStartup::begins_with_tls('\x16'));
    EXPECT_FALSE(ClientStartup::begins_with_tls('\0'));
    ClientStartup machine(ListenerTlsMode::require);
    machine.begin_encrypted();
    Bytes out;
    EXPECT_EQ(told(machine.resume(client::ssl_request(), out).action), "need more");
    EXPECT_EQ(out, "N");
    EXPECT_EQ(told(machine.resume(alice, out).action), "authenticate alice@orders");
    EXPECT_EQ(out, "N");
}

TEST(ClientStartup, refuses_bytes_behind_an_ssl_request) {
    const std::string refusal = "close 08P01 received unencrypted data after SSL request";
    const auto plain = run({client::ssl_request() + alice}, ListenerTlsMode::disable);
    EXPECT_EQ(plain.action, refusal);
    EXPECT_EQ(plain.out[0], 'N');

    ClientStartup machine(ListenerTlsMode::require);
    Bytes out;
    const auto step = machine.resume(client::ssl_request() + alice, out);
    EXPECT_EQ(told(step.action), "start tls");
    EXPECT_EQ(step.consumed, client::ssl_request().size() + alice.size());
    out.clear();
    EXPECT_EQ(told(machine.resume("", out).action), refusal);
    EXPECT_TRUE(test::describe(out).starts_with("ErrorResponse FATAL 08P01"));

    EXPECT_EQ(outcome(client::gss_enc_request() + alice),
              "close 08P01 received unencrypted data after GSSAPI encryption request");
}

TEST(ClientStartup, takes_each_request_once) {
    const auto both = run({client::ssl_request(), client::gss_enc_request(), alice});
    EXPECT_EQ(both.out, "NN");
    EXPECT_EQ(both.action, "authenticate alice@orders");
    EXPECT_EQ(run({client::gss_enc_request(), client::ssl_request()}, ListenerTlsMode::prefer).out, "NS");
    EXPECT_EQ(run({client::ssl_request(), client::ssl_request()}).action,
              "close 0A000 unsupported frontend protocol 1234.5679: server supports 3.0 to 3.2");
    EXPECT_EQ(run({client::gss_enc_request(), client::gss_enc_request()}).action,
              "close 0A000 unsupported frontend protocol 1234.5680: server supports 3.0 to 3.2");

    ClientStartup machine(ListenerTlsMode::require);
    Bytes out;
    machine.resume(client::ssl_request(), out);
    EXPECT_EQ(told(machine.resume(client::ssl_request(), out).action),
              "close 0A000 unsupported frontend protocol 1234.5679: server supports 3.0 to 3.2");
}

TEST(ClientStartup, a_request_with_a_body_is_no_request) {
    EXPECT_TRUE(
        outcome(client::packet(80877103, "x")).starts_with("close 0A000 unsupported frontend protocol 1234.5679"));
}

TEST(ClientStartup, tells_a_lack_of_tls_from_other_refusals) {
    const auto lacks_tls = [](ByteView packet) {
        ClientStartup machine(ListenerTlsMode::require);
        Bytes out;
        const ClientStartup::Step step = machine.resume(packet, out);
        const auto* close = std::get_if<ClientStartup::Close>(&step.action);
        EXPECT_NE(close, nullptr);
        return close != nullptr && close->lacks_tls;
    };
    EXPECT_TRUE(lacks_tls(alice));
    EXPECT_FALSE(lacks_tls(client::startup({{"database", "orders"}})));
}

TEST(ClientStartup, refuses_a_plain_client_where_tls_is_required) {
    for (const auto mode : {ListenerTlsMode::require, ListenerTlsMode::verify_ca, ListenerTlsMode::verify_full}) {
        EXPECT_TRUE(outcome(alice, mode).starts_with("close 28000 connection requires SSL encryption")) << int(mode);
    }
    EXPECT_EQ(outcome(alice, ListenerTlsMode::prefer), "authenticate alice@orders");
}

TEST(ClientStartup, hands_on_cancel_requests) {
    const Bytes packet = client::cancel_request(42, "abcd");
    for (const auto& portions : test::every_split(packet)) {
        const auto result = run(portions, ListenerTlsMode::require);
        EXPECT_EQ(result.action, "cancel 42 abcd");
        EXPECT_EQ(result.out, "");
    }
    EXPECT_EQ(outcome(client::cancel_request(42, Bytes(32, 's'))), "cancel 42 " + Bytes(32, 's'));
    EXPECT_EQ(outcome(client::cancel_request(42, "")), "close");
    EXPECT_EQ(outcome(client::packet(80877102)), "close");
}

TEST(ClientStartup, a_tagged_message_is_no_first_packet) {
    for (const char tag : {'p', 'Q', 'P', 'B', 'D', 'E', 'C', 'S', 'H', 'F', 'd', 'c', 'f', 'X'}) {
        EXPECT_EQ(outcome(client::message(tag, "body")), "close") << tag;
    }
}

}  // namespace pgsluice::protocol
