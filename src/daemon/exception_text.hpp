// What a coroutine that ended in an exception has to say, for the log: one that nobody hears of leaves a client or a
// server that is simply gone.
#pragma once

#include <exception>
#include <string>

namespace pgsluice::daemon {

// `thrown` is not null.
inline std::string exception_text(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an unknown exception";
    }
}

}  // namespace pgsluice::daemon
