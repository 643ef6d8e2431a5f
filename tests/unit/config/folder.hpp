// A folder with configuration files, gone when the test ends, and the shortest configuration that loads.
#pragma once

#include <pgsluice/config/load.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace pgsluice::config::test {

class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "pgsluice_config_XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    std::string path(const std::string& name = "pgsluice.yaml") const { return path_ + '/' + name; }

    std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
        std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
        std::ofstream(path(name), std::ios::binary) << text;
        ::chmod(path(name).c_str(), mode);
        return path(name);
    }

    Loaded load(const std::string& text) const { return config::load(write("pgsluice.yaml", text)); }

    // Problems as printed, without the folder.
    std::vector<std::string> problems(const std::string& text) const { return lines(load(text).problems); }
    std::vector<std::string> warnings(const std::string& text) const { return lines(load(text).warnings); }

    std::vector<std::string> lines(const std::vector<Problem>& problems) const {
        std::vector<std::string> out;
        for (const Problem& problem : problems) out.push_back(without_folder(problem.to_string()));
        return out;
    }

  private:
    std::string without_folder(std::string text) const {
        for (auto at = text.find(path_ + '/'); at != std::string::npos; at = text.find(path_ + '/')) {
            text.erase(at, path_.size() + 1);
        }
        return text;
    }

    std::string path_;
};

// A test case's text for its name in ctest, which takes neither brackets nor quotes.
inline std::string words_of(std::string text) {
    for (char& c : text) {
        const bool is_plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
        if (!is_plain) c = ' ';
    }
    return text.substr(0, 100);
}

// Tests append sections to it, which then begin at line 5.
inline const std::string base =
    "listeners: [ { address: 127.0.0.1 } ]\n"
    "auth: { rules: [ { method: scram-sha-256 } ], users: [ { name: ann, password: secret } ] }\n"
    "clusters: { main: { servers: [ { host: /run/postgresql } ] } }\n"
    "routes: [ { name: all, cluster: main } ]\n";

}  // namespace pgsluice::config::test
