#include "model_server.hpp"

#include <pgsluice/base/check.hpp>
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
    forget_unnamed();
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

void ModelServer::forget_unnamed() {
    statements_.erase("");
    portals_.erase("");
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
    savepoints_.clear();
}

void ModelServer::fail(std::string_view sqlstate, const std::string& text) {
    fail_by(server::error(sqlstate, text));
}

void ModelServer::refuse(ByteView message, ByteView error) {
    const bool is_query = message[0] == 'Q';
    if (is_query) forget_unnamed();
    if (message[0] == 'P' && message[5] == '\0') statements_.erase("");
    fail_by(error);
    if (is_query) ready();
}

void ModelServer::fail_by(ByteView error) {
    out_ += error;
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
        if (value == (before == reported_.end() ? default_of(name) : before->second)) continue;
        reported_[name] = value;
        out_ += server::parameter_status(name, value);
    }
}

}  // namespace pgsluice::sim
