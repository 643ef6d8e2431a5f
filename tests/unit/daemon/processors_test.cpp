// Quotas of control groups, in folders made like those of the kernel.
#include "processors.hpp"

#include <gtest/gtest.h>
#include <support/certificates.hpp>

#include <fstream>

namespace pgsluice::daemon {
namespace {

class Processors : public testing::Test {
  protected:
    void write(const std::string& file, const std::string& text) const {
        const std::filesystem::path path(root / file);
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text << '\n';
    }
    std::optional<double> quota(std::string_view groups) const { return processor_quota(root / "", groups); }

    test::TemporaryDirectory root;
};

TEST_F(Processors, have_no_quota_where_no_group_has_one) {
    EXPECT_EQ(quota(""), std::nullopt);
    EXPECT_EQ(quota("0::/\n"), std::nullopt);
    write("system.slice/cpu.max", "max 100000");
    write("system.slice/pgsluice.service/cpu.max", "max 100000");
    EXPECT_EQ(quota("0::/system.slice/pgsluice.service\n"), std::nullopt);
}

// As with CPUQuota= of systemd: the root has no such file.
TEST_F(Processors, are_those_of_the_processs_own_group) {
    write("system.slice/cpu.max", "max 100000");
    write("system.slice/pgsluice.service/cpu.max", "150000 100000");
    write("system.slice/other.service/cpu.max", "50000 100000");
    EXPECT_EQ(quota("0::/system.slice/pgsluice.service\n"), 1.5);
    EXPECT_EQ(quota("0::/system.slice\n"), std::nullopt);
    EXPECT_EQ(quota("0::/system.slice/pgsluice.service"), 1.5) << "without the end of the line";
}

TEST_F(Processors, are_the_least_on_the_way_to_the_root) {
    write("a/cpu.max", "200000 100000");
    write("a/b/cpu.max", "max 100000");
    write("a/b/c/cpu.max", "800000 100000");
    EXPECT_EQ(quota("0::/a/b/c\n"), 2.0);
    write("cpu.max", "100000 100000");
    EXPECT_EQ(quota("0::/a/b/c\n"), 1.0);
}

// A container that sees its own group as the root, and the host's path or none to it.
TEST_F(Processors, of_a_container_are_those_of_what_it_sees_as_the_root) {
    write("cpu.max", "300000 100000");
    for (const char* groups : {"0::/\n", "0::/kubepods/pod1/abc\n", "0::/../../elsewhere\n", "0::/gone (deleted)\n"})
        EXPECT_EQ(quota(groups), 3.0) << groups;
}

TEST_F(Processors, are_never_sought_outside_of_the_root) {
    write("cpu.max", "100000 100000");
    EXPECT_EQ(processor_quota(std::filesystem::path(root / "") / "inside", "0::/../\n"), std::nullopt);
}

TEST_F(Processors, of_version_1_and_of_both_are_found_too) {
    const std::string groups = "12:cpuset:/x\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/user.slice\n";
    EXPECT_EQ(quota(groups), std::nullopt);
    write("cpu/cpu.cfs_quota_us", "-1");
    write("cpu/cpu.cfs_period_us", "100000");
    EXPECT_EQ(quota(groups), std::nullopt);
    write("cpu/docker/abc/cpu.cfs_quota_us", "250000");
    write("cpu/docker/abc/cpu.cfs_period_us", "100000");
    EXPECT_EQ(quota(groups), 2.5);
    EXPECT_EQ(quota("4:cpuset:/docker/abc\n"), std::nullopt);
}

TEST_F(Processors, of_lines_that_make_no_sense_have_no_quota) {
    write("cpu.max", "0 0");
    for (const char* groups : {"\n", ":", "::", "0:/", "0:cpu", "0::\n"})
        EXPECT_EQ(quota(groups), std::nullopt) << groups;
}

TEST_F(Processors, there_is_one_at_least) {
    EXPECT_GE(usable_processors(), 1U);
}

}  // namespace
}  // namespace pgsluice::daemon
