// Files are read as they were when they were opened, and what is none is not waited for.
#include "files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace pgsluice::importer {
namespace {

namespace fs = std::filesystem;

class ReadFile : public testing::Test {
  protected:
    ReadFile() {
        std::string made = testing::TempDir() + "read_file_XXXXXX";
        folder = ::mkdtemp(made.data());
    }
    ~ReadFile() override { fs::remove_all(folder); }

    fs::path folder;
};

TEST_F(ReadFile, gives_all_bytes_of_a_regular_file) {
    const std::string text = std::string(200'000, 'x') + std::string(1, '\0') + "\r\nend";
    std::ofstream(folder / "file", std::ios::binary) << text;
    EXPECT_EQ(read_file(folder / "file"), text);
    std::ofstream(folder / "empty").close();
    EXPECT_EQ(read_file(folder / "empty"), "");
}

TEST_F(ReadFile, gives_nothing_of_what_is_none) {
    EXPECT_FALSE(read_file(folder / "none"));
    EXPECT_FALSE(read_file(folder));
    ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
    EXPECT_FALSE(read_file(folder / "pipe")) << "and does not wait for somebody who writes";
}

TEST_F(ReadFile, gives_nothing_of_one_that_is_far_too_large) {
    std::ofstream(folder / "large").close();
    fs::resize_file(folder / "large", (64U << 20) + 1);
    EXPECT_FALSE(read_file(folder / "large"));
}

}  // namespace
}  // namespace pgsluice::importer
