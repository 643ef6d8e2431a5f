#include <pgsluice/net/byte_queue.hpp>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>

namespace pgsluice::net {

namespace {
constexpr std::size_t smallest_capacity = 256;
}

void ByteQueue::Free::operator()(Block* block) const {
    ::operator delete(block);
}

ByteQueue::BlockPtr ByteQueue::allocate(std::size_t capacity) {
    void* memory = ::operator new(sizeof(Block) + capacity);
    return BlockPtr(new (memory) Block{0, 0, capacity});
}

void ByteQueue::append(ByteView bytes) {
    if (bytes.empty()) return;
    const std::span<char> room = prepare(bytes.size());
    std::memcpy(room.data(), bytes.data(), bytes.size());
    commit(bytes.size());
}

void ByteQueue::consume(std::size_t count) {
    assert(count <= size());
    if (!block_) return;
    block_->begin += count;
    if (block_->begin == block_->end) block_.reset();
}

std::span<char> ByteQueue::prepare(std::size_t room) {
    const std::size_t held = size();
    if (!block_) {
        block_ = allocate(std::max(room, smallest_capacity));
    } else if (block_->capacity - block_->end < room) {
        // Moving to the front is worth it only where much has been consumed: else a slow consumer costs quadratic
        // copying.
        if (block_->capacity - held >= room && block_->begin >= block_->capacity / 2) {
            std::memmove(block_->bytes(), block_->bytes() + block_->begin, held);
            block_->begin = 0;
            block_->end = held;
        } else {
            BlockPtr larger = allocate(std::max(held + room, block_->capacity * 2));
            std::memcpy(larger->bytes(), block_->bytes() + block_->begin, held);
            larger->end = held;
            block_ = std::move(larger);
        }
    }
    return {block_->bytes() + block_->end, block_->capacity - block_->end};
}

void ByteQueue::commit(std::size_t count) {
    assert(block_ && count <= block_->capacity - block_->end);
    block_->end += count;
    if (block_->begin == block_->end) block_.reset();
}

}  // namespace pgsluice::net
