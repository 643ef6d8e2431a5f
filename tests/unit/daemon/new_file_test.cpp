// A file that appears whole or not at all, and takes nobody's place.
#include "new_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

// What a test wants to happen in the place of fsync(), which stands here before the C library's.
static std::function<int(int)> instead_of_fsync;

extern "C" int fsync(int file) {
    return instead_of_fsync ? instead_of_fsync(file) : static_cast<int>(::syscall(SYS_fsync, file));
}

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

// After a power failure there is no name without what was written.
TEST_F(NewFile, has_no_name_before_it_is_on_the_disk) {
    int calls = 0;
    instead_of_fsync = [&](int file) {
        ++calls;
        struct stat written {};
        EXPECT_EQ(::fstat(file, &written), 0);
        EXPECT_EQ(written.st_size, 5);
        EXPECT_FALSE(fs::exists(path));
        return 0;
    };
    EXPECT_TRUE(write_new_file(path, "a: 1\n"));
    instead_of_fsync = nullptr;
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(contents(path), "a: 1\n");
}

TEST_F(NewFile, that_the_disk_did_not_take_is_not_there) {
    instead_of_fsync = [](int) {
        errno = EIO;
        return -1;
    };
    const bool is_written = write_new_file(path, "a: 1\n");
    const int failed_with = errno;
    instead_of_fsync = nullptr;
    EXPECT_FALSE(is_written);
    EXPECT_EQ(failed_with, EIO);
    EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace pgsluice::daemon
