#include "connection.hpp"

#include <pgsluice/wire/frame.hpp>
#include <pgsluice/wire/sql_error.hpp>
#include <pgsluice/wire/startup_packet.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pgsluice::stress {
namespace {

constexpr timeval patience{.tv_sec = 60, .tv_usec = 0};

}  // namespace

Connection::Connection(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const std::string reason = std::strerror(errno);
        ::close(socket_);
        throw Lost("connect: " + reason);
    }
}

Connection::~Connection() {
    ::close(socket_);
}

void Connection::log_in(const std::string& user, const std::string& database) {
    Bytes startup;
    wire::write_startup_message(startup, {{"user", user}, {"database", database}});
    send(startup);
    for (Message message = next(); message.tag != wire::BackendTag::ready_for_query; message = next()) {
        if (message.tag == wire::BackendTag::error_response) throw Lost("login: " + Bytes(message.body));
        if (message.tag != wire::BackendTag::backend_key_data) continue;
        const auto key = wire::read_backend_key_data(message.body);
        if (!key) throw Lost("a malformed BackendKeyData");
        secret_ = Bytes(key->secret);
        key_ = {.process_id = key->process_id, .secret = secret_};
    }
}

void Connection::send(ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) throw Hung("send");
        if (sent < 0) throw Lost(std::string("send: ") + std::strerror(errno));
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

Message Connection::next() {
    while (true) {
        const ByteView rest = ByteView(buffer_).substr(read_);
        const wire::Frame frame = wire::cut_backend(rest);
        if (frame.cut == wire::Cut::frame && frame.size <= rest.size()) {
            read_ += frame.size;
            return {static_cast<wire::BackendTag>(frame.tag), wire::body_of(rest, frame)};
        }
        if (frame.cut != wire::Cut::frame && frame.cut != wire::Cut::need_more) {
            throw std::runtime_error("what came is no message of a server");
        }
        buffer_.erase(0, read_);
        read_ = 0;
        if (receive() == 0) throw Lost("end of the connection");
    }
}

void Connection::wait_for_end() {
    try {
        while (receive() != 0) buffer_.clear();
    } catch (const Lost&) {
    }
}

void Connection::reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

std::size_t Connection::receive() {
    char chunk[16384];
    ssize_t got = 0;
    do {
        got = ::recv(socket_, chunk, sizeof chunk, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0 && errno == EAGAIN) throw Hung("receive");
    if (got < 0) throw Lost(std::string("receive: ") + std::strerror(errno));
    buffer_.append(chunk, static_cast<std::size_t>(got));
    return static_cast<std::size_t>(got);
}

}  // namespace pgsluice::stress
