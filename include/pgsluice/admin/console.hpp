// One client of the console: its messages, by the simple and by the extended protocol, to commands, and their answers
// to messages. Sans-io: who drives it carries out the commands.
#pragma once

#include <pgsluice/admin/command.hpp>
#include <pgsluice/admin/scene.hpp>
#include <pgsluice/admin/table.hpp>

#include <map>
#include <string>
#include <vector>

namespace pgsluice::admin {

class Console {
  public:
    struct NeedMore {};
    // It has asked for this, whose answer is to be given before anything else.
    struct Run {
        Command command;
    };
    struct Ended {};
    using Action = std::variant<NeedMore, Run, Ended>;

    explicit Console(Role role) : role_(role) {}

    // Behind AuthenticationOk: what PostgreSQL tells a client at its login.
    static void greet(const std::string& version, std::int32_t process_id, ByteView cancel_secret, Bytes& out);

    // Takes messages from the front of `in`, and appends what is answered to `out`.
    Action resume(Bytes& in, Bytes& out);
    // The answer to the command of the last Run: a table of SHOW, or that it has been done, or why not.
    void answer_table(const Scene& scene, Bytes& out);
    void answer_done(Bytes& out);
    void answer_error(const wire::SqlError& error, Bytes& out);

  private:
    struct Portal {
        std::string text;
        std::vector<std::int16_t> formats;
    };

    Action query(ByteView text, Bytes& out);
    Action execute(ByteView portal, Bytes& out);
    void parse_message(ByteView body, Bytes& out);
    void bind(ByteView body, Bytes& out);
    void describe(ByteView body, Bytes& out);
    void close(ByteView body, Bytes& out);
    bool answer_here(const Command& command, Bytes& out);
    void fail(const wire::SqlError& error, Bytes& out);
    void end_command(Bytes& out);
    void ready(Bytes& out);

    const Role role_;
    Command running_;
    std::vector<std::int16_t> formats_;  // of the columns of what runs
    bool is_extended_ = false;           // what runs was asked for by Execute
    bool skips_ = false;                 // to the next Sync
    bool in_transaction_ = false;        // so a driver believes
    std::map<std::string, std::string, std::less<>> statements_;
    std::map<std::string, Portal, std::less<>> portals_;
};

}  // namespace pgsluice::admin
