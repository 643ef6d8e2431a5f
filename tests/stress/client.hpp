// A client under stress: it sends batches over one connection after another, cancels some, leaves in the middle of
// some, and compares every row that comes back with those that it asked for.
#pragma once

#include "batch.hpp"
#include "connection.hpp"

#include <atomic>
#include <map>
#include <optional>
#include <string>

namespace pgsluice::stress {

struct Settings {
    std::uint16_t port = 0;
    std::string user, database;
    bool is_rough = false;  // cancels, and leaves in the middle
};

// What a client has seen. `wrong` says what must never be: a row that is not its own, one that is missing without an
// error, an error that nothing here explains, a hang.
struct Report {
    std::uint64_t queries = 0;  // that were answered, with rows or with an error
    std::uint64_t rows = 0;     // compared
    std::uint64_t connections = 0, cancels = 0, departures = 0;
    std::map<std::string, std::uint64_t> errors;  // by SQLSTATE
    std::vector<std::string> wrong;

    Report& operator+=(const Report& other);
};

class Client {
  public:
    Client(Settings settings, std::uint64_t number, std::uint64_t seed);

    // Until `left` queries, which all clients take from, are answered; or something was wrong.
    void run(std::atomic<std::int64_t>& left);
    const Report& report() const { return report_; }

  private:
    void converse(Connection& connection, std::atomic<std::int64_t>& left);
    void leave_within(Connection& connection, const Batch& batch);
    void cancel(const Connection& connection);
    bool read_answers(Connection& connection, const Batch& batch);
    bool is_explained(ByteView error);
    void wrong(std::string text);

    const Settings settings_;
    const std::uint64_t number_;
    Batches batches_;
    std::mt19937_64 random_;
    Report report_;
};

}  // namespace pgsluice::stress
