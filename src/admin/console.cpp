#include "reply.hpp"
#include "tables.hpp"

#include <pgsluice/admin/console.hpp>
#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>
#include <pgsluice/wire/reader.hpp>
#include <pgsluice/wire/writer.hpp>

#include <utility>

namespace pgsluice::admin {

using wire::BackendTag;
using wire::FrontendTag;
using wire::TransactionStatus;

namespace {

// A command is a line; who sends more speaks to the wrong database.
constexpr std::size_t largest_message = 8 * 1024;
constexpr std::size_t most_names = 64;  // of statements and of portals each, beside the unnamed one

// What a command answers with; none where it is no table.
Columns columns_of(const Command& command) {
    if (command.verb == Verb::setting) return {{command.argument, 25}};
    const ShownTable* table = command.verb == Verb::show ? find_table(command.argument) : nullptr;
    return table == nullptr ? Columns() : columns(table->columns);
}

wire::SqlError malformed() {
    return wire::error("08P01", "invalid message format");
}

wire::SqlError too_many_names() {
    return wire::error("54000", "too many prepared statements or portals");
}

}  // namespace

void Console::greet(const std::string& version, std::int32_t process_id, ByteView cancel_secret, Bytes& out) {
    // In the first part of the version drivers read what they may ask for.
    wire::write_parameter_status(out, "server_version", "15.0 (pgsluice " + version + ")");
    for (const char* name : {"client_encoding", "server_encoding", "standard_conforming_strings"}) {
        wire::write_parameter_status(out, name, *setting_of(name));
    }
    wire::write_parameter_status(out, "DateStyle", "ISO, MDY");
    wire::write_parameter_status(out, "TimeZone", "UTC");
    wire::write_parameter_status(out, "integer_datetimes", "on");
    wire::write_backend_key_data(out, process_id, cancel_secret);
    wire::write_ready_for_query(out, TransactionStatus::idle);
}

// Portals end with their transaction.
void Console::ready(Bytes& out) {
    if (!in_transaction_) portals_.clear();
    wire::write_ready_for_query(out, in_transaction_ ? TransactionStatus::in_transaction : TransactionStatus::idle);
}

void Console::fail(const wire::SqlError& error, Bytes& out) {
    wire::write_error(out, error);
    skips_ = true;
}

Console::Action Console::resume(Bytes& in, Bytes& out) {
    std::size_t taken = 0;
    Action action = NeedMore{};
    while (std::holds_alternative<NeedMore>(action)) {
        const ByteView rest = ByteView(in).substr(taken);
        const wire::Frame frame = wire::cut_frontend(rest);
        if (frame.cut == wire::Cut::need_more) break;
        if (frame.cut != wire::Cut::frame || frame.size > largest_message) {
            wire::write_error(out, wire::fatal("08P01", "invalid message"));
            return Ended{};
        }
        if (rest.size() < frame.size) break;
        taken += frame.size;
        const auto tag = static_cast<FrontendTag>(frame.tag);
        const ByteView body = wire::body_of(rest, frame);
        if (tag == FrontendTag::terminate) return Ended{};
        if (tag == FrontendTag::sync) {
            skips_ = false;
            ready(out);
            continue;
        }
        if (skips_) continue;
        switch (tag) {
            case FrontendTag::query: {
                const auto query_text = wire::read_query(body);
                if (!query_text) {
                    wire::write_error(out, malformed());
                    ready(out);
                    break;
                }
                action = query(query_text->text, out);
                break;
            }
            case FrontendTag::parse: parse_message(body, out); break;
            case FrontendTag::bind: bind(body, out); break;
            case FrontendTag::describe: describe(body, out); break;
            case FrontendTag::close: close(body, out); break;
            case FrontendTag::execute: action = execute(body.substr(0, body.find('\0')), out); break;
            case FrontendTag::flush: break;
            case FrontendTag::function_call:
                wire::write_error(out, wire::error("0A000", "the console has no functions"));
                ready(out);
                break;
            case FrontendTag::copy_data:
            case FrontendTag::copy_done:
            case FrontendTag::copy_fail: break;
            default:
                wire::write_error(out, wire::fatal("08P01", "invalid frontend message type"));
                in.clear();
                return Ended{};
        }
    }
    in.erase(0, taken);
    return action;
}

Console::Action Console::query(ByteView text, Bytes& out) {
    is_extended_ = false;
    formats_.clear();
    auto parsed = parse(text, role_);
    if (const auto* error = std::get_if<wire::SqlError>(&parsed)) {
        wire::write_error(out, *error);
        ready(out);
        return NeedMore{};
    }
    running_ = std::get<Command>(std::move(parsed));
    if (answer_here(running_, out)) return NeedMore{};
    return Run{running_};
}

Console::Action Console::execute(ByteView portal, Bytes& out) {
    const auto found = portals_.find(portal);
    if (found == portals_.end()) {
        fail(wire::error("34000", "portal \"" + std::string(portal) + "\" does not exist"), out);
        return NeedMore{};
    }
    auto parsed = parse(found->second.text, role_);
    if (const auto* error = std::get_if<wire::SqlError>(&parsed)) {
        fail(*error, out);
        return NeedMore{};
    }
    is_extended_ = true;
    formats_ = found->second.formats;
    running_ = std::get<Command>(std::move(parsed));
    if (answer_here(running_, out)) return NeedMore{};
    return Run{running_};
}

// What asks nothing of the process.
bool Console::answer_here(const Command& command, Bytes& out) {
    switch (command.verb) {
        case Verb::nothing:
            wire::write_empty(out, BackendTag::empty_query_response);
            if (!is_extended_) ready(out);
            return true;
        case Verb::setting: {
            const Columns shown = columns_of(command);
            if (!is_extended_) write_row_description(out, shown, formats_);
            write_row(out, shown, {std::string(*setting_of(command.argument))}, formats_);
            break;
        }
        case Verb::show:
            if (command.argument != "help") return false;
            wire::write_error(out, wire::notice(help()));
            break;
        case Verb::begin: in_transaction_ = true; break;
        case Verb::end: in_transaction_ = false; break;
        case Verb::set: break;
        default: return false;
    }
    end_command(out);
    return true;
}

void Console::end_command(Bytes& out) {
    wire::write_command_complete(out, running_.tag);
    if (!is_extended_) ready(out);
}

void Console::answer_table(const Scene& scene, Bytes& out) {
    const Columns shown = columns_of(running_);
    if (!is_extended_) write_row_description(out, shown, formats_);
    for (const Row& row : find_table(running_.argument)->rows(scene)) write_row(out, shown, row, formats_);
    end_command(out);
}

void Console::answer_done(Bytes& out) {
    end_command(out);
}

void Console::answer_error(const wire::SqlError& error, Bytes& out) {
    if (is_extended_) return fail(error, out);
    wire::write_error(out, error);
    ready(out);
}

// --- The extended protocol

void Console::parse_message(ByteView body, Bytes& out) {
    const auto message = wire::read_parse(body);
    if (!message) return fail(malformed(), out);
    auto parsed = parse(message->text, role_);
    if (const auto* error = std::get_if<wire::SqlError>(&parsed)) return fail(*error, out);
    if (!message->statement.empty()) {
        if (statements_.contains(message->statement)) {
            const std::string name(message->statement);
            return fail(wire::error("42P05", "prepared statement \"" + name + "\" already exists"), out);
        }
        if (statements_.size() >= most_names) return fail(too_many_names(), out);
    }
    statements_.insert_or_assign(std::string(message->statement), std::string(message->text));
    wire::write_empty(out, BackendTag::parse_complete);
}

void Console::bind(ByteView body, Bytes& out) {
    const auto message = wire::read_bind(body);
    if (!message) return fail(malformed(), out);
    const auto statement = statements_.find(message->statement);
    if (statement == statements_.end()) {
        return fail(
            wire::error("26000", "prepared statement \"" + std::string(message->statement) + "\" does not exist"), out);
    }
    wire::Reader reader(message->rest);
    for (std::int16_t count = reader.int16(); count > 0 && reader.ok(); --count) reader.int16();
    if (reader.int16() != 0) return fail(wire::error("08P01", "commands of the console have no parameters"), out);
    Portal portal{statement->second, {}};
    for (std::int16_t count = reader.int16(); count > 0 && reader.ok(); --count)
        portal.formats.push_back(reader.int16());
    if (!reader.ok()) return fail(malformed(), out);
    const bool is_new = !message->portal.empty() && !portals_.contains(message->portal);
    if (is_new && portals_.size() >= most_names) return fail(too_many_names(), out);
    portals_.insert_or_assign(std::string(message->portal), std::move(portal));
    wire::write_empty(out, BackendTag::bind_complete);
}

void Console::describe(ByteView body, Bytes& out) {
    const auto target = wire::read_target(body);
    if (!target) return fail(malformed(), out);
    std::string text;
    std::vector<std::int16_t> formats;
    if (target->kind == 'S') {
        const auto found = statements_.find(target->name);
        if (found == statements_.end()) return fail(wire::error("26000", "prepared statement does not exist"), out);
        text = found->second;
        wire::Writer(out).begin(BackendTag::parameter_description).int16(0).end();
    } else {
        const auto found = portals_.find(target->name);
        if (found == portals_.end()) return fail(wire::error("34000", "portal does not exist"), out);
        text = found->second.text;
        formats = found->second.formats;
    }
    const auto parsed = parse(text, role_);
    const auto* command = std::get_if<Command>(&parsed);
    const Columns shown = command == nullptr ? Columns() : columns_of(*command);
    if (shown.empty())
        wire::write_empty(out, BackendTag::no_data);
    else
        write_row_description(out, shown, formats);
}

void Console::close(ByteView body, Bytes& out) {
    const auto target = wire::read_target(body);
    if (!target) return fail(malformed(), out);
    if (target->kind == 'S') {
        if (const auto found = statements_.find(target->name); found != statements_.end()) statements_.erase(found);
    } else {
        if (const auto found = portals_.find(target->name); found != portals_.end()) portals_.erase(found);
    }
    wire::write_empty(out, BackendTag::close_complete);
}

}  // namespace pgsluice::admin
