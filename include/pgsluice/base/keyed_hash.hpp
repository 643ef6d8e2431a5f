// Hashes for tables whose keys come from outside: multiply-and-fold over eight bytes at a time, keyed by random
// numbers, so that nobody can choose keys that collide. Values differ between processes and are never stored.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstdint>
#include <cstring>

namespace pgsluice {

// 16 random bytes, passed in by who has a source of them.
struct HashSeed {
    std::uint64_t a = 0, b = 0;
};

class KeyedHash {
  public:
    explicit KeyedHash(HashSeed seed) : state_(seed.a), key_(seed.b) {}

    KeyedHash& add(std::uint64_t number) {
        state_ = fold(state_ ^ number ^ odd, key_ ^ number);
        return *this;
    }
    // The length goes in too: "ab" and "c" are not "a" and "bc".
    KeyedHash& add(ByteView bytes) {
        state_ ^= fold(bytes.size() ^ odd, key_ | 1);
        while (bytes.size() > sizeof(std::uint64_t)) {
            add(number_in(bytes, sizeof(std::uint64_t)));
            bytes.remove_prefix(sizeof(std::uint64_t));
        }
        return add(number_in(bytes, bytes.size()));
    }
    std::uint64_t value() const { return state_; }

  private:
    static constexpr std::uint64_t odd = 0x9E3779B97F4A7C15;

    static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
        __extension__ using Wide = unsigned __int128;
        const Wide product = Wide{a} * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }
    static std::uint64_t number_in(ByteView bytes, std::size_t count) {
        std::uint64_t number = 0;
        std::memcpy(&number, bytes.data(), count);
        return number;
    }

    std::uint64_t state_, key_;
};

}  // namespace pgsluice
