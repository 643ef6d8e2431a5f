#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace pgsluice::importer {
namespace {

constexpr std::size_t largest_file_bytes = 64 << 20;

struct Opened {
    // A pipe would keep it waiting for somebody who writes.
    explicit Opened(const std::string& path) : number(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;
    ~Opened() {
        if (number >= 0) ::close(number);
    }
    explicit operator bool() const { return number >= 0; }

    const int number;
};

}  // namespace

std::string find_file(const std::string& path, const std::string& beside) {
    namespace fs = std::filesystem;
    std::error_code error;
    const fs::path here = fs::absolute(path, error);
    if (error || fs::exists(here, error)) return here.lexically_normal().string();
    return file_beside(path, beside);
}

std::string file_beside(const std::string& path, const std::string& beside) {
    std::error_code error;
    return (std::filesystem::absolute(beside, error).parent_path() / path).lexically_normal().string();
}

// What has been opened is looked at, and not the name, behind which there may be something else by then.
std::optional<std::string> read_file(const std::string& path) {
    const Opened file(path);
    struct stat is {};
    if (!file || ::fstat(file.number, &is) != 0 || !S_ISREG(is.st_mode)) return std::nullopt;
    std::string text;
    std::array<char, 65536> chunk{};
    while (true) {
        const ssize_t got = ::read(file.number, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::nullopt;
        if (got == 0) return text;
        text.append(chunk.data(), static_cast<std::size_t>(got));
        if (text.size() > largest_file_bytes) return std::nullopt;
    }
}

}  // namespace pgsluice::importer
