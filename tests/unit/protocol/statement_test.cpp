#include <pgsluice/protocol/statement.hpp>
#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/writer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace pgsluice::protocol {
namespace {

constexpr StatementCache::Seed seed{0x1F0E2D3C4B5A6978, 0x8796A5B4C3D2E1F0};

TEST(StatementCache, clients_that_prepare_the_same_share_one_statement) {
    StatementCache cache(seed);
    const StatementRef one = cache.intern("select $1", "types");
    EXPECT_EQ(cache.intern("select $1", "types"), one);
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_EQ(one->text, "select $1");
    EXPECT_EQ(one->parameter_types, "types");
}

// By UBSan too, where it stands at no address.
TEST(StatementCache, no_text_is_a_text_like_others) {
    StatementCache cache(seed);
    EXPECT_EQ(cache.intern({}, {}), cache.intern("", ""));
    EXPECT_EQ(cache.then(1, {}), cache.then(1, ""));
    EXPECT_NE(cache.then(1, {}), cache.then(2, {}));
}

TEST(StatementCache, text_and_types_tell_statements_apart) {
    StatementCache cache(seed);
    std::vector<StatementRef> all{cache.intern("ab", "c"),
                                  cache.intern("a", "bc"),
                                  cache.intern("ab", "d"),
                                  cache.intern("abc", ""),
                                  cache.intern("", "abc"),
                                  cache.intern("AB", "c"),
                                  cache.intern(ByteView("ab\0", 3), "c")};
    std::set<std::string> high, low;
    for (const auto& each : all) {
        high.insert(each->server_name.substr(reserved_prefix.size(), 16));
        low.insert(each->server_name.substr(reserved_prefix.size() + 16));
    }
    EXPECT_EQ(cache.size(), all.size());
    EXPECT_EQ(high.size(), all.size());
    EXPECT_EQ(low.size(), all.size());
}

TEST(StatementCache, what_texts_mean_tells_statements_apart) {
    StatementCache cache(seed);
    const std::vector<StatementRef> all{cache.intern("a", "b"), cache.intern("a", "b", {1, 0}),
                                        cache.intern("a", "b", {0, 1}), cache.intern("a", "b", {0, 0, 1}),
                                        cache.intern("a", "b", {1, 1})};
    std::set<std::string> names;
    for (const auto& each : all) names.insert(each->server_name);
    EXPECT_EQ(names.size(), all.size());
    EXPECT_EQ(cache.intern("a", "b", {1, 1}), all.back());
}

TEST(StatementCache, the_same_steps_lead_every_worker_to_the_same_digest) {
    const StatementCache one(seed, nullptr, 0), other(seed, nullptr, 1);
    EXPECT_EQ(one.then(one.then(0, "a"), "b"), other.then(other.then(0, "a"), "b"));
    EXPECT_NE(one.then(one.then(0, "a"), "b"), one.then(one.then(0, "b"), "a"));
    EXPECT_NE(one.then(0, "a"), StatementCache({1, 2}).then(0, "a"));
}

TEST(StatementCache, no_digest_of_any_worker_is_equal_to_an_unshared_one) {
    StatementCache one(seed, nullptr, 0), other(seed, nullptr, 1);
    std::set<std::uint64_t> digests;
    for (int i = 0; i < 100; ++i) digests.insert({one.unshared(), other.unshared()});
    EXPECT_EQ(digests.size(), 200U);
}

TEST(StatementCache, a_name_is_of_ours_and_made_of_hexadecimal_digits) {
    StatementCache cache(seed);
    const std::string name = cache.intern("select 1", "")->server_name;
    ASSERT_EQ(name.size(), reserved_prefix.size() + 32);
    EXPECT_TRUE(name.starts_with(reserved_prefix));
    EXPECT_EQ(name.find_first_not_of("0123456789abcdef", reserved_prefix.size()), std::string::npos);
}

TEST(StatementCache, workers_of_one_process_give_a_text_the_same_name) {
    StatementCache one(seed), other(seed);
    other.intern("select 2", "");
    EXPECT_EQ(one.intern("select 1", "types")->server_name, other.intern("select 1", "types")->server_name);
}

TEST(StatementCache, names_cannot_be_foretold_without_the_seed) {
    StatementCache cache(seed);
    const std::string name = cache.intern("select 1", "")->server_name;
    const auto high = name.substr(reserved_prefix.size(), 16), low = name.substr(reserved_prefix.size() + 16);
    EXPECT_NE(high, low);
    for (const StatementCache::Seed other :
         {StatementCache::Seed{seed.a, ~seed.b}, {~seed.a, seed.b}, {seed.b, seed.a}, {0, 0}}) {
        StatementCache differs(other);
        const std::string theirs = differs.intern("select 1", "")->server_name;
        EXPECT_NE(theirs.substr(reserved_prefix.size(), 16), high);
        EXPECT_NE(theirs.substr(reserved_prefix.size() + 16), low);
    }
}

TEST(StatementCache, a_statement_goes_with_its_last_reference) {
    StatementCache cache(seed);
    StatementRef one = cache.intern("select 1", "");
    const std::string name = one->server_name;
    StatementRef copy = one;
    one.reset();
    EXPECT_EQ(cache.size(), 1U);
    EXPECT_EQ(cache.intern("select 1", ""), copy);
    copy.reset();
    EXPECT_EQ(cache.size(), 0U);
    EXPECT_EQ(cache.intern("select 1", "")->server_name, name);
    EXPECT_EQ(cache.size(), 0U);
}

TEST(StatementCache, keeps_its_own_copy_of_the_text) {
    StatementCache cache(seed);
    std::string text = "select 1", types = "types";
    const StatementRef one = cache.intern(text, types);
    text = "destroyed";
    types = "gone!";
    EXPECT_EQ(one->text, "select 1");
    EXPECT_EQ(one->parameter_types, "types");
    EXPECT_EQ(cache.intern("select 1", "types"), one);
}

TEST(StatementCache, finds_each_of_many_while_others_come_and_go) {
    StatementCache cache(seed);
    std::vector<StatementRef> kept;
    for (int i = 0; i < 2000; ++i) {
        StatementRef made = cache.intern("select " + std::to_string(i), "");
        if (i % 2 == 0) kept.push_back(std::move(made));
    }
    EXPECT_EQ(cache.size(), 1000U);
    for (const auto& each : kept) EXPECT_EQ(cache.intern(each->text, ""), each);
    std::reverse(kept.begin(), kept.end());
    while (!kept.empty()) kept.pop_back();
    EXPECT_EQ(cache.size(), 0U);
}

// One column: a name, where it comes from, its type, length and modifier, and the format that it comes in.
Bytes column(ByteView name, std::int32_t table, std::int32_t type, std::int32_t modifier, std::int16_t format) {
    Bytes out;
    wire::Writer writer(out);
    writer.begin(wire::BackendTag::row_description).int16(1);
    writer.string(name).int32(table).int16(1).int32(type).int16(4).int32(modifier).int16(format).end();
    return out.substr(wire::header_bytes);
}

TEST(ResultOf, a_statement_is_its_columns_whatever_format_and_table_they_come_in) {
    const StatementCache cache(seed);
    const std::uint64_t result = cache.result_of(column("a", 1, 23, -1, 0));
    EXPECT_EQ(cache.result_of(column("a", 2, 23, -1, 1)), result);
    for (const Bytes& other : {column("b", 1, 23, -1, 0), column("a", 1, 20, -1, 0), column("a", 1, 23, 9, 0)}) {
        EXPECT_NE(cache.result_of(other), result);
    }
    EXPECT_NE(cache.result_of({}), result);
    EXPECT_GT(cache.result_of({}), Description::any_result);
}

TEST(ResultOf, what_is_cut_off_is_not_compared) {
    const StatementCache cache(seed);
    const Bytes whole = column("name", 1, 23, -1, 0);
    for (std::size_t there = 3; there < whole.size(); ++there) {
        EXPECT_EQ(cache.result_of(prefix(whole, there)), Description::any_result) << there;
    }
    EXPECT_NE(cache.result_of(prefix(whole, 1)), 0U);
}

}  // namespace
}  // namespace pgsluice::protocol
