// Bytes that wait: to be sent, or to be understood once more of them have come. One allocation, which grows
// geometrically and is given back as soon as the queue is empty, so that an idle connection holds no buffer. One
// pointer in size.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace pgsluice::net {

class ByteQueue {
  public:
    bool empty() const { return block_ == nullptr; }
    std::size_t size() const { return block_ ? block_->end - block_->begin : 0; }
    // Valid until the next call that is not const.
    ByteView view() const { return block_ ? ByteView(block_->bytes() + block_->begin, size()) : ByteView(); }

    void append(ByteView bytes);
    // Drops the first `count` bytes, count <= size().
    void consume(std::size_t count);
    void clear() { block_.reset(); }

    // Free room behind the bytes, at least `room` of it: fill some of it, then commit() how much. Between the two calls
    // the queue may look empty() == false with size() == 0; commit(0) puts that right.
    std::span<char> prepare(std::size_t room);
    void commit(std::size_t count);

  private:
    struct Block {
        std::size_t begin;
        std::size_t end;
        std::size_t capacity;
        char* bytes() { return reinterpret_cast<char*>(this + 1); }
    };
    struct Free {
        void operator()(Block* block) const;
    };
    using BlockPtr = std::unique_ptr<Block, Free>;

    static BlockPtr allocate(std::size_t capacity);
    BlockPtr block_;
};

}  // namespace pgsluice::net
