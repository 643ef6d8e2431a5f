// Reads that come late on purpose, by SO_RCVLOWAT: the kernel keeps bytes back until there are as many as are worth a
// wake-up. Two things are:
//
// A long stream. A server sends a result in pieces of 8 KiB, and each piece would wake us: for a gigabyte the wake-ups
// cost more than the copying. So once a link has read `begins_at` bytes without anything short in between, it waits for
// a `portion`, for as long as the stream flows.
//
// An answer behind one of ours. Where a batch of ours stands in front of the client's, the server sends its answer by
// itself, and nothing can be done with that. So the link waits for one byte more, once.
//
// Whatever is slower than that is found by the tick, which takes the mark away again, and the kernel then announces
// what is there: nothing is ever late by more than two ticks. TCP only; elsewhere the option has no effect.
#pragma once

#include <pgsluice/base/time.hpp>

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>

namespace pgsluice::net {

struct Stream;  // link.hpp

class ReadMarks {
  public:
    static constexpr std::size_t begins_at = 1024 * 1024;
    static constexpr int portion = 48 * 1024;
    static constexpr std::size_t short_read = 4096;  // what one statement after the other looks like
    static constexpr Milliseconds tick{1};

    explicit ReadMarks(boost::asio::io_context& io);
    ReadMarks(const ReadMarks&) = delete;
    ReadMarks& operator=(const ReadMarks&) = delete;
    ~ReadMarks();

    // Of a stream in plain mode.
    void add(Stream& stream, int fd);
    void add_once(Stream& stream, int fd, int bytes);
    // Before its descriptor is closed or given away, and before anything is written to it: the answer may be short.
    void remove(Stream& stream);

  private:
    struct State;
    std::shared_ptr<State> state_;  // shared with the handler that waits, which may outlive us
};

}  // namespace pgsluice::net
