#include "ledger.hpp"

#include <pgsluice/protocol/asking.hpp>

#include <support/describe.hpp>
#include <support/messages.hpp>

#include <array>

namespace pgsluice::protocol {
namespace {

namespace server = test::server;

TEST(Asking, owes_each_message_the_reply_that_its_fate_says) {
    Ledger ledger;
    Bytes sent;
    Asking asking(sent, ledger.exchange, Fate::inspect);
    asking.parse_anew("s", "select $1", ByteView("\0\1\0\0\0\27", 6));
    const std::array<ByteView, 1> values{"7"};
    asking.run("s", values);
    asking.close_portal("");
    asking.sync();
    asking.query("commit");
    EXPECT_EQ(test::describe_client(sent),
              "Close S \"s\"\nParse \"s\" \"select $1\" 23\nBind \"\" \"s\" \"7\"\nExecute \"\" 0\nClose P \"\"\nSync\n"
              "Query \"commit\"\n");
    EXPECT_EQ(ledger.settle(server::close_complete() + server::parse_complete() + server::bind_complete() +
                            server::command_complete("SELECT 1") + server::close_complete() + server::ready('T') +
                            server::command_complete("COMMIT") + server::ready('I')),
              "inspected CloseComplete\ninspected ParseComplete\ninspected BindComplete\n"
              "inspected CommandComplete \"SELECT 1\"\ninspected CloseComplete\ninspected ReadyForQuery T\n"
              "inspected CommandComplete \"COMMIT\"\ninspected ReadyForQuery I\n");
    EXPECT_TRUE(ledger.exchange.at_rest());
}

}  // namespace
}  // namespace pgsluice::protocol
