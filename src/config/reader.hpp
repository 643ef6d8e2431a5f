// What one load() has found so far: problems, warnings, and the files that the configuration depends on. Every file
// that the configuration names is opened here, so that the rules for secret files hold in one place.
#pragma once

#include "node.hpp"

#include <pgsluice/config/load.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::config {

class Reader {
  public:
    explicit Reader(const std::string& configuration_path);

    // At the value, or at its key: a key that is unknown, a section that lacks something.
    void problem(const Node& node, std::string text) { problem(node.place, node.path, std::move(text)); }
    void problem_at_key(const Node& node, std::string text) { problem(node.key_place, node.path, std::move(text)); }
    void problem(const Place& place, const std::string& key_path, std::string text);
    void warning(const Node& node, std::string text);

    // Relative to the configuration file's folder.
    std::string absolute(std::string_view path) const;

    enum class Holds : std::uint8_t { secrets, nothing_secret };
    // The contents of a regular file of at most `limit_bytes`; otherwise nullopt and a problem at `node`.
    std::optional<std::string> contents(const std::string& path, const Node& node, Holds holds,
                                        std::size_t limit_bytes);
    // A file that another layer will read (certificates, keys): its existence and mode only.
    void expect_readable(const std::string& path, const Node& node, Holds holds);
    // A file that another layer will append to. It is not made here: whoever checks may be another account.
    void expect_writable(const std::string& path, const Node& node);
    // A configuration file that spells out a password becomes a secret file.
    void holds_a_password(const Node& node);

    // Secret files that others can read are judged when security.secret_files is known.
    void settle_loose_files(SecretFiles rule);

    const std::string& main_file() const { return main_file_; }
    const std::vector<Problem>& problems() const { return problems_; }
    const std::vector<std::string>& files() const { return files_; }  // read so far, each once
    Loaded finish(Config config);                                     // consumes everything found

  private:
    struct LooseFile {
        std::string path;
        Problem at;
    };
    bool permits(const std::string& path, std::uint32_t mode, const Node& node);
    void depend_on(const std::string& path);

    std::string main_file_, folder_;
    std::vector<Problem> problems_, warnings_;
    std::vector<std::string> files_;
    std::vector<LooseFile> loose_;
};

// What tells whether two paths lead to one file: the path without links and dots, whether or not the file is there. The
// path as it is where that cannot be found out (a circle of links, a folder without rights): whoever opens it says why.
std::string place_of_file(const std::string& path);

// `text` in quotes and safe for one line, for messages about the value of `node`; a placeholder where it may be a
// secret.
std::string shown(const Node& node);

}  // namespace pgsluice::config
