#include "program.hpp"

#include "model_server.hpp"

#include <support/client_messages.hpp>

#include <array>

namespace pgsluice::sim {

namespace client = test::client;

namespace {

// Writes step by step, with a server of its own beside it to know in what state each one finds the session.
class Author {
  public:
    Author(Random& random, std::size_t client, Changes changes) : random_(random), client_(client), changes_(changes) {}

    std::vector<Step> write() {
        const std::size_t count = 1 + below(random_, 12);
        is_pipelining_ = happens(random_, 250);
        for (std::size_t i = 0; i < count; ++i) add(happens(random_, 500) ? query() : batch());
        add(client::query("rollback"));
        if (changes_ != Changes::none) add(client::query("discard all"));
        is_pipelining_ = false;
        add(client::terminate());
        return std::move(steps_);
    }

  private:
    void add(const Bytes& bytes) {
        steps_.push_back({bytes, reader_.readies(), !is_pipelining_ || happens(random_, 200)});
        reader_.receive(bytes);
        reader_.take();
    }

    Bytes query() {
        if (reader_.status() != 'E' && happens(random_, 60)) {
            Bytes copy = client::query("copy sink from stdin");
            for (std::size_t rows = below(random_, 4); rows > 0; --rows) copy += client::copy_data("row\n");
            return copy + (happens(random_, 800) ? client::copy_done() : client::copy_fail("enough"));
        }
        return client::query(text());
    }

    // One extended batch, with its Sync.
    Bytes batch() {
        Bytes bytes;
        for (std::size_t units = 1 + below(random_, 4); units > 0; --units) {
            const std::string statement = pick({"", "", "s1", "s2", "s3"}), portal = pick({"", "", "", "c1"});
            if (happens(random_, 550)) bytes += client::parse(statement, text());
            if (happens(random_, 150)) bytes += client::describe_statement(statement);
            if (happens(random_, 850)) bytes += client::bind(portal, statement);
            if (happens(random_, 300)) bytes += client::describe_portal(portal);
            if (happens(random_, 900)) bytes += client::execute(portal, happens(random_, 150) ? 2 : 0);
            if (happens(random_, 100)) bytes += client::execute(portal);
            if (happens(random_, 150)) bytes += client::close_statement(statement);
            if (happens(random_, 100)) bytes += client::close_portal(portal);
            if (happens(random_, 100)) bytes += client::flush();
            if (happens(random_, 50)) bytes += client::sync();
        }
        return bytes + client::sync();
    }

    std::string text() {
        if (changes_ == Changes::all && happens(random_, 500)) return happens(random_, 300) ? change() : change_more();
        const std::size_t kind = below(random_, 100);
        if (changes_ == Changes::all && reader_.status() == 'E' && kind < 30) return "rollback to one";
        if (reader_.status() == 'E' && kind < 80) return pick({"rollback", "rollback", "commit"});
        if (reader_.status() == 'T' && kind < 25) return pick({"commit", "commit", "rollback"});
        if (reader_.status() == 'I' && kind < 20) return "begin";
        if (kind < 50) return row();
        if (kind < 58)
            return "select '" + tag() + "' from generate_series(1, " + std::to_string(below(random_, 6)) + ")";
        if (kind < 64) return "select '" + tag() + "' from pg_sleep(1)";
        if (kind < 68) return "select '" + tag() + "', 1/0";
        if (kind < 70) return "selec '" + tag() + "'";
        if (kind < 71) return "";
        // The same text from many clients, so that they share statements.
        if (kind < 76) return "select 'shared'";
        if (kind < 80 && reader_.status() == 'T')
            return happens(random_, 500) ? "declare c cursor for select '" + tag() + "'" : "fetch c";
        switch (changes_) {
            case Changes::none: return row();
            case Changes::some: return change();
            case Changes::all: break;
        }
        return happens(random_, 400) ? change() : change_more();
    }

    std::string change() {
        static constexpr std::array<const char*, 6> names{"work_mem", "lock_timeout",     "search_path",
                                                          "TimeZone", "application_name", "role"};
        const std::string name = names[below(random_, names.size())];
        switch (below(random_, 12)) {
            case 0:
            case 1: return "set " + name + " = '" + tag() + "'";
            case 2: return "set local " + name + " = '" + tag() + "'";
            case 3:
            case 4: return "show " + name;
            case 5: return "reset " + name;
            case 6: return "create temp table t as select '" + tag() + "'";
            case 7: return "table t";
            case 8: return "drop table t";
            case 9: return "prepare p as select '" + tag() + "'";
            case 10: return pick({"execute p", "deallocate p"});
            default: return pick({"discard all", "deallocate all"});
        }
    }

    std::string change_more() {
        switch (below(random_, 16)) {
            case 0:
            case 1: return reader_.status() == 'T' ? "savepoint one" : row();
            case 2: return pick({"rollback to one", "release one"});
            case 3: return pick({"listen news", "listen news", "unlisten news", "unlisten *"});
            case 4: return "select c from pg_listening_channels() c";
            case 5: return "select pg_advisory_lock(7)";
            case 6: return pick({"select pg_advisory_unlock(7)", "select pg_advisory_unlock_all()"});
            case 7: return "select count(*) from pg_locks where pid = pg_backend_pid()";
            case 8: return "declare h cursor with hold for select '" + tag() + "'";
            case 9: return pick({"fetch h", "fetch h", "close h"});
            case 10:
                return std::string("set ") + pick({"", "local "}) + pick({"app.one", "app.two"}) + " = '" + tag() + "'";
            case 11: return std::string("show ") + pick({"app.one", "app.two"});
            case 12: return std::string("reset ") + pick({"app.one", "app.two", "session authorization"});
            case 13: return "set session authorization '" + tag() + "'";
            case 14: return pick({"show session_authorization", "show role"});
            default: return configure(pick({"work_mem", "TimeZone", "role", "app.one"}));
        }
    }

    std::string configure(const std::string& name) {
        return "select set_config('" + name + "', '" + tag() + "', " + pick({"true", "false"}) + ")";
    }

    std::string row() { return "select '" + tag() + "'"; }
    std::string tag() { return "c" + std::to_string(client_) + "." + std::to_string(++tags_); }
    template <std::size_t N>
    std::string pick(const char* const (&choices)[N]) {
        return choices[below(random_, N)];
    }

    Random& random_;
    std::size_t client_;
    Changes changes_;
    bool is_pipelining_ = false;
    std::size_t tags_ = 0;
    std::vector<Step> steps_;
    Events nothing_;
    ModelServer reader_{nothing_, ModelServer::Kind::reference};
};

}  // namespace

std::vector<Step> make_program(Random& random, std::size_t client, Changes changes) {
    return Author(random, client, changes).write();
}

}  // namespace pgsluice::sim
