#include <pgsluice/wire/frame.hpp>

#include <gtest/gtest.h>
#include <support/messages.hpp>
#include <support/splits.hpp>

#include <functional>
#include <set>

namespace pgsluice::wire {
namespace {

using Cutter = Frame (*)(ByteView);

// Cuts what comes in portions into whole messages, as a session does; "!" stands for a refusal.
std::vector<Bytes> cut_all(const test::Portions& portions, Cutter cut) {
    std::vector<Bytes> messages;
    Bytes buffer;
    for (const ByteView portion : portions) {
        buffer += portion;
        while (true) {
            const Frame frame = cut(buffer);
            if (frame.cut == Cut::need_more || (frame.cut == Cut::frame && frame.size > buffer.size())) break;
            if (frame.cut != Cut::frame) {
                messages.emplace_back("!");
                return messages;
            }
            messages.push_back(buffer.substr(0, frame.size));
            buffer.erase(0, frame.size);
        }
    }
    return messages;
}

// The longest length word that is taken for a tag; 0: the tag is refused.
std::uint32_t limit_of(char tag, Cutter cut) {
    if (cut(ByteView(&tag, 1)).cut == Cut::unknown_type) return 0;
    std::uint32_t low = 4, high = 0xFFFFFFFF;
    while (low < high) {
        const auto middle = static_cast<std::uint32_t>((std::uint64_t{low} + high + 1) / 2);
        if (cut(test::client::with_length(tag, middle)).cut == Cut::frame)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

std::set<char> known_tags(Cutter cut) {
    std::set<char> tags;
    for (int c = 0; c < 256; ++c) {
        if (limit_of(static_cast<char>(c), cut) != 0) tags.insert(static_cast<char>(c));
    }
    return tags;
}

std::set<char> letters(std::string_view text) {
    return {text.begin(), text.end()};
}

}  // namespace

TEST(Frame, a_stream_is_cut_the_same_in_any_portions) {
    const std::vector<Bytes> from_client{test::client::query("select 1"), test::client::sync(),
                                         test::client::parse("s", "select $1", {23}), test::client::terminate()};
    const std::vector<Bytes> from_server{test::server::parse_complete(), test::server::row({"1", std::nullopt}),
                                         test::server::command_complete("SELECT 1"), test::server::ready('T')};
    const auto check = [](const std::vector<Bytes>& messages, Cutter cut) {
        Bytes stream;
        for (const Bytes& message : messages) stream += message;
        for (const test::Portions& portions : test::every_split(stream)) {
            ASSERT_EQ(cut_all(portions, cut), messages);
        }
    };
    check(from_client, cut_frontend);
    check(from_server, cut_backend);
}

TEST(Frame, gives_tag_and_whole_size_as_soon_as_the_header_is_there) {
    const Bytes message = test::client::query("select 1");
    for (std::size_t size = 0; size < header_bytes; ++size) {
        EXPECT_EQ(cut_frontend(ByteView(message).substr(0, size)).cut, Cut::need_more) << size;
    }
    const Frame frame = cut_frontend(ByteView(message).substr(0, header_bytes));
    EXPECT_EQ(frame.cut, Cut::frame);
    EXPECT_EQ(frame.tag, 'Q');
    EXPECT_EQ(frame.size, message.size());
    EXPECT_EQ(body_of(message, frame), ByteView("select 1\0", 9));
    const Bytes empty = test::client::sync();
    EXPECT_EQ(body_of(empty, cut_frontend(empty)), "");
}

TEST(Frame, takes_the_tags_of_its_direction_only) {
    EXPECT_EQ(known_tags(cut_frontend), letters("BCDEFHPQSXcdfp"));
    EXPECT_EQ(known_tags(cut_backend), letters("123ACDEGHIKNRSTVWZcdnstv"));
    EXPECT_EQ(cut_frontend("y").cut, Cut::unknown_type) << "refused before its length is waited for";
    EXPECT_EQ(cut_frontend("y").tag, 'y');
    EXPECT_EQ(cut_frontend("GET / HTTP/1.1").cut, Cut::unknown_type);
}

TEST(Frame, frontend_limits_are_postgresqls) {
    for (const char tag : letters("QPBFd")) EXPECT_EQ(limit_of(tag, cut_frontend), 0x3FFFFFFEU) << tag;
    for (const char tag : letters("CDEHSXcfp")) EXPECT_EQ(limit_of(tag, cut_frontend), 10000U) << tag;
}

TEST(Frame, backend_limits_fit_the_kind_of_message) {
    for (const char tag : letters("123Incs")) EXPECT_EQ(limit_of(tag, cut_backend), 4U) << tag;
    EXPECT_EQ(limit_of('Z', cut_backend), 5U);
    for (const char tag : letters("RKvGHW")) EXPECT_EQ(limit_of(tag, cut_backend), 65536U) << tag;
    for (const char tag : letters("ACDENSTVdt")) EXPECT_EQ(limit_of(tag, cut_backend), 0x40000003U) << tag;
}

TEST(Frame, impossible_lengths_are_refused_for_every_tag) {
    for (const Cutter cut : {cut_frontend, cut_backend}) {
        for (const char tag : known_tags(cut)) {
            for (const std::uint32_t length : {0U, 1U, 3U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFBU, 0xFFFFFFFFU}) {
                EXPECT_EQ(cut(test::client::with_length(tag, length, "body")).cut, Cut::invalid_length)
                    << tag << length;
            }
        }
    }
}

TEST(Frame, a_stream_stops_at_the_first_refusal) {
    const Bytes stream = test::client::sync() + test::client::with_length('Q', 3) + test::client::sync();
    for (const test::Portions& portions : test::every_split(stream)) {
        EXPECT_EQ(cut_all(portions, cut_frontend), (std::vector<Bytes>{test::client::sync(), "!"}));
    }
}

TEST(Run, holds_whole_messages_that_belong_together) {
    const Bytes row(
        "D\0\0\0\6"
        "12",
        7),
        sent(
            "d\0\0\0\6"
            "12",
            7),
        description("T\0\0\0\6\0\0", 7), other("C\0\0\0\5", 6);
    EXPECT_EQ(run_of_results(description + row + row + other + row), 3 * row.size());
    EXPECT_EQ(run_of_results(sent + sent + other), 2 * sent.size());
    EXPECT_EQ(run_of_results(other + row), 0U);
    EXPECT_EQ(run_of_results(""), 0U);
    EXPECT_EQ(run_of_frontend(sent + other + sent, 'd'), sent.size());
    for (std::size_t part = 0; part < row.size(); ++part) {
        EXPECT_EQ(run_of_results(row + row.substr(0, part)), row.size()) << part;
        EXPECT_EQ(run_of_frontend(sent + sent.substr(0, part), 'd'), sent.size()) << part;
    }
}

TEST(Run, ends_before_an_impossible_length) {
    const Bytes row(
        "d\0\0\0\6"
        "12",
        7),
        broken("d\0\0\0\3", 5);
    EXPECT_EQ(run_of_frontend(row + broken + row, 'd'), row.size());
    EXPECT_EQ(run_of_results(row + broken + row), row.size());
}

}  // namespace pgsluice::wire
