// Feeds every file of the named folders to a fuzz target, whole and in each of its prefixes, so that any build can run
// the corpora as a test.
#include "fuzz.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

int main(int count, char** arguments) {
    std::size_t files = 0;
    for (int i = 1; i < count; ++i) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(arguments[i])) {
            if (!entry.is_regular_file()) continue;
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(file)), {});
            const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
            for (std::size_t size = 0; size <= bytes.size(); size += bytes.size() / 256 + 1) {
                LLVMFuzzerTestOneInput(data, size);
            }
            LLVMFuzzerTestOneInput(data, bytes.size());
            ++files;
        }
    }
    std::printf("%zu files\n", files);
    return files == 0 ? 1 : 0;
}
