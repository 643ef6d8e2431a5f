// What `pgsluice health` finds of the process that runs.
#include "endpoint_note.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unit/config/folder.hpp>

#include <cstdlib>
#include <filesystem>

namespace pgsluice::daemon {
namespace {

namespace fs = std::filesystem;

class EndpointNoteTest : public testing::Test {
  protected:
    EndpointNoteTest() { ::setenv("RUNTIME_DIRECTORY", (folder.path("run") + ":/nonexistent").c_str(), 1); }
    void TearDown() override { ::unsetenv("RUNTIME_DIRECTORY"); }

    std::size_t files() const {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path("run")), {}));
    }

    const config::test::Folder folder;
    const bool is_made = fs::create_directory(folder.path("run"));
    const std::string file = folder.path();
};

TEST_F(EndpointNoteTest, says_where_the_process_is_asked_until_it_ends) {
    EXPECT_FALSE(noted_endpoint(file));
    {
        EndpointNote note(file);
        EXPECT_FALSE(noted_endpoint(file));
        note.write({.address = "::1", .port = 9930});
        ASSERT_TRUE(noted_endpoint(file));
        EXPECT_EQ(noted_endpoint(file)->address, "::1");
        EXPECT_EQ(noted_endpoint(file)->port, 9930);
        EXPECT_FALSE(noted_endpoint(file)->by_tls);
        note.write({.port = 0, .unix_path = "/run/a b.sock", .by_tls = true});
        EXPECT_EQ(noted_endpoint(file)->unix_path, "/run/a b.sock");
        EXPECT_EQ(noted_endpoint(file)->address, "");
        EXPECT_TRUE(noted_endpoint(file)->by_tls);
    }
    EXPECT_EQ(files(), 0U);
}

TEST_F(EndpointNoteTest, is_of_one_configuration_file_however_it_is_named) {
    EndpointNote note(file);
    note.write({.address = "127.0.0.1", .port = 9930});
    EXPECT_TRUE(noted_endpoint(folder.path("elsewhere/../pgsluice.yaml")));
    EXPECT_FALSE(noted_endpoint(folder.path("other.yaml")));
}

TEST_F(EndpointNoteTest, can_be_read_by_everybody) {
    const mode_t before = ::umask(0077);
    EndpointNote note(file);
    note.write({.address = "127.0.0.1", .port = 9930});
    ::umask(before);
    for (const auto& entry : fs::directory_iterator(folder.path("run")))
        EXPECT_EQ(entry.status().permissions(), fs::perms{0644}) << entry.path();
}

TEST_F(EndpointNoteTest, of_a_process_that_was_killed_is_replaced_or_taken_away) {
    {
        EndpointNote killed(file);
        killed.write({.address = "127.0.0.1", .port = 1});
        EndpointNote next(file);
        next.write({.address = "127.0.0.1", .port = 2});
        EXPECT_EQ(noted_endpoint(file)->port, 2);
        EndpointNote without_endpoint(file);
        without_endpoint.remove();
        EXPECT_FALSE(noted_endpoint(file));
    }
    EXPECT_EQ(files(), 0U);
}

TEST_F(EndpointNoteTest, of_a_process_that_did_not_come_to_write_one_takes_no_other_away) {
    EndpointNote note(file);
    note.write({.address = "127.0.0.1", .port = 9930});
    { const EndpointNote second(file); }
    EXPECT_TRUE(noted_endpoint(file));
}

TEST_F(EndpointNoteTest, that_is_no_note_says_nothing) {
    EndpointNote note(file);
    note.write({.address = "127.0.0.1", .port = 9930});
    const std::string path = fs::directory_iterator(folder.path("run"))->path().string();
    for (const char* text :
         {"", "9930", "9930 plain\n", "x plain\n127.0.0.1\n\n", "9930 plain\n\n\n", "99999 tls\n::1\n\n"}) {
        std::ofstream(path, std::ios::trunc) << text;
        EXPECT_FALSE(noted_endpoint(file)) << text;
    }
}

TEST_F(EndpointNoteTest, is_not_made_where_there_is_no_folder) {
    fs::remove(folder.path("run"));
    EndpointNote note(file);
    note.write({.address = "127.0.0.1", .port = 9930});
    EXPECT_FALSE(noted_endpoint(file));
}

}  // namespace
}  // namespace pgsluice::daemon
