// Every row was sent to PostgreSQL 15 as the startup parameter `options`; what it set or said stands beside it.
#include <pgsluice/wire/startup_options.hpp>

#include <gtest/gtest.h>

#include <sstream>

namespace pgsluice::wire {
namespace {

// "name=value" per setting, parted by blanks; or the SQLSTATE and message.
std::string read(ByteView options) {
    const auto result = read_options(options);
    if (const auto* error = std::get_if<SqlError>(&result)) {
        EXPECT_EQ(error->severity, Severity::fatal);
        return std::string(error->code()) + ' ' + error->message;
    }
    std::string out;
    for (const auto& [name, value] : std::get<std::vector<Setting>>(result)) {
        out += (out.empty() ? "" : " ") + name + '=' + value;
    }
    return out;
}
std::string refused(const std::string& word) {
    return "42601 invalid command-line argument for server process: " + word;
}

struct Case {
    const char* options;
    const char* expected;
};

}  // namespace

TEST(SplitOptions, white_space_parts_words_and_a_backslash_keeps_it) {
    using Words = std::vector<std::string>;
    EXPECT_EQ(split_options(""), Words{});
    EXPECT_EQ(split_options(" \t\n\v\f\r "), Words{});
    EXPECT_EQ(split_options("a b  c"), (Words{"a", "b", "c"}));
    EXPECT_EQ(split_options("a\\ b \\\\ \\c"), (Words{"a b", "\\", "c"}));
    EXPECT_EQ(split_options("a \\"), (Words{"a", ""})) << "a backslash with nothing behind it";
    EXPECT_EQ(split_options("\xC2\xA0"), (Words{"\xC2\xA0"})) << "only ASCII blanks part words";
}

TEST(ReadOptions, settings_by_name) {
    for (const auto& [options, expected] : {
             Case{"-c work_mem=1MB", "work_mem=1MB"},
             {"-cwork_mem=1MB", "work_mem=1MB"},
             {"--work-mem=1MB", "work_mem=1MB"},
             {"--search-path=a-b", "search_path=a-b"},
             {"-c application_name=a\\ b", "application_name=a b"},
             {"-c application_name==a=b", "application_name==a=b"},
             {"-c application_name=", "application_name="},
             {"-c geqo=off -c geqo=on", "geqo=off geqo=on"},
             {"-e-geqo=off", "datestyle=euro geqo=off"},
             {"-ec geqo=off", "datestyle=euro geqo=off"},
             {"-c=", "="},
             {"--=", "="},
             {"-c a", "42601 -c a requires a value"},
             {"-c \\", "42601 -c  requires a value"},
             {"--a-b", "42601 --a-b requires a value"},
             {"-c --", "42601 -c -- requires a value"},
             {"--help", "42601 --help requires a value"},
             {"-e- a", "42601 --a requires a value"},
         }) {
        EXPECT_EQ(read(options), expected) << options;
    }
}

TEST(ReadOptions, switches_that_stand_for_settings) {
    for (const auto& [options, expected] : {
             Case{"-B 100", "shared_buffers=100"},
             {"-F", "fsync=false"},
             {"-N 5", "max_connections=5"},
             {"-O", "allow_system_table_mods=true"},
             {"-P", "ignore_system_indexes=true"},
             {"-S 1024", "work_mem=1024"},
             {"-S1024", "work_mem=1024"},
             {"-S\\ 1024", "work_mem= 1024"},
             {"-W 0", "post_auth_delay=0"},
             {"-e", "datestyle=euro"},
             {"-h x", "listen_addresses=x"},
             {"-i", "listen_addresses=*"},
             {"-k x", "unix_socket_directories=x"},
             {"-l", "ssl=true"},
             {"-p 5", "port=5"},
             {"-s", "log_statement_stats=true"},
             {"-eS1024", "datestyle=euro work_mem=1024"},
             {"-jS1024", "work_mem=1024"},
             {"-S -c", "work_mem=-c"},
         }) {
        EXPECT_EQ(read(options), expected) << options;
    }
}

TEST(ReadOptions, switches_that_stand_for_one_of_several_settings) {
    for (const auto& [options, expected] : {
             Case{"-d 0", "log_min_messages=notice"},
             {"-d x", "log_min_messages=notice"},
             {"-d -1", "log_min_messages=notice"},
             {"-d1", "log_min_messages=debug1"},
             {"-d 3x", "log_min_messages=debug3 log_statement=all debug_print_parse=true"},
             {"-d5",
              "log_min_messages=debug5 log_statement=all debug_print_parse=true debug_print_plan=true "
              "debug_print_rewritten=true"},
             {"-fs -fi -fo -fb",
              "enable_seqscan=false enable_indexscan=false enable_indexonlyscan=false enable_bitmapscan=false"},
             {"-ft -fn -fm -fh",
              "enable_tidscan=false enable_nestloop=false enable_mergejoin=false enable_hashjoin=false"},
             {"-f sx", "enable_seqscan=false"},
             {"-tpa -t pl -te", "log_parser_stats=true log_planner_stats=true log_executor_stats=true"},
             {"-tpax", "log_parser_stats=true"},
         }) {
        EXPECT_EQ(read(options), expected) << options;
    }
    for (const char* word : {"-fx", "-tx", "-tp"}) EXPECT_EQ(read(word), refused(word));
    EXPECT_EQ(read("-f x"), refused("x"));
    EXPECT_EQ(read("-t x"), refused("x"));
}

TEST(ReadOptions, switches_without_effect) {
    EXPECT_EQ(read("-b -E -j -n -T -C x -D x -r x -v 3"), "");
    EXPECT_EQ(read("-bEjnT"), "");
}

TEST(ReadOptions, words_that_are_no_switches) {
    for (const auto& [options, word] : {
             Case{"x", "x"},
             {"-", "-"},
             {"\\", ""},
             {"x y", "x"},
             {"-- x", "x"},
             {"x -- y", "x"},
             {"-- -c geqo=off", "-c"},
             {"-c geqo=off x", "x"},
             {"x -c geqo=off", "x"},
             {"-c geqo=off - x", "-"},
         }) {
        EXPECT_EQ(read(options), refused(word)) << options;
    }
    EXPECT_EQ(read("--"), "");
    EXPECT_EQ(read("-c geqo=off --"), "geqo=off");
}

TEST(ReadOptions, unknown_switches_and_missing_arguments) {
    for (const char* word : {"-Z", "-A", "-a", "-o", "-?", "-:", "-\xE9", "-eZ", "-c", "-S", "-eS", "-D", "-v"}) {
        EXPECT_EQ(read(word), refused(word));
    }
    EXPECT_EQ(read("--geqo=off -x"), refused("-x"));
    EXPECT_EQ(read("x -Z"), refused("-Z"));
}

// getopt has not gone past a word in which letters remain, so PostgreSQL names the word before.
TEST(ReadOptions, an_unknown_letter_amid_others) {
    EXPECT_EQ(read("-Ze"), refused("postgres"));
    EXPECT_EQ(read("-c geqo=off -Ze"), refused("geqo=off"));
    EXPECT_EQ(read("x -e -Ze"), refused("x"));
}

TEST(ReadOptions, always_comes_to_an_end) {
    for (const char* piece : {"\\", "-c=", "-c =", "--=", "-c", " ", "-", "--", "-e"}) {
        std::string options;
        for (int i = 0; i < 10000; ++i) options += piece;
        read_options(options);
    }
}

}  // namespace pgsluice::wire
