#include "read_marks.hpp"

#include <pgsluice/net/link.hpp>

#include <boost/asio/steady_timer.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace pgsluice::net {
namespace {

void set_low_water_mark(int fd, int bytes) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

}  // namespace

struct ReadMarks::State : std::enable_shared_from_this<State> {
    struct Entry {
        Stream* stream;
        int fd;
    };

    explicit State(boost::asio::io_context& io) : timer(io) {}

    void add(Entry entry, int bytes) {
        set_low_water_mark(entry.fd, bytes);
        streams.push_back(entry);
        wait();
    }

    // The tick ends when it finds nothing: marks that come and go many times in a tick cost no timer.
    void wait() {
        if (std::exchange(ticks, true)) return;
        timer.expires_after(tick);
        timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (!error) self->on_tick();
        });
    }

    void on_tick() {
        ticks = false;
        std::erase_if(streams, [](const Entry& entry) {
            switch (entry.stream->mode) {
                case Stream::Mode::flowing: entry.stream->mode = Stream::Mode::bulk; return false;
                case Stream::Mode::once: entry.stream->mode = Stream::Mode::once_late; return false;
                default: end(entry); return true;
            }
        });
        if (!streams.empty()) wait();
    }

    static void end(const Entry& entry) {
        *entry.stream = {};
        set_low_water_mark(entry.fd, 1);
    }

    boost::asio::steady_timer timer;
    std::vector<Entry> streams;
    bool ticks = false;
};

ReadMarks::ReadMarks(boost::asio::io_context& io) : state_(std::make_shared<State>(io)) {}

ReadMarks::~ReadMarks() {
    state_->streams.clear();
    state_->timer.cancel();
}

void ReadMarks::add(Stream& stream, int fd) {
    stream.mode = Stream::Mode::flowing;
    state_->add({&stream, fd}, portion);
}

void ReadMarks::add_once(Stream& stream, int fd, int bytes) {
    stream.mode = Stream::Mode::once;
    state_->add({&stream, fd}, bytes);
}

void ReadMarks::remove(Stream& stream) {
    const auto found = std::find_if(state_->streams.begin(), state_->streams.end(),
                                    [&](const State::Entry& entry) { return entry.stream == &stream; });
    if (found == state_->streams.end()) return;
    State::end(*found);
    state_->streams.erase(found);
}

}  // namespace pgsluice::net
