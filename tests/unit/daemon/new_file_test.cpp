// A file that appears whole or not at all, and takes nobody's place.
#include "new_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace pgsluice::daemon {
namespace {

namespace fs = std::filesystem;

class NewFile : public testing::Test {
  protected:
    NewFile() {
        std::string made = testing::TempDir() + "new_file_XXXXXX";
        folder = ::mkdtemp(made.data());
        path = folder / "out.yaml";
    }
    ~NewFile() override { fs::remove_all(folder); }

    static std::string contents(const fs::path& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
    }

    fs::path folder, path;
};

TEST_F(NewFile, is_readable_by_its_owner_alone) {
    ASSERT_TRUE(write_new_file(path, "a: 1\n"));
    struct stat made {};
    ASSERT_EQ(::stat(path.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 0777, 0600U);
    EXPECT_EQ(made.st_nlink, 1U);
    EXPECT_EQ(contents(path), "a: 1\n");
    EXPECT_EQ(files(), 1U);
}

TEST_F(NewFile, replaces_none) {
    std::ofstream(path) << "mine";
    EXPECT_FALSE(write_new_file(path, "theirs"));
    EXPECT_EQ(errno, EEXIST);
    EXPECT_EQ(contents(path), "mine");
    EXPECT_EQ(files(), 1U);
    EXPECT_FALSE(write_new_file(folder / "none" / "out.yaml", "text"));
    EXPECT_EQ(errno, ENOENT);
}

TEST_F(NewFile, that_could_not_be_written_to_its_end_is_not_there) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{4096, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const bool is_written = write_new_file(path, std::string(10'000, 'x'));
    const int failed_with = errno;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    std::signal(SIGXFSZ, handler);
    EXPECT_FALSE(is_written);
    EXPECT_EQ(failed_with, EFBIG);
    EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace pgsluice::daemon
