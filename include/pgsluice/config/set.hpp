// One key of a configuration that is in force, changed: what SET of the console does.
#pragma once

#include <pgsluice/config/config.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace pgsluice::config {

struct NotSet {
    enum class Why : std::uint8_t {
        unknown_key,
        restart_only,  // it changes when the process starts again
        files_only,    // who may log in, what is allowed, and where it goes: see KeyInfo::is_settable
        bad_value,     // by itself, or beside the other keys
    };
    Why why;
    std::string text;  // begins with the key's path
};

// `path` as print_keys() writes it, `value` as the file would, without quotes. Reads no file.
std::variant<Config, NotSet> set(const Config& config, const std::string& path, const std::string& value);

}  // namespace pgsluice::config
