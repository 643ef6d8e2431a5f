// The HTTP endpoint: /metrics, /healthz and /readyz for anyone who reaches it, /api/ for those who may. It runs one
// thread of its own, so that neither a scrape nor a hostile client touches a worker.
#pragma once

#include <pgsluice/base/secret.hpp>
#include <pgsluice/base/time.hpp>
#include <pgsluice/http/answer.hpp>
#include <pgsluice/net/error.hpp>
#include <pgsluice/net/tls_context.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace pgsluice::http {

struct ServerOptions {
    std::string address;      // an IP address; empty: not over TCP
    std::uint16_t port = 0;   // 0: any free port
    std::string unix_path{};  // of a socket beside it, whose clients need no token; empty: none
    unsigned unix_mode = 0700;
    std::size_t max_connections = 64;    // beyond it the one that has kept us waiting longest is closed
    std::size_t request_bytes = 8192;    // request line and headers; requests have no body
    Milliseconds request_timeout{5000};  // from accept to the whole request, a TLS handshake included
    Milliseconds idle_timeout{60000};    // between requests of one connection, the next request included
    Milliseconds answer_timeout{10000};  // until the client has taken the whole answer
};

// What a reload may change: for connections and requests that come afterwards.
struct Credentials {
    Secret token{};                                      // for /api/ over TCP; empty: closed
    std::shared_ptr<const net::TlsServerContext> tls{};  // of what comes over TCP; nullptr: plain
};

class Server {
  public:
    // Binds and starts the thread. What the handlers refer to must outlive the server.
    static net::Outcome<std::unique_ptr<Server>> start(const ServerOptions& options, Handlers handlers,
                                                       Credentials credentials = {});
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    // Closes everything at once.
    ~Server();

    // Any thread.
    void set_credentials(Credentials credentials);
    // Joins the thread: no handler runs any more. What others still post to its executor is never run, and safe as
    // long as the server lives.
    void stop();

    std::uint16_t port() const;  // 0: not over TCP

  private:
    class Loop;
    explicit Server(std::unique_ptr<Loop> loop);
    std::unique_ptr<Loop> loop_;
};

}  // namespace pgsluice::http
