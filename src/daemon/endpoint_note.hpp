// Where the endpoint of metrics and health is, noted in the runtime folder by the process that serves it, for `pgsluice
// health`: meanwhile the files may name another place, which waits for a restart, for a reload or to be corrected, and
// a container's health check must not end a healthy process for that.
#pragma once

#include <pgsluice/config/config.hpp>
#include <pgsluice/http/client.hpp>

#include <optional>
#include <string>

namespace pgsluice::daemon {

class EndpointNote {
  public:
    // Of the process that runs by this configuration file. Nothing is written yet.
    explicit EndpointNote(const std::string& configuration);
    EndpointNote(const EndpointNote&) = delete;
    EndpointNote& operator=(const EndpointNote&) = delete;
    // Takes away what it has written.
    ~EndpointNote();

    // Where the folder is not there or cannot be written, nothing is noted: whoever asks goes by the files then.
    void write(const http::Endpoint& endpoint);
    // What an earlier process may have left that was killed.
    void remove();

  private:
    std::string path_;
    bool is_written_ = false;
};

// Where this one is asked: over TCP, where it is served there.
http::Endpoint endpoint_of(const config::AdminHttp& admin);

// What a process that runs by this file has noted, or one that was killed; nullopt: nothing.
std::optional<http::Endpoint> noted_endpoint(const std::string& configuration);

}  // namespace pgsluice::daemon
