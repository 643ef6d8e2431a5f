// Lets long streams come in large portions. A server sends a result in pieces of 8 KiB, and each piece would wake us:
// for a gigabyte the wake-ups cost more than the copying. So once a link has read `begins_at` bytes without anything
// short in between, SO_RCVLOWAT makes the kernel wait until `portion` is there. A stream that is slower than a portion
// in each tick, or has ended, is found by the tick, which takes the mark away again, and the kernel then announces what
// is there: nothing is ever late by more than two ticks, once in a megabyte. TCP only; elsewhere the option has no
// effect.
#pragma once

#include <pgsluice/base/time.hpp>

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>

namespace pgsluice::net {

struct Stream;  // link.hpp

class BulkReads {
  public:
    static constexpr std::size_t begins_at = 1024 * 1024;
    static constexpr int portion = 48 * 1024;
    static constexpr std::size_t short_read = 4096;  // what one statement after the other looks like
    static constexpr Milliseconds tick{1};

    explicit BulkReads(boost::asio::io_context& io);
    BulkReads(const BulkReads&) = delete;
    BulkReads& operator=(const BulkReads&) = delete;
    ~BulkReads();

    void add(Stream& stream, int fd);
    // Before its descriptor is closed or given away, and before anything is written to it: the answer may be short.
    void remove(Stream& stream);

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the handler that waits, which may outlive us
};

}  // namespace pgsluice::net
