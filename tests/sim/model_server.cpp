#include "model_server.hpp"

#include "toy_language.hpp"

#include <pgsluice/base/check.hpp>
#include <pgsluice/protocol/inspection.hpp>
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>
#include <pgsluice/wire/reader.hpp>

#include <support/server_messages.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::sim {

namespace server = test::server;

namespace {

constexpr std::array<std::string_view, 2> reported{"TimeZone", "application_name"};
const std::map<std::string, std::string> defaults{{"TimeZone", "UTC"},   {"application_name", ""},
                                                  {"lock_timeout", "0"}, {"search_path", "public"},
                                                  {"work_mem", "4MB"},   {"role", "none"}};
std::string run_of(const std::string& tag, std::map<std::string, unsigned>& slept) {
    return tag + " " + std::to_string(++slept[tag]);
}

const std::string failed_block = "current transaction is aborted, commands ignored until end of transaction block";

}  // namespace

void ModelServer::run() {
    while (!asleep_) {
        const wire::Frame frame = wire::cut_frontend(unread_);
        if (frame.cut == wire::Cut::need_more) return;
        PGSLUICE_CHECK(frame.cut == wire::Cut::frame);
        if (frame.size > unread_.size()) return;
        const Bytes message = unread_.substr(0, frame.size);
        unread_.erase(0, frame.size);
        handle(frame.tag, ByteView(message).substr(5));
    }
}

void ModelServer::handle(char tag, ByteView body) {
    if (copy_) return handle_copy(tag);
    if (tag == 'S') {
        skips_ = false;
        if (block_ == Block::none) end_transaction(true);
        return ready();
    }
    if (skips_ || tag == 'd' || tag == 'c' || tag == 'f' || tag == 'H' || tag == 'X') return;
    begin_implicitly();
    switch (tag) {
        case 'Q': return handle_query(std::string(body.substr(0, body.size() - 1)));
        case 'P': return handle_parse(body);
        case 'B': return handle_bind(body);
        case 'D': return handle_describe(body);
        case 'E': return handle_execute(body);
        case 'C': return handle_close(body);
        default: PGSLUICE_CHECK(!"a message that no client of the simulation sends");
    }
}

// --- Messages

void ModelServer::handle_query(const std::string& text) {
    statements_.erase("");
    portals_.erase("");
    const Toy toy = read_toy(text);
    if (toy.kind == Toy::Kind::syntax_error) {
        fail("42601", "syntax error");
        return ready();
    }
    if (toy.kind == Toy::Kind::empty) {
        out_ += server::empty_query();
        if (block_ == Block::none) end_transaction(true);
        return ready();
    }
    Portal& portal = portals_[""] = {text, {}, 0, false};
    if (block_ == Block::failed && !toy.is_good_in_a_failed_transaction()) {
        fail("25P02", failed_block);
        return ready();
    }
    if (execute(portal, 0, true)) complete_execute();
}

// Behind a simple query's statement.
void ModelServer::complete_execute() {
    if (block_ == Block::none) end_transaction(true);
    portals_.erase("");
    ready();
}

void ModelServer::handle_parse(ByteView body) {
    const auto parse = wire::read_parse(body);
    PGSLUICE_CHECK(parse.has_value());
    if (parse->statement.empty()) statements_.erase("");
    const Toy toy = read_toy(std::string(parse->text));
    if (toy.kind == Toy::Kind::syntax_error) return fail("42601", "syntax error");
    if (block_ == Block::failed && !toy.is_good_in_a_failed_transaction()) return fail("25P02", failed_block);
    const std::string name(parse->statement);
    if (!name.empty() && statements_.contains(name))
        return fail("42P05", "prepared statement \"" + name + "\" already exists");
    statements_[name] = {std::string(parse->text), false};
    out_ += server::parse_complete();
}

void ModelServer::handle_bind(ByteView body) {
    wire::Reader reader(body);
    const std::string portal(reader.string()), name(reader.string());
    const std::int16_t formats = reader.int16();
    for (int i = 0; i < formats; ++i) reader.int16();
    std::vector<std::string> values;
    const std::int16_t count = reader.int16();
    for (int i = 0; i < count; ++i) values.emplace_back(reader.bytes(static_cast<std::size_t>(reader.int32())));
    PGSLUICE_CHECK(reader.ok());
    const auto found = statements_.find(name);
    if (found == statements_.end()) {
        return fail("26000", name.empty() ? "unnamed prepared statement does not exist"
                                          : "prepared statement \"" + name + "\" does not exist");
    }
    if (block_ == Block::failed && !read_toy(found->second.text).is_good_in_a_failed_transaction())
        return fail("25P02", failed_block);
    if (!portal.empty() && portals_.contains(portal)) return fail("42P03", "cursor \"" + portal + "\" already exists");
    portals_[portal] = {found->second.text, std::move(values), 0, false};
    out_ += server::bind_complete();
}

void ModelServer::handle_describe(ByteView body) {
    const bool is_statement = body[0] == 'S';
    const std::string name(body.substr(1, body.size() - 2));
    std::string text;
    if (is_statement) {
        const auto found = statements_.find(name);
        if (found == statements_.end()) {
            return fail("26000", name.empty() ? "unnamed prepared statement does not exist"
                                              : "prepared statement \"" + name + "\" does not exist");
        }
        text = found->second.text;
    } else {
        const auto found = portals_.find(name);
        if (found == portals_.end()) return fail("34000", "portal \"" + name + "\" does not exist");
        text = found->second.text;
    }
    const Toy toy = read_toy(text);
    if (block_ == Block::failed && toy.has_rows()) return fail("25P02", failed_block);
    if (is_statement) out_ += server::parameter_description({});
    out_ += toy.has_rows() ? server::row_description({toy.column()}) : server::no_data();
}

void ModelServer::handle_execute(ByteView body) {
    wire::Reader reader(body);
    const std::string name(reader.string());
    const auto max_rows = static_cast<std::size_t>(reader.int32());
    const auto found = portals_.find(name);
    if (found == portals_.end()) return fail("34000", "portal \"" + name + "\" does not exist");
    if (block_ == Block::failed && !read_toy(found->second.text).is_good_in_a_failed_transaction())
        return fail("25P02", failed_block);
    execute(found->second, max_rows, false);
    if (asleep_) asleep_->portal = name;
}

void ModelServer::handle_close(ByteView body) {
    const std::string name(body.substr(1, body.size() - 2));
    if (body[0] == 'S')
        statements_.erase(name);
    else
        portals_.erase(name);
    out_ += server::close_complete();
}

void ModelServer::handle_copy(char tag) {
    if (tag == 'd') {
        ++copy_->rows;
    } else if (tag == 'c') {
        complete("COPY " + std::to_string(copy_->rows));
        copy_.reset();
        complete_execute();
    } else if (tag == 'f') {
        copy_.reset();
        fail("57014", "COPY from stdin failed");
        ready();
    } else {
        PGSLUICE_CHECK(tag == 'H' || tag == 'S');
    }
}

// --- Statements

bool ModelServer::execute(Portal& portal, std::size_t max_rows, bool simple) {
    const Toy toy = read_toy(portal.text);
    const auto say = [&](const std::string& tag) {
        portal.done = true;
        complete(tag);
        return true;
    };
    const auto wrong = [&](std::string_view sqlstate, const std::string& text) {
        fail(sqlstate, text);
        if (simple) ready();
        return false;
    };
    if (portal.done && !toy.has_rows()) return wrong("55000", "portal cannot be run");
    if (toy.has_rows() && simple && toy.kind != Toy::Kind::show) out_ += server::row_description({toy.column()});
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
        case Toys::reset:
            local_.erase(toy.name);
            state_.settings.erase(toy.name);
            return say("RESET");
        case Toys::show:
            if (simple) out_ += server::row_description({toy.column()});
            out_ += server::row({value_of(toy.name)});
            return say("SHOW");
        case Toys::discard_all:
            if (block_ != Block::none) return wrong("25001", "DISCARD ALL cannot run inside a transaction block");
            state_ = {};
            local_.clear();
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
            out_ += server::row({found->second});
            return say("SELECT 1");
        }
        case Toys::prepare:
            if (statements_.contains("p")) return wrong("42P05", "prepared statement \"p\" already exists");
            statements_["p"] = {"select '" + toy.tag + "'", true};
            return say("PREPARE");
        case Toys::execute_prepared: {
            const auto found = statements_.find("p");
            if (found == statements_.end()) return wrong("26000", "prepared statement \"p\" does not exist");
            out_ += server::row({read_toy(found->second.text).tag});
            return say("SELECT 1");
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
            out_ += server::row({found->second});
            return say("FETCH 1");
        }
        case Toys::copy:
            PGSLUICE_CHECK(simple);
            copy_.emplace();
            out_ += server::copy_in_response();
            return false;
        case Toys::restore: set(portal.values.at(0), portal.values.at(1), false); return say("SELECT 0");
        case Toys::isolate: return say("SET");
        case Toys::inspect: answer_inspection(); return true;
        case Toys::syntax_error: break;
    }
    PGSLUICE_CHECK(!"nothing of this kind is executed");
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
    if (!local) {
        state_.settings[name] = value;
        local_.erase(name);
    } else if (block_ != Block::none) {
        local_[name] = value;
    }
}

std::string ModelServer::value_of(const std::string& name) const {
    if (const auto found = local_.find(name); found != local_.end()) return found->second;
    if (const auto found = state_.settings.find(name); found != state_.settings.end()) return found->second;
    return defaults.at(name);
}

void ModelServer::answer_inspection() {
    std::size_t rows = 0;
    const auto row = [&](std::string_view kind, std::string_view name, std::string_view value) {
        out_ += server::row({kind, name, value});
        ++rows;
    };
    for (const auto& [name, value] : state_.settings) {
        if (name != "role") row("s", name, value);
    }
    row("s", "role", value_of("role"));
    row("s", "session_authorization", "ann");
    if (!state_.temporary.empty()) row("p", "0", "");
    if (prepared_by_sql() > 0) row("p", "4", "");
    complete("SELECT " + std::to_string(rows));
}

std::size_t ModelServer::prepared_by_sql() const {
    return static_cast<std::size_t>(
        std::count_if(statements_.begin(), statements_.end(), [](const auto& each) { return each.second.from_sql; }));
}

// --- Transactions and what is told of them

void ModelServer::begin_implicitly() {
    if (!saved_) saved_ = state_;
}

void ModelServer::end_transaction(bool commits) {
    if (!commits && saved_) state_ = *saved_;
    saved_.reset();
    local_.clear();
    portals_.clear();
    cursors_.clear();
}

void ModelServer::fail(std::string_view sqlstate, const std::string& text) {
    out_ += server::error(sqlstate, text);
    if (block_ == Block::none)
        end_transaction(false);
    else
        block_ = Block::failed;
    // A simple query's caller says ReadyForQuery at once, and that ends the skipping.
    skips_ = true;
}

void ModelServer::complete(const std::string& tag) {
    out_ += server::command_complete(tag);
}

void ModelServer::ready() {
    skips_ = false;
    report();
    out_ += server::ready(status());
    ++readies_;
}

void ModelServer::report() {
    for (const std::string_view each : reported) {
        const std::string name(each), value = value_of(name);
        const auto before = reported_.find(name);
        if (value == (before == reported_.end() ? defaults.at(name) : before->second)) continue;
        reported_[name] = value;
        out_ += server::parameter_status(name, value);
    }
}

}  // namespace pgsluice::sim
