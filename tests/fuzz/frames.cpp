// Our framing against one that is written down from the documentation without a thought for speed.
#include "fuzz.hpp"

#include <pgsluice/wire/frame.hpp>

#include <string_view>

using namespace pgsluice;

namespace {

void check(ByteView stream, wire::Frame (*cut)(ByteView), std::string_view tags) {
    while (true) {
        const wire::Frame frame = cut(stream);
        if (stream.empty()) {
            PGSLUICE_CHECK(frame.cut == wire::Cut::need_more);
            return;
        }
        const bool known = tags.find(stream[0]) != std::string_view::npos;
        PGSLUICE_CHECK(known == (frame.cut != wire::Cut::unknown_type));
        if (!known) return;
        if (stream.size() < 5) {
            PGSLUICE_CHECK(frame.cut == wire::Cut::need_more);
            return;
        }
        std::uint64_t length = 0;
        for (std::size_t i = 1; i < 5; ++i) length = length * 256 + static_cast<unsigned char>(stream[i]);
        if (frame.cut == wire::Cut::invalid_length) {
            PGSLUICE_CHECK(length != 4 || stream[0] == 'Z');  // 4 is right for every type that has no fixed body
            return;
        }
        PGSLUICE_CHECK(frame.cut == wire::Cut::frame && frame.tag == stream[0]);
        PGSLUICE_CHECK(length >= 4 && length <= 0x40000003 && frame.size == length + 1);
        if (frame.size > stream.size()) return;
        PGSLUICE_CHECK(wire::body_of(stream, frame).size() == length - 4);
        stream.remove_prefix(frame.size);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input = fuzz::view(data, size);
    check(input, wire::cut_frontend, "BCdcfDEHFPpQSX");
    check(input, wire::cut_backend, "RK23CWdcGHDIVvnNAtSs1ZTE");
    return 0;
}
