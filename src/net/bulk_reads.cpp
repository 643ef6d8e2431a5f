#include "bulk_reads.hpp"

#include <pgsluice/net/link.hpp>

#include <boost/asio/steady_timer.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

namespace pgsluice::net {
namespace {

void set_low_water_mark(int fd, int bytes) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

}  // namespace

struct BulkReads::State : std::enable_shared_from_this<State> {
    struct Entry {
        Stream* stream;
        int fd;
    };

    explicit State(boost::asio::io_context& io) : timer(io) {}

    void wait() {
        timer.expires_after(tick);
        timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
            if (!error) self->on_tick();
        });
    }

    void on_tick() {
        std::erase_if(streams, [](const Entry& entry) {
            if (entry.stream->mode == Stream::Mode::flowing) {
                entry.stream->mode = Stream::Mode::bulk;
                return false;
            }
            end(entry);
            return true;
        });
        if (!streams.empty()) wait();
    }

    static void end(const Entry& entry) {
        *entry.stream = {};
        set_low_water_mark(entry.fd, 1);
    }

    boost::asio::steady_timer timer;
    std::vector<Entry> streams;
};

BulkReads::BulkReads(boost::asio::io_context& io) : state_(std::make_shared<State>(io)) {}

BulkReads::~BulkReads() {
    state_->streams.clear();
    state_->timer.cancel();
}

void BulkReads::add(Stream& stream, int fd) {
    stream.mode = Stream::Mode::flowing;
    set_low_water_mark(fd, portion);
    state_->streams.push_back({&stream, fd});
    if (state_->streams.size() == 1) state_->wait();
}

void BulkReads::remove(Stream& stream) {
    const auto found = std::find_if(state_->streams.begin(), state_->streams.end(),
                                    [&](const State::Entry& entry) { return entry.stream == &stream; });
    if (found == state_->streams.end()) return;
    State::end(*found);
    state_->streams.erase(found);
    if (state_->streams.empty()) state_->timer.cancel();
}

}  // namespace pgsluice::net
