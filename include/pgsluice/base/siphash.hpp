// SipHash (Aumasson and Bernstein): a hash keyed by what strangers do not know, so that they cannot choose what
// collides. For tables in memory; it authenticates nothing here.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <bit>
#include <cstdint>
#include <cstring>

namespace pgsluice {

struct SipKey {
    std::uint64_t a = 0, b = 0;  // the sixteen bytes of the key, the first the lowest
};

class SipState {
  public:
    explicit SipState(SipKey key)
        : v0_(key.a ^ 0x736f6d6570736575),
          v1_(key.b ^ 0x646f72616e646f6d),
          v2_(key.a ^ 0x6c7967656e657261),
          v3_(key.b ^ 0x7465646279746573) {}

    void absorb(std::uint64_t word, int rounds) {
        v3_ ^= word;
        mix(rounds);
        v0_ ^= word;
    }
    // A whole string. Of several, their lengths are to be absorbed first, so that no two lists are one to it.
    void absorb(ByteView bytes, int rounds) {
        static_assert(std::endian::native == std::endian::little, "words are read as they lie");
        std::uint64_t last = std::uint64_t{bytes.size()} << 56;
        for (; bytes.size() >= sizeof(std::uint64_t); bytes.remove_prefix(sizeof(std::uint64_t))) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data(), sizeof word);
            absorb(word, rounds);
        }
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            last |= std::uint64_t{static_cast<unsigned char>(bytes[at])} << (8 * at);
        }
        absorb(last, rounds);
    }
    std::uint64_t finish(int rounds) {
        v2_ ^= 0xff;
        mix(rounds);
        return v0_ ^ v1_ ^ v2_ ^ v3_;
    }

  private:
    void mix(int rounds) {
        for (; rounds > 0; --rounds) {
            v0_ += v1_, v2_ += v3_;
            v1_ = std::rotl(v1_, 13) ^ v0_, v3_ = std::rotl(v3_, 16) ^ v2_;
            v0_ = std::rotl(v0_, 32);
            v2_ += v1_, v0_ += v3_;
            v1_ = std::rotl(v1_, 17) ^ v2_, v3_ = std::rotl(v3_, 21) ^ v0_;
            v2_ = std::rotl(v2_, 32);
        }
    }

    std::uint64_t v0_, v1_, v2_, v3_;
};

// SipHash-c-d. 1-3 is what hash tables take: its authors' advice where nothing but collisions is to be feared.
template <int c = 1, int d = 3>
std::uint64_t siphash(SipKey key, ByteView bytes) {
    SipState state(key);
    state.absorb(bytes, c);
    return state.finish(d);
}

}  // namespace pgsluice
