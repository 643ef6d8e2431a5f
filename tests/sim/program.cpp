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
    Author(Random& random, std::size_t client, bool changes_session)
        : random_(random), client_(client), changes_session_(changes_session) {}

    std::vector<Step> write() {
        const std::size_t count = 1 + below(random_, 12);
        is_pipelining_ = happens(random_, 250);
        for (std::size_t i = 0; i < count; ++i) add(happens(random_, 500) ? query() : batch());
        add(client::query("rollback"));
        if (changes_session_) add(client::query("discard all"));
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
        const std::size_t kind = below(random_, 100);
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
        return changes_session_ ? change() : row();
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

    std::string row() { return "select '" + tag() + "'"; }
    std::string tag() { return "c" + std::to_string(client_) + "." + std::to_string(++tags_); }
    template <std::size_t N>
    std::string pick(const char* const (&choices)[N]) {
        return choices[below(random_, N)];
    }

    Random& random_;
    std::size_t client_;
    bool changes_session_;
    bool is_pipelining_ = false;
    std::size_t tags_ = 0;
    std::vector<Step> steps_;
    Events nothing_;
    ModelServer reader_{nothing_, ModelServer::Kind::reference};
};

}  // namespace

std::vector<Step> make_program(Random& random, std::size_t client, bool changes_session) {
    return Author(random, client, changes_session).write();
}

}  // namespace pgsluice::sim
