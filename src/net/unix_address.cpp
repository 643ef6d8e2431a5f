#include "socket_address.hpp"

#include <pgsluice/net/listener.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <ctime>
#include <optional>

namespace pgsluice::net {

namespace {

constexpr int backlog = 4096;

Error failure(const std::string& what) {
    const error_code code(errno, boost::system::system_category());
    return {code, what + ": " + code.message()};
}

Error in_use(const std::string& path, const std::string& by) {
    return {error_code(EADDRINUSE, boost::system::system_category()),
            "could not listen on \"" + path + "\": already in use by " + by};
}

// The process that a lock file names in its first line; 0 where the file is empty, as one is whose maker died before it
// wrote. Nothing: it holds something else. PostgreSQL writes a standalone backend's number with a minus sign.
std::optional<pid_t> owner_in(int lock) {
    char text[32];
    const ssize_t size = ::pread(lock, text, sizeof text, 0);
    if (size == 0) return 0;
    if (size < 0) return std::nullopt;
    const char* const begin = text[0] == '-' ? text + 1 : text;
    const char* const end = text + size;
    pid_t owner = 0;
    const auto [behind, error] = std::from_chars(begin, end, owner);
    if (error != std::errc{} || owner <= 0 || (behind != end && *behind != '\n')) return std::nullopt;
    return owner;
}

// Permission denied means that a number once ours has gone to another user's process, as PostgreSQL reads it too.
bool is_alive(pid_t owner) {
    return owner > 0 && owner != ::getpid() && owner != ::getppid() && ::kill(owner, 0) == 0;
}

bool is_same_file(int fd, const std::string& path) {
    struct stat held {};
    struct stat named {};
    return ::fstat(fd, &held) == 0 && ::lstat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
           held.st_dev == named.st_dev;
}

Error not_a_lock(const std::string& lock_path, const std::string& why) {
    return {.code = {},
            .text = "lock file \"" + lock_path + "\" " + why + ": remove it if nobody needs it, or listen elsewhere"};
}

// Other pgsluices are kept out by an flock, which dies with its process; a PostgreSQL by the process number in the
// file. The file is overwritten, and who else may write to the folder may have put another one in its place.
Outcome<Descriptor> take_lock(const std::string& lock_path, const std::string& path) {
    for (;;) {
        Descriptor lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
        if (!lock && errno == ELOOP) return not_a_lock(lock_path, "is a symbolic link");
        if (!lock) return failure("could not create lock file \"" + lock_path + "\"");
        if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return in_use(path, "another pgsluice");
        if (!is_same_file(lock.get(), lock_path)) continue;  // its last owner has just unlinked it
        struct stat file {};
        if (::fstat(lock.get(), &file) != 0) return failure("could not look at lock file \"" + lock_path + "\"");
        if (!S_ISREG(file.st_mode)) return not_a_lock(lock_path, "is no regular file");
        if (file.st_nlink != 1) return not_a_lock(lock_path, "has another name too");
        const std::optional<pid_t> owner = owner_in(lock.get());
        if (owner && is_alive(*owner)) return in_use(path, "process " + std::to_string(*owner));
        if (file.st_uid != ::geteuid() && file.st_uid != 0) return not_a_lock(lock_path, "belongs to another account");
        if (!owner) return not_a_lock(lock_path, "does not begin with the number of a process");
        return lock;
    }
}

// The lines of PostgreSQL's file: process, data directory, start, port, socket directory.
bool write_owner(int lock, const std::string& directory, std::uint16_t port) {
    const std::string text = std::to_string(::getpid()) + "\npgsluice\n" + std::to_string(std::time(nullptr)) + "\n" +
                             std::to_string(port) + "\n" + directory + "\n";
    return ::ftruncate(lock, 0) == 0 &&
           ::pwrite(lock, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
}

}  // namespace

Outcome<UnixAddress> UnixAddress::listen(const std::string& directory, std::uint16_t port, mode_t mode) {
    return make(unix_socket_path(directory, port), directory, port, mode);
}

Outcome<UnixAddress> UnixAddress::listen_at(const std::string& path, mode_t mode) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode)) {
        return Error{.code = {}, .text = "could not listen on \"" + path + "\": it is there and is no socket"};
    }
    return make(path, path.substr(0, path.rfind('/')), 0, mode);
}

Outcome<UnixAddress> UnixAddress::make(const std::string& path, const std::string& directory, std::uint16_t port,
                                       mode_t mode) {
    const std::string what = "could not listen on \"" + path + "\"";
    const auto address = unix_socket_address(path);
    if (!address) return Error{.code = {}, .text = what + ": the path is too long"};

    auto lock = take_lock(path + ".lock", path);
    if (!lock) return lock.error();
    UnixAddress made;
    made.lock_ = std::move(*lock);
    made.path_ = path;
    made.lock_path_ = path + ".lock";
    if (!write_owner(made.lock_.get(), directory, port)) return failure("could not write \"" + made.lock_path_ + "\"");

    made.socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!made.socket_) return failure(what);
    ::unlink(path.c_str());
    if (::bind(made.socket_.get(), &address->any, address->size) != 0) return failure(what);
    // Nobody can connect before listen(), so no one passes under the mode that the umask gave.
    if (::chmod(path.c_str(), mode) != 0) return failure(what);
    if (::listen(made.socket_.get(), backlog) != 0) return failure(what);
    return made;
}

UnixAddress::~UnixAddress() {
    if (path_.empty()) return;
    ::unlink(path_.c_str());
    ::unlink(lock_path_.c_str());
}

}  // namespace pgsluice::net
