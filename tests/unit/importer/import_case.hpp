// A PgBouncer's files in a folder, and what becomes of them.
#pragma once

#include <pgsluice/importer/pgbouncer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unit/config/folder.hpp>

#include <string>

namespace pgsluice::importer::test {

class Import : public testing::Test {
  protected:
    // `options` stand in [pgbouncer]; what begins another section may follow.
    const Imported& read(const std::string& databases, const std::string& options = "") {
        imported = import_pgbouncer(folder.write("pgbouncer.ini", "[databases]\n" + databases +
                                                                      "\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
                                                                      "unix_socket_dir =\n" +
                                                                      options + '\n'));
        if (!imported.has(Weight::broken)) expect_to_load();
        return imported;
    }
    // What is not broken is a configuration; the files that it names may be elsewhere.
    void expect_to_load() {
        for (const std::string& line : folder.problems(yaml(imported, "pgbouncer.ini")))
            EXPECT_THAT(line, ::testing::HasSubstr("cannot read")) << yaml(imported, "pgbouncer.ini");
    }
    const config::Config& options(const std::string& text) { return read("a = host=h", text).config; }
    const config::Pool& pool(const std::string& text) { return options(text).routes[0].pool; }
    void users(const std::string& text) { folder.write("users.txt", text); }

    static auto finding(Weight weight, const std::string& option) {
        return ::testing::AllOf(::testing::Field(&Finding::weight, weight), ::testing::Field(&Finding::option, option));
    }

    config::test::Folder folder;
    Imported imported;
};

}  // namespace pgsluice::importer::test
