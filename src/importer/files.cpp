#include "files.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace pgsluice::importer {
namespace {

constexpr std::uintmax_t largest_file_bytes = 64 << 20;

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

std::optional<std::string> read_file(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
    if (std::filesystem::file_size(path, error) > largest_file_bytes || error) return std::nullopt;
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.good() && !file.eof()) return std::nullopt;
    return text;
}

}  // namespace pgsluice::importer
