#include "server_connection.hpp"

#include <pgsluice/wire/backend_messages.hpp>
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/frontend_messages.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <boost/asio/error.hpp>

#include <array>
#include <utility>

namespace pgsluice::daemon {
namespace {

using wire::BackendTag;
using wire::FrontendTag;

// Answers to our own statements: a few rows. For one message, and for all rows together.
constexpr std::size_t longest_answer = 1 << 20;

std::size_t bytes_of(const Row& row) {
    std::size_t bytes = sizeof row + row.values.size() * sizeof row.values[0];
    for (const auto& value : row.values) bytes += value ? value->size() : 0;
    return bytes;
}

Bytes request_for(const std::string& sql, const std::vector<std::string>& values) {
    Bytes request;
    if (values.empty()) {
        wire::write_query(request, sql);
        return request;
    }
    const std::vector<ByteView> bound(values.begin(), values.end());
    wire::write_parse(request, "", sql, wire::no_parameter_types);
    wire::write_bind(request, "", "", bound);
    wire::write_execute(request, "", 0);
    wire::write_empty(request, FrontendTag::sync);
    return request;
}

void note(std::vector<wire::Setting>& reported, const wire::ParameterStatus& status) {
    for (auto& [name, value] : reported) {
        if (name == status.name) value = status.value;
    }
}

// What a server may say at any time, asked or not, may stand behind its answer. Anything else there, a part of a
// message included, would be taken for the answer to whatever is asked next.
bool holds_asides_only(ByteView rest, std::vector<wire::Setting>* reported) {
    while (!rest.empty()) {
        const wire::Frame frame = wire::cut_backend(rest);
        if (frame.cut != wire::Cut::frame || rest.size() < frame.size) return false;
        const auto tag = static_cast<BackendTag>(frame.tag);
        if (tag == BackendTag::parameter_status && reported != nullptr) {
            if (const auto status = wire::read_parameter_status(wire::body_of(rest, frame))) note(*reported, *status);
        } else if (tag != BackendTag::parameter_status && tag != BackendTag::notice_response &&
                   tag != BackendTag::notification_response) {
            return false;
        }
        rest.remove_prefix(frame.size);
    }
    return true;
}

// What the server said is not what was asked for.
net::Error no_answer(std::string why) {
    return {{}, std::move(why)};
}

}  // namespace

boost::asio::awaitable<net::Outcome<Rows>> run_statement(net::Link& link, std::string sql,
                                                         std::vector<std::string> values, TimePoint until,
                                                         std::vector<wire::Setting>* reported, std::string* refused) {
    const Bytes request = request_for(sql, values);
    if (const error_code error = co_await link.write_all(request, until)) {
        co_return net::Error{error, error.message()};
    }
    Rows rows;
    std::size_t row_bytes = 0;
    std::string failure, sqlstate;
    Bytes in;
    std::array<char, 4096> chunk{};
    const std::span<char> into(chunk);
    while (true) {
        const wire::Frame frame = wire::cut_backend(in);
        if (frame.cut != wire::Cut::frame && frame.cut != wire::Cut::need_more)
            co_return no_answer("lost synchronization");
        if (frame.cut == wire::Cut::need_more || in.size() < frame.size) {
            if (in.size() > longest_answer) co_return no_answer("the answer is too long");
            const Result<std::size_t> got = co_await link.read_some(into, until);
            // A FATAL is a server's last word, and tells more than the end behind it.
            if (!got && got.error() == boost::asio::error::eof && !failure.empty()) co_return no_answer(failure);
            if (!got) co_return net::Error{got.error(), got.error().message()};
            in.append(chunk.data(), *got);
            continue;
        }
        const ByteView body = wire::body_of(in, frame);
        const auto tag = static_cast<BackendTag>(frame.tag);
        if (tag == BackendTag::data_row) {
            const auto fields = wire::read_data_row(body);
            if (!fields) co_return no_answer("malformed row");
            Row row;
            for (const auto& field : *fields) row.values.emplace_back(field);
            row_bytes += bytes_of(row);
            if (row_bytes > longest_answer) co_return no_answer("the answer has too many rows");
            rows.push_back(std::move(row));
        } else if (tag == BackendTag::parameter_status && reported != nullptr) {
            if (const auto status = wire::read_parameter_status(body)) note(*reported, *status);
        } else if (tag == BackendTag::error_response) {
            wire::ErrorFields fields;
            wire::read_error(body, fields);
            sqlstate = fields.sqlstate;
            failure = "server error " + std::string(fields.sqlstate) + ": " + std::string(fields.message);
        } else if (tag == BackendTag::ready_for_query) {
            if (!holds_asides_only(ByteView(in).substr(frame.size), reported))
                co_return no_answer("the server sent more than its answer");
            const bool is_idle = wire::read_ready_for_query(body) == wire::TransactionStatus::idle;
            if (refused != nullptr && is_idle) *refused = sqlstate;
            if (!failure.empty()) co_return no_answer(failure);
            if (!is_idle) co_return no_answer("it left a transaction open");
            co_return rows;
        }
        in.erase(0, frame.size);
    }
}

}  // namespace pgsluice::daemon
