// The HTTP endpoint: /metrics, /healthz and /readyz for anyone who reaches its address. It runs one thread of its own,
// so that neither a scrape nor a hostile client touches a worker.
#pragma once

#include <pgsluice/base/result.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/http/answer.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace pgsluice::http {

struct ServerOptions {
    std::string address;                 // an IP address
    std::uint16_t port = 0;              // 0: any free port
    std::size_t max_connections = 64;    // beyond it the one that has kept us waiting longest for its request is closed
    std::size_t request_bytes = 8192;    // request line and headers; requests have no body
    Milliseconds request_timeout{5000};  // from accept to the whole request
    Milliseconds idle_timeout{60000};    // between requests of one connection, the next request included
    Milliseconds answer_timeout{10000};  // until the client has taken the whole answer
};

class Server {
  public:
    // Binds and starts the thread. What the handlers refer to must outlive the server.
    static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Handlers handlers);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    // Closes everything at once and joins the thread.
    ~Server();

    std::uint16_t port() const;

  private:
    class Loop;
    explicit Server(std::unique_ptr<Loop> loop);
    std::unique_ptr<Loop> loop_;
};

}  // namespace pgsluice::http
