#include <pgsluice/wire/frame.hpp>

#include <boost/endian/conversion.hpp>

#include <array>

namespace pgsluice::wire {
namespace {

// Longest length word by tag; 0: not a tag of this direction.
using Limits = std::array<std::uint32_t, 256>;

constexpr Limits frontend_limits() {
    Limits limits{};
    for (const char tag : {'Q', 'P', 'B', 'F', 'd'}) limits[static_cast<unsigned char>(tag)] = large_message_limit;
    for (const char tag : {'C', 'D', 'E', 'H', 'S', 'X', 'c', 'f', 'p'}) {
        limits[static_cast<unsigned char>(tag)] = small_message_limit;
    }
    return limits;
}

// A server may send any of its messages at any size below 1 GiB (a notice quotes its statement), apart from those whose
// size is fixed or small by nature. A wrong length there means that framing is lost.
constexpr Limits backend_limits() {
    Limits limits{};
    for (const char tag : {'A', 'C', 'D', 'E', 'N', 'S', 'T', 'V', 'd', 't'}) {
        limits[static_cast<unsigned char>(tag)] = 0x3FFFFFFF + 4;  // MaxAllocSize, and the length word itself
    }
    for (const char tag : {'1', '2', '3', 'I', 'n', 's', 'c'}) limits[static_cast<unsigned char>(tag)] = 4;
    limits['Z'] = 5;
    for (const char tag : {'R', 'K', 'v', 'G', 'H', 'W'}) limits[static_cast<unsigned char>(tag)] = 65536;
    return limits;
}

constexpr Limits frontend = frontend_limits();
constexpr Limits backend = backend_limits();

inline Frame cut(ByteView buffer, const Limits& limits) {
    if (buffer.empty()) return {Cut::need_more};
    const auto tag = static_cast<unsigned char>(buffer[0]);
    // A stranger's tag is refused before its length is waited for.
    if (limits[tag] == 0) return {Cut::unknown_type, buffer[0]};
    if (buffer.size() < header_bytes) return {Cut::need_more, buffer[0]};
    const std::uint32_t length = boost::endian::load_big_u32(reinterpret_cast<const unsigned char*>(&buffer[1]));
    if (length < 4 || length > limits[tag]) return {Cut::invalid_length, buffer[0]};
    return {Cut::frame, buffer[0], std::size_t{length} + 1};
}

template <class IsWanted>
std::size_t run(ByteView buffer, const Limits& limits, IsWanted is_wanted) {
    std::size_t bytes = 0;
    while (true) {
        const ByteView rest = without_prefix(buffer, bytes);
        if (rest.size() < header_bytes || !is_wanted(rest[0])) return bytes;
        const Frame frame = cut(rest, limits);
        if (frame.cut != Cut::frame || frame.size > rest.size()) return bytes;
        bytes += frame.size;
    }
}

}  // namespace

Frame cut_frontend(ByteView buffer) {
    return cut(buffer, frontend);
}

Frame cut_backend(ByteView buffer) {
    return cut(buffer, backend);
}

std::size_t run_of_frontend(ByteView buffer, char tag) {
    return run(buffer, frontend, [tag](char c) { return c == tag; });
}

std::size_t run_of_results(ByteView buffer) {
    return run(buffer, backend, [](char c) { return c == 'D' || c == 'T' || c == 'd'; });
}

}  // namespace pgsluice::wire
