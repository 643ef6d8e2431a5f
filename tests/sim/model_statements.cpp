// What the statements of the toy language do.
#include "model_server.hpp"

#include <pgsluice/base/check.hpp>

#include <support/server_messages.hpp>

#include <algorithm>

namespace pgsluice::sim {

namespace server = test::server;

namespace {

const std::map<std::string, std::string> defaults{
    {"TimeZone", "UTC"}, {"application_name", ""}, {"lock_timeout", "0"},           {"search_path", "public"},
    {"work_mem", "4MB"}, {"role", "none"},         {"session_authorization", "ann"}};

std::string run_of(const std::string& tag, std::map<std::string, unsigned>& slept) {
    return tag + " " + std::to_string(++slept[tag]);
}

bool is_custom(const std::string& name) {
    return name.find('.') != std::string::npos;
}

}  // namespace

bool ModelServer::execute(Portal& portal, std::size_t max_rows, bool simple) {
    const Toy toy = read_toy(portal.text);
    const auto say = [&](const std::string& tag) { return this->say(portal, tag); };
    const auto wrong = [&](std::string_view sqlstate, const std::string& text) {
        return go_wrong(sqlstate, text, simple);
    };
    if (portal.done && !toy.has_rows()) return wrong("55000", "portal cannot be run");
    if (toy.has_rows() && simple && toy.kind != Toy::Kind::show) out_ += server::row_description({toy.column()});
    if (const auto done = execute_savepoint(toy, portal, simple)) return *done;
    if (const auto done = execute_lasting(toy, portal, simple)) return *done;
    using Toys = Toy::Kind;
    switch (toy.kind) {
        case Toys::empty: out_ += server::empty_query(); return true;
        case Toys::sleep:
            if (portal.done || portal.rows_sent > 0) return rows_of(portal, max_rows);
            if (kind_ == Kind::server && !is_woken_) {
                asleep_ = Sleep{toy.tag, run_of(toy.tag, events_.slept), "", max_rows, simple};
                return false;
            }
            if (!std::exchange(is_woken_, false)) woken_run_ = run_of(toy.tag, slept_);
            if (events_.canceled.contains(woken_run_)) return wrong("57014", "canceling statement due to user request");
            return rows_of(portal, max_rows);
        case Toys::rows: return rows_of(portal, max_rows);
        case Toys::division: return wrong("22012", "division by zero");
        case Toys::begin:
            if (block_ != Block::none)
                out_ += server::error("25001", "there is already a transaction in progress", "WARNING", 'N');
            block_ = Block::open;
            return say("BEGIN");
        case Toys::commit:
        case Toys::rollback: {
            if (block_ == Block::none)
                out_ += server::error("25P01", "there is no transaction in progress", "WARNING", 'N');
            const bool commits = toy.kind == Toys::commit && block_ != Block::failed;
            const Block before = std::exchange(block_, Block::none);
            complete(commits ? "COMMIT" : "ROLLBACK");
            if (before != Block::none || !commits) end_transaction(commits);
            return true;
        }
        case Toys::set: set(toy.name, toy.value, toy.local); return say("SET");
        case Toys::reset: reset(toy.name); return say("RESET");
        case Toys::configure: set(toy.name, toy.value, toy.local); return say_row(portal, toy.value);
        case Toys::show:
            if (!knows(toy.name)) return wrong("42704", "unrecognized configuration parameter \"" + toy.name + "\"");
            if (simple) out_ += server::row_description({toy.column()});
            return say_row(portal, value_of(toy.name), "SHOW");
        case Toys::discard_all:
            if (block_ != Block::none) return wrong("25001", "DISCARD ALL cannot run inside a transaction block");
            state_ = {};
            local_.clear();
            locks_ = 0;
            std::erase_if(statements_, [](const auto& each) { return !each.first.empty(); });
            return say("DISCARD ALL");
        case Toys::deallocate_all:
            std::erase_if(statements_, [](const auto& each) { return !each.first.empty(); });
            return say("DEALLOCATE ALL");
        case Toys::create_temporary:
            if (state_.temporary.contains("t")) return wrong("42P07", "relation \"t\" already exists");
            state_.temporary["t"] = toy.tag;
            return say("SELECT 1");
        case Toys::drop_temporary:
            if (state_.temporary.erase("t") == 0) return wrong("42P01", "table \"t\" does not exist");
            return say("DROP TABLE");
        case Toys::read_temporary: {
            const auto found = state_.temporary.find("t");
            if (found == state_.temporary.end()) return wrong("42P01", "relation \"t\" does not exist");
            return say_row(portal, found->second);
        }
        case Toys::prepare:
            if (statements_.contains("p")) return wrong("42P05", "prepared statement \"p\" already exists");
            statements_["p"] = {"select '" + toy.tag + "'", true};
            return say("PREPARE");
        case Toys::execute_prepared: {
            const auto found = statements_.find("p");
            if (found == statements_.end()) return wrong("26000", "prepared statement \"p\" does not exist");
            return say_row(portal, read_toy(found->second.text).tag);
        }
        case Toys::deallocate:
            if (statements_.erase("p") == 0) return wrong("26000", "prepared statement \"p\" does not exist");
            return say("DEALLOCATE");
        case Toys::declare:
            if (block_ == Block::none) return wrong("25P01", "DECLARE CURSOR can only be used in transaction blocks");
            cursors_["c"] = toy.tag;
            return say("DECLARE CURSOR");
        case Toys::fetch: {
            const auto found = cursors_.find("c");
            if (found == cursors_.end()) return wrong("34000", "cursor \"c\" does not exist");
            return say_row(portal, found->second, "FETCH 1");
        }
        case Toys::copy:
            PGSLUICE_CHECK(simple);
            copy_.emplace();
            out_ += server::copy_in_response();
            return false;
        case Toys::restore: set(portal.values.at(0), portal.values.at(1), false); return say("SELECT 0");
        case Toys::isolate: return say("SET");
        case Toys::inspect: answer_inspection(portal); return true;
        default: break;
    }
    PGSLUICE_CHECK(!"nothing of this kind is executed");
}

std::optional<bool> ModelServer::execute_savepoint(const Toy& toy, Portal& portal, bool simple) {
    const bool is_one =
        toy.kind == Toy::Kind::savepoint || toy.kind == Toy::Kind::rollback_to || toy.kind == Toy::Kind::release;
    if (!is_one) return {};
    if (block_ == Block::none) return go_wrong("25P01", "it can only be used in transaction blocks", simple);
    if (toy.kind == Toy::Kind::savepoint) {
        savepoints_.push_back({state_, local_, cursors_});
        return say(portal, "SAVEPOINT");
    }
    if (savepoints_.empty()) return go_wrong("3B001", "savepoint \"one\" does not exist", simple);
    if (toy.kind == Toy::Kind::release) {
        savepoints_.pop_back();
        return say(portal, "RELEASE");
    }
    const Savepoint& to = savepoints_.back();
    state_ = to.state;
    local_ = to.local;
    cursors_ = to.cursors;
    block_ = Block::open;
    return say(portal, "ROLLBACK");
}

// What stays with the session, and no other server can be given.
std::optional<bool> ModelServer::execute_lasting(const Toy& toy, Portal& portal, bool simple) {
    using Toys = Toy::Kind;
    const auto found = state_.held.find("h");
    switch (toy.kind) {
        case Toys::listen: state_.listens = true; return say(portal, "LISTEN");
        case Toys::unlisten: state_.listens = false; return say(portal, "UNLISTEN");
        case Toys::show_channels: return say_row(portal, state_.listens ? "news" : "");
        case Toys::lock: ++locks_; return say_row(portal, "");
        case Toys::unlock: {
            const bool had = locks_ > 0;
            locks_ -= had ? 1 : 0;
            return say_row(portal, had ? "t" : "f");
        }
        case Toys::unlock_all: locks_ = 0; return say_row(portal, "");
        case Toys::count_locks: return say_row(portal, std::to_string(locks_));
        case Toys::declare_held:
            if (found != state_.held.end()) return go_wrong("42P03", "cursor \"h\" already exists", simple);
            state_.held["h"] = toy.tag;
            return say(portal, "DECLARE CURSOR");
        case Toys::fetch_held:
            if (found == state_.held.end()) return go_wrong("34000", "cursor \"h\" does not exist", simple);
            return say_row(portal, found->second, "FETCH 1");
        case Toys::close_held:
            if (state_.held.erase("h") == 0) return go_wrong("34000", "cursor \"h\" does not exist", simple);
            return say(portal, "CLOSE CURSOR");
        default: return {};
    }
}

bool ModelServer::say(Portal& portal, const std::string& tag) {
    portal.done = true;
    complete(tag);
    return true;
}

bool ModelServer::say_row(Portal& portal, std::string_view value, const std::string& tag) {
    out_ += server::row({value});
    return say(portal, tag);
}

bool ModelServer::go_wrong(std::string_view sqlstate, const std::string& text, bool simple) {
    fail(sqlstate, text);
    if (simple) ready();
    return false;
}

bool ModelServer::rows_of(Portal& portal, std::size_t max_rows) {
    const Toy toy = read_toy(portal.text);
    if (portal.rows_sent == 0 && !portal.done) {
        ++runs_[toy.tag];
        if (kind_ == Kind::server) ++events_.runs[toy.tag];
    }
    std::size_t sent = 0;
    while (portal.rows_sent < toy.rows) {
        if (max_rows != 0 && sent == max_rows) {
            out_ += server::portal_suspended();
            return true;
        }
        out_ += server::row({toy.tag});
        ++portal.rows_sent;
        ++sent;
    }
    portal.done = true;
    complete("SELECT " + std::to_string(sent));
    return true;
}

void ModelServer::wake() {
    const Sleep slept = *std::exchange(asleep_, std::nullopt);
    is_woken_ = true;
    woken_run_ = slept.run;
    Portal& portal = portals_.at(slept.portal);
    if (slept.simple) {
        // It has described its rows.
        const std::size_t before = out_.size();
        const bool over = execute(portal, slept.max_rows, true);
        out_.erase(before, server::row_description({read_toy("select ''").column()}).size());
        if (over) complete_execute();
    } else {
        execute(portal, slept.max_rows, false);
    }
    run();
}

std::optional<std::string> ModelServer::cancel() {
    if (!asleep_) return {};
    const std::string tag = asleep_->tag;
    events_.canceled.insert(asleep_->run);
    wake();
    return tag;
}

void ModelServer::set(const std::string& name, const std::string& value, bool local) {
    if (is_custom(name)) custom_.insert(name);
    if (!local) {
        if (name == "session_authorization") reset("role");
        state_.settings[name] = value;
        local_.erase(name);
    } else if (block_ != Block::none) {
        local_[name] = value;
    }
}

void ModelServer::reset(const std::string& name) {
    if (is_custom(name)) custom_.insert(name);
    if (name == "session_authorization") reset("role");
    local_.erase(name);
    state_.settings.erase(name);
}

bool ModelServer::knows(const std::string& name) const {
    return !is_custom(name) || custom_.contains(name);
}

std::string ModelServer::default_of(const std::string& name) {
    return is_custom(name) ? "" : defaults.at(name);
}

std::string ModelServer::value_of(const std::string& name) const {
    if (const auto found = local_.find(name); found != local_.end()) return found->second;
    if (const auto found = state_.settings.find(name); found != state_.settings.end()) return found->second;
    return default_of(name);
}

void ModelServer::answer_inspection(const Portal& portal) {
    std::size_t rows = 0;
    const auto row = [&](std::string_view kind, std::string_view name, std::string_view value) {
        out_ += server::row({kind, name, value});
        ++rows;
    };
    for (const auto& [name, value] : state_.settings) {
        if (name != "role" && name != "session_authorization" && !is_custom(name)) row("s", name, value);
    }
    row("s", "role", value_of("role"));
    row("s", "session_authorization", value_of("session_authorization"));
    for (const std::string& name : custom_) {
        if (portal.values.at(0).find('"' + name + '"') != std::string::npos) row("s", name, value_of(name));
    }
    if (!state_.temporary.empty()) row("p", "0", "");
    if (locks_ > 0 && portal.values.at(1) == "t") row("p", "1", "");
    if (state_.listens) row("p", "2", "");
    if (!state_.held.empty()) row("p", "3", "");
    if (prepared_by_sql() > 0) row("p", "4", "");
    complete("SELECT " + std::to_string(rows));
}

std::string ModelServer::leftovers() const {
    std::string left;
    if (!state_.temporary.empty()) left += "a temporary table, ";
    if (locks_ > 0) left += "a lock, ";
    if (state_.listens) left += "a channel, ";
    if (!state_.held.empty()) left += "a cursor, ";
    if (prepared_by_sql() > 0) left += "a prepared statement, ";
    return left;
}

std::size_t ModelServer::prepared_by_sql() const {
    return static_cast<std::size_t>(
        std::count_if(statements_.begin(), statements_.end(), [](const auto& each) { return each.second.from_sql; }));
}

}  // namespace pgsluice::sim
