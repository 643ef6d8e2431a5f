// How many clients there are, in all and by user, database, address and route. Thread-safe.
#pragma once

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

    // From accept on. Returns by how many the limit is exceeded, this connection included.
    std::uint32_t enter(std::uint32_t limit);
    void leave();
    std::uint32_t clients() const;

    AddressPlace enter_from(const std::string& address, std::uint32_t limit);
    // The FATAL 53300 for one that is not within limits.connections_per_address.
    static wire::SqlError too_many_from(const std::string& address, std::uint32_t limit);

    // A place beside the others of the same user, database and route, or FATAL 53300.
    std::optional<wire::SqlError> admit(const Request& request, const config::Limits& limits, Admission& admission);

  private:
    friend class Admission;
    friend class AddressPlace;
    using Counts = std::map<std::string, std::uint32_t>;
    void give_back(Admission& admission);
    void give_back(AddressPlace& place);

    mutable std::mutex mutex_;
    std::uint32_t clients_ = 0;
    std::array<Counts, 3> counts_;  // by user, database, route
    Counts addresses_;
};

// Counts a connection from accept to its end.
class ClientSlot {
  public:
    ClientSlot() = default;
    ClientSlot(ClientLimits& limits, std::uint32_t limit) : limits_(&limits), excess_(limits.enter(limit)) {}
    ClientSlot(ClientSlot&& other) noexcept : limits_(std::exchange(other.limits_, nullptr)), excess_(other.excess_) {}
    ClientSlot& operator=(ClientSlot&& other) noexcept {
        std::swap(limits_, other.limits_);
        std::swap(excess_, other.excess_);
        return *this;
    }
    ~ClientSlot() {
        if (limits_ != nullptr) limits_->leave();
    }
    bool is_within_limit() const { return excess_ == 0; }
    // Otherwise it is to be closed at once, without a word.
    bool may_be_heard() const { return excess_ <= ClientLimits::refusals_at_once; }

  private:
    ClientLimits* limits_ = nullptr;
    std::uint32_t excess_ = 0;
};

}  // namespace pgsluice::daemon
