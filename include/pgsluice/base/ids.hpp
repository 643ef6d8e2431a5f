// Strong ids: distinct types, so that one cannot be passed for another.
#pragma once

#include <cstdint>
#include <type_traits>

namespace pgsluice {

enum class SessionId : std::uint64_t {};  // one client connection, unique in the process, also the log field `session`
enum class ServerId : std::uint64_t {};   // one server connection, unique in the process
enum class WorkerIndex : std::uint16_t {};  // a worker thread, from 0

template <class Id>
constexpr auto number(Id id) {
    return static_cast<std::underlying_type_t<Id>>(id);
}

}  // namespace pgsluice
