#include "endpoint_note.hpp"

#include "runtime_folder.hpp"

#include <pgsluice/base/siphash.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>

namespace pgsluice::daemon {
namespace {

namespace fs = std::filesystem;

// Of the package and the image, where no other was given.
constexpr const char* usual_folder = "/run/pgsluice";

// One for each configuration file, by its name and not by what links lead to: a new version of the file, which
// Kubernetes puts behind a link, is the same file here.
std::string path_for(const std::string& configuration) {
    std::error_code error;
    const std::string name = fs::absolute(configuration, error).lexically_normal().string();
    const std::string given = runtime_folder();
    return fmt::format("{}/endpoint-{:016x}", given.empty() ? usual_folder : given, siphash({}, name));
}

}  // namespace

EndpointNote::EndpointNote(const std::string& configuration) : path_(path_for(configuration)) {}

EndpointNote::~EndpointNote() {
    if (is_written_) remove();
}

// Whole or not at all: somebody may read it meanwhile. Anybody may, since there is no secret in it.
void EndpointNote::write(const http::Endpoint& endpoint) {
    const std::string beside = path_ + ".new";
    std::error_code error;
    std::ofstream file(beside, std::ios::trunc);
    file << endpoint.port << ' ' << (endpoint.by_tls ? "tls" : "plain") << '\n'
         << endpoint.address << '\n'
         << endpoint.unix_path << '\n';
    file.close();
    if (file) {
        fs::permissions(beside, fs::perms{0644}, error);
        fs::rename(beside, path_, error);
        is_written_ = !error;
    }
    if (!is_written_ || error) fs::remove(beside, error);
}

void EndpointNote::remove() {
    std::error_code error;
    fs::remove(path_, error);
    is_written_ = false;
}

http::Endpoint endpoint_of(const config::AdminHttp& admin) {
    if (admin.address.empty()) return {.unix_path = admin.unix_path};
    return {.address = admin.address, .port = admin.port, .by_tls = admin.tls.is_on()};
}

std::optional<http::Endpoint> noted_endpoint(const std::string& configuration) {
    std::ifstream file(path_for(configuration));
    http::Endpoint endpoint;
    std::string how;
    file >> endpoint.port >> how;
    file.ignore();
    std::getline(file, endpoint.address);
    std::getline(file, endpoint.unix_path);
    if (!file || (endpoint.address.empty() && endpoint.unix_path.empty())) return std::nullopt;
    endpoint.by_tls = how == "tls";
    return endpoint;
}

}  // namespace pgsluice::daemon
