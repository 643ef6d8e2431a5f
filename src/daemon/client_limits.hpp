// How many clients there are, in all and by user, database, address and route. Thread-safe.
#pragma once

#include <pgsluice/base/address.hpp>
#include <pgsluice/config/config.hpp>
#include <pgsluice/wire/sql_error.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace pgsluice::daemon {

class ClientLimits;

// One client's place; given back when it goes.
class Admission {
  public:
    Admission() = default;
    Admission(Admission&& other) noexcept { swap(other); }
    Admission& operator=(Admission&& other) noexcept {
        Admission(std::move(other)).swap(*this);
        return *this;
    }
    ~Admission();

  private:
    friend class ClientLimits;
    using Count = std::map<std::string, std::uint32_t>::iterator;
    struct Taken {
        std::map<std::string, std::uint32_t>* counts = nullptr;
        Count count{};
    };
    void swap(Admission& other) noexcept {
        std::swap(limits_, other.limits_);
        std::swap(taken_, other.taken_);
    }

    ClientLimits* limits_ = nullptr;
    std::array<Taken, 3> taken_{};
};

// A connection's place beside the others of its address, from the moment at which the address is known: before anything
// of its login has been read, since whoever does not finish one takes a descriptor all the same.
class AddressPlace {
  public:
    AddressPlace() = default;
    AddressPlace(AddressPlace&& other) noexcept { swap(other); }
    AddressPlace& operator=(AddressPlace&& other) noexcept {
        AddressPlace(std::move(other)).swap(*this);
        return *this;
    }
    ~AddressPlace();

    // Beyond the limit there are a few who can still cancel, and are told that they cannot log in. Otherwise it is to
    // be closed without a word.
    bool is_within_limit() const { return excess_ == 0; }
    bool may_be_heard() const { return excess_ <= heard_beyond_limit; }
    static constexpr std::uint32_t heard_beyond_limit = 16;

  private:
    friend class ClientLimits;
    void swap(AddressPlace& other) noexcept {
        std::swap(limits_, other.limits_);
        std::swap(count_, other.count_);
        std::swap(excess_, other.excess_);
    }

    ClientLimits* limits_ = nullptr;
    std::map<std::string, std::uint32_t>::iterator count_{};
    std::uint32_t excess_ = 0;
};

class ClientLimits {
  public:
    struct Request {
        std::string user, database, route;
        std::uint32_t user_limit = 0, route_limit = 0;  // 0: none
    };

    // Connections above limits.client_connections that are kept until they have been told so, or have sent their
    // CancelRequest. They live on descriptors that are reserved for this, and no more of them may.
    static constexpr std::uint32_t refusals_at_once = 64;

    // Administrators that the console takes beside all clients, so that one gets in when nobody else does. They live on
    // reserved descriptors too.
    static constexpr std::uint32_t reserved_for_administrators = 3;

    // What a connection counts as.
    enum class As : std::uint8_t {
        login,  // among the clients, and no session yet
        client,
        console,   // among the clients
        reserved,  // for administrators, and beside them
    };
    // From accept on, as a login. Returns by how many the limit is exceeded, this connection included.
    std::uint32_t enter(std::uint32_t limit);
    void leave(As as);
    void begin_session();  // of a login
    // A login turns out to be one of the console. nullopt: an administrator finds no reserved place free, or is none,
    // and is beyond the limit.
    std::optional<As> enter_console(bool is_administrator, bool is_within_limit);
    // Without those of the console, which the process does not wait for when it ends.
    std::uint32_t clients() const;
    // Those of the clients that have logged in.
    std::uint32_t sessions() const;

    // Counted by Address::subscriber.
    AddressPlace enter_from(const Address& address, std::uint32_t limit);
    // The FATAL 53300 for one that is not within limits.connections_per_address.
    static wire::SqlError too_many_from(const Address& address, std::uint32_t limit);

    // A place beside the others of the same user, database and route, or FATAL 53300.
    std::optional<wire::SqlError> admit(const Request& request, const config::Limits& limits, Admission& admission);

  private:
    friend class Admission;
    friend class AddressPlace;
    using Counts = std::map<std::string, std::uint32_t>;
    void give_back(Admission& admission);
    void give_back(AddressPlace& place);

    mutable std::mutex mutex_;
    std::uint32_t clients_ = 0;     // those of the console among them that have no reserved place
    std::uint32_t logins_ = 0;      // of these
    std::uint32_t consoles_ = 0;    // likewise
    std::uint32_t reserved_ = 0;    // administrators beside them
    std::array<Counts, 3> counts_;  // by user, database, route
    Counts addresses_;
};

// Counts a connection from accept to its end.
class ClientSlot {
  public:
    ClientSlot() = default;
    ClientSlot(ClientLimits& limits, std::uint32_t limit) : limits_(&limits), excess_(limits.enter(limit)) {}
    ClientSlot(ClientSlot&& other) noexcept
        : limits_(std::exchange(other.limits_, nullptr)), excess_(other.excess_), as_(other.as_) {}
    ClientSlot& operator=(ClientSlot&& other) noexcept {
        std::swap(limits_, other.limits_);
        std::swap(excess_, other.excess_);
        std::swap(as_, other.as_);
        return *this;
    }
    ~ClientSlot() {
        if (limits_ != nullptr) limits_->leave(as_);
    }
    // False: there is no place for it.
    bool enter_console(bool is_administrator) {
        if (limits_ == nullptr) return true;
        const auto as = limits_->enter_console(is_administrator, is_within_limit());
        if (as) as_ = *as;
        return as.has_value();
    }
    void begin_session() {
        if (limits_ == nullptr) return;
        limits_->begin_session();
        as_ = ClientLimits::As::client;
    }
    bool is_reserved() const { return as_ == ClientLimits::As::reserved; }
    bool is_within_limit() const { return excess_ == 0; }
    // Otherwise it is to be closed at once, without a word.
    bool may_be_heard() const { return excess_ <= ClientLimits::refusals_at_once; }

  private:
    ClientLimits* limits_ = nullptr;
    std::uint32_t excess_ = 0;
    ClientLimits::As as_ = ClientLimits::As::login;
};

}  // namespace pgsluice::daemon
