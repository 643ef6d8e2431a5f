#include "reader.hpp"

#include <pgsluice/base/escape.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <tuple>

namespace pgsluice::config {
namespace {

class Descriptor {
  public:
    // Non-blocking, so that naming a FIFO is an error and not a hang.
    explicit Descriptor(const std::string& path)
        : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    bool is_open() const { return fd_ >= 0; }
    int fd() const { return fd_; }

  private:
    int fd_;
};

// What keeps the file from being read; empty where nothing does.
std::string refusal(const Descriptor& file, struct stat& status) {
    if (!file.is_open() || ::fstat(file.fd(), &status) != 0) return std::strerror(errno);
    if (!S_ISREG(status.st_mode)) return "not a regular file";
    return {};
}

std::optional<std::string> read_all(int fd, std::size_t limit_bytes) {
    std::string text;
    char chunk[16384];
    while (true) {
        const ssize_t got = ::read(fd, chunk, sizeof chunk);
        if (got == 0) return text;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::nullopt;
        text.append(chunk, static_cast<std::size_t>(got));
        if (text.size() > limit_bytes) return std::nullopt;
    }
}

// Empty where there is no working directory any more: what is relative cannot be read then either.
std::string folder_of(const std::string& path) {
    std::error_code error;
    return std::filesystem::absolute(path, error).lexically_normal().parent_path().string();
}

}  // namespace

Reader::Reader(const std::string& configuration_path)
    : main_file_(configuration_path), folder_(folder_of(configuration_path)) {}

void Reader::problem(const Place& place, const std::string& key_path, std::string text) {
    problems_.push_back({place.file, place.line, place.column, key_path, std::move(text)});
}

void Reader::warning(const Node& node, std::string text) {
    warnings_.push_back({node.place.file, node.place.line, node.place.column, node.path, std::move(text)});
}

std::string Reader::absolute(std::string_view path) const {
    const std::filesystem::path given(path);
    std::string out =
        (given.is_absolute() ? given : std::filesystem::path(folder_) / given).lexically_normal().string();
    if (out.size() > 1 && out.back() == '/') out.pop_back();
    return out;
}

std::optional<std::string> Reader::contents(const std::string& path, const Node& node, Holds holds,
                                            std::size_t limit_bytes) {
    depend_on(path);
    const Descriptor file(path);
    struct stat status {};
    if (const std::string why = refusal(file, status); !why.empty()) {
        problem(node, "cannot read " + path + ": " + why);
        return std::nullopt;
    }
    if (holds == Holds::secrets && !permits(path, status.st_mode, node)) return std::nullopt;
    auto text = read_all(file.fd(), limit_bytes);
    if (!text) problem(node, "cannot read " + path + ": it is longer than " + std::to_string(limit_bytes) + " bytes");
    return text;
}

void Reader::expect_readable(const std::string& path, const Node& node, Holds holds) {
    depend_on(path);
    const Descriptor file(path);
    struct stat status {};
    if (const std::string why = refusal(file, status); !why.empty()) {
        problem(node, "cannot read " + path + ": " + why);
    } else if (holds == Holds::secrets) {
        permits(path, status.st_mode, node);
    }
}

void Reader::expect_writable(const std::string& path, const Node& node) {
    struct stat status {};
    const bool is_there = ::stat(path.c_str(), &status) == 0;
    if (is_there && S_ISDIR(status.st_mode)) return problem(node, "cannot write " + path + ": it is a folder");
    const std::string folder = std::filesystem::path(path).parent_path().string();
    const int wanted = is_there ? W_OK : W_OK | X_OK;
    if (::faccessat(AT_FDCWD, (is_there ? path : folder).c_str(), wanted, AT_EACCESS) == 0) return;
    const std::string why = std::strerror(errno);
    problem(node, "cannot write " + path + ": " + (is_there ? "" : folder + ": ") + why);
}

void Reader::holds_a_password(const Node& node) {
    struct stat status {};
    if (::stat(node.place.file.c_str(), &status) == 0) permits(node.place.file, status.st_mode, node);
}

// Whoever can write a secret file can log in as anybody, so that is refused always; reading is the administrator's
// choice.
bool Reader::permits(const std::string& path, std::uint32_t mode, const Node& node) {
    if ((mode & (S_IWGRP | S_IWOTH)) != 0) {
        problem(node, path +
                          " holds secrets and can be written by its group or by others; allowed is at most mode 0644 "
                          "(better 0640 or 0600)");
        return false;
    }
    const bool known =
        std::any_of(loose_.begin(), loose_.end(), [&](const LooseFile& file) { return file.path == path; });
    if ((mode & S_IROTH) != 0 && !known) {
        loose_.push_back({path, {node.place.file, node.place.line, node.place.column, node.path, {}}});
    }
    return true;
}

void Reader::settle_loose_files(SecretFiles rule) {
    for (LooseFile& file : loose_) {
        file.at.text = file.path + " holds secrets and can be read by others; allowed is mode 0640 or 0600";
        if (rule == SecretFiles::enforce) file.at.text += " (security.secret_files: enforce)";
        (rule == SecretFiles::enforce ? problems_ : warnings_).push_back(file.at);
    }
}

void Reader::depend_on(const std::string& path) {
    if (std::find(files_.begin(), files_.end(), path) == files_.end()) files_.push_back(path);
}

Loaded Reader::finish(Config config) {
    const auto by_place = [this](const Problem& a, const Problem& b) {
        const auto rank = [this](const Problem& p) {
            return std::tuple(p.file != main_file_, p.file, p.line, p.column);
        };
        return rank(a) < rank(b);
    };
    std::stable_sort(problems_.begin(), problems_.end(), by_place);
    std::stable_sort(warnings_.begin(), warnings_.end(), by_place);
    Loaded loaded;
    if (problems_.empty()) {
        config.path = main_file_;
        config.files = std::move(files_);
        config.loose_secret_files = static_cast<std::uint32_t>(loose_.size());
        loaded.config = std::move(config);
    }
    loaded.problems = std::move(problems_);
    loaded.warnings = std::move(warnings_);
    return loaded;
}

std::string place_of_file(const std::string& path) {
    std::error_code error;
    const auto found = std::filesystem::weakly_canonical(path, error);
    return error ? path : found.string();
}

std::string shown(const Node& node) {
    if (node.interpolated) return "the value filled in";
    return '"' + escaped(node.text, 80) + '"';
}

}  // namespace pgsluice::config
