#include "new_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace pgsluice::daemon {
namespace {

bool write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// Its errno is the one of what failed first.
bool close_after(int file, bool is_good) {
    const int failed_with = errno;
    const bool is_closed = ::close(file) == 0;
    if (!is_good) errno = failed_with;
    return is_good && is_closed;
}

}  // namespace

bool write_new_file(const std::string& path, std::string_view text) {
    std::string beside = path + ".XXXXXX";
    const int file = ::mkstemp(beside.data());  // 0600
    if (file < 0) return false;
    // On the disk first: after a power failure a name may be there without what was written. link() takes no name that
    // somebody has, as rename() would.
    const bool is_on_disk = write_all(file, text) && ::fsync(file) == 0;
    const bool is_good = close_after(file, is_on_disk) && ::link(beside.c_str(), path.c_str()) == 0;
    const int failed_with = errno;
    ::unlink(beside.c_str());
    errno = failed_with;
    return is_good;
}

}  // namespace pgsluice::daemon
