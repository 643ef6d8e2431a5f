#include "client.hpp"

#include <pgsluice/wire/sql_error.hpp>
#include <pgsluice/wire/startup_packet.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string_view>
#include <thread>

namespace pgsluice::stress {
namespace {

using namespace std::chrono_literals;

// What killed servers, crashes, cancels and timeouts are told as, and what a transaction says that one of them has
// failed.
constexpr std::array<std::string_view, 7> explained{"57P01", "57P02", "57P03", "57014", "08006", "53300", "25P02"};

std::uint64_t number_in(ByteView text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : ~std::uint64_t{0};
}

Row row_of(ByteView first, ByteView second) {
    return {number_in(first), number_in(second)};
}

// Of a DataRow, or of a line of COPY data.
Row read_row(const Message& message) {
    if (message.tag == wire::BackendTag::data_row) {
        const auto values = wire::read_data_row(message.body);
        return values && values->size() == 2 ? row_of((*values)[0].value_or(""), (*values)[1].value_or(""))
                                             : row_of("", "");
    }
    const ByteView line = message.body.substr(0, message.body.find('\n'));
    const auto tab = line.find('\t');
    return tab == ByteView::npos ? row_of("", "") : row_of(line.substr(0, tab), line.substr(tab + 1));
}

std::string to_string(const Row& row) {
    return std::to_string(row.client) + ',' + std::to_string(row.number);
}

}  // namespace

Report& Report::operator+=(const Report& other) {
    queries += other.queries;
    rows += other.rows;
    connections += other.connections;
    cancels += other.cancels;
    departures += other.departures;
    for (const auto& [sqlstate, count] : other.errors) errors[sqlstate] += count;
    wrong.insert(wrong.end(), other.wrong.begin(), other.wrong.end());
    return *this;
}

Client::Client(Settings settings, std::uint64_t number, std::uint64_t seed)
    : settings_(std::move(settings)),
      number_(number),
      batches_(number, seed * 1000003 + number, settings_.is_rough),
      random_(seed ^ number) {}

void Client::run(std::atomic<std::int64_t>& left) {
    while (left > 0 && report_.wrong.empty()) {
        try {
            Connection connection(settings_.port);
            connection.log_in(settings_.user, settings_.database);
            ++report_.connections;
            batches_.forget();
            converse(connection, left);
        } catch (const Lost&) {
            std::this_thread::sleep_for(10ms);  // the server may be starting again
        } catch (const std::exception& problem) {
            wrong(problem.what());
        }
    }
}

void Client::converse(Connection& connection, std::atomic<std::int64_t>& left) {
    while (left > 0 && report_.wrong.empty()) {
        const Batch batch = batches_.next();
        if (settings_.is_rough && random_() % 500 == 0) return leave_within(connection, batch);
        connection.send(batch.bytes);
        if (settings_.is_rough && (batch.is_slow || random_() % 100 == 0)) cancel(connection);
        left -= static_cast<std::int64_t>(batch.queries);
        if (!read_answers(connection, batch)) return;
        report_.queries += batch.queries;
    }
}

// Half a message, or all of them without a wait for what they bring.
void Client::leave_within(Connection& connection, const Batch& batch) {
    connection.send(ByteView(batch.bytes).substr(0, random_() % (batch.bytes.size() + 1)));
    if (random_() % 2 == 0) connection.reset();
    ++report_.departures;
}

void Client::cancel(const Connection& connection) {
    Bytes request;
    wire::write_cancel_request(request, connection.key().process_id, connection.secret());
    Connection other(settings_.port);
    other.send(request);
    other.wait_for_end();
    ++report_.cancels;
}

// False where the connection is at its end.
bool Client::read_answers(Connection& connection, const Batch& batch) {
    auto expected = batch.rows.begin();
    bool has_failed = false;
    for (std::size_t ready = 0; ready < batch.ready;) {
        const Message message = connection.next();
        if (message.tag == wire::BackendTag::ready_for_query) {
            ++ready;
        } else if (message.tag == wire::BackendTag::error_response) {
            has_failed = true;
            if (!is_explained(message.body)) return false;
        } else if (message.tag == wire::BackendTag::data_row || message.tag == wire::BackendTag::copy_data) {
            // An error skips rows; it brings none and changes none.
            const Row row = read_row(message);
            const auto found = std::find(expected, batch.rows.end(), row);
            if (found == batch.rows.end() || (found != expected && !has_failed)) {
                wrong("row " + to_string(row) + " instead of " +
                      (expected == batch.rows.end() ? "none" : to_string(*expected)));
                return false;
            }
            expected = found + 1;
            ++report_.rows;
        }
    }
    if (has_failed) batches_.doubt();
    if (expected != batch.rows.end() && !has_failed) wrong("row " + to_string(*expected) + " did not come");
    return true;
}

bool Client::is_explained(ByteView error) {
    wire::ErrorFields fields;
    if (!wire::read_error(error, fields)) {
        wrong("a malformed error");
        return false;
    }
    ++report_.errors[Bytes(fields.sqlstate)];
    if (std::find(explained.begin(), explained.end(), fields.sqlstate) != explained.end()) return true;
    wrong(Bytes(fields.sqlstate) + ' ' + Bytes(fields.message));
    return false;
}

void Client::wrong(std::string text) {
    report_.wrong.push_back("client " + std::to_string(number_) + ": " + std::move(text));
}

}  // namespace pgsluice::stress
