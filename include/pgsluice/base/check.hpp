// PGSLUICE_CHECK aborts in every build: for ownership and framing invariants whose breach would hand one client's bytes
// to another. Bad input is never a reason to use it.
#pragma once

#include <cstdio>
#include <cstdlib>

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): the text and place of the condition are the message
#define PGSLUICE_CHECK(condition)                                                                              \
    do {                                                                                                       \
        if (!(condition)) [[unlikely]] {                                                                       \
            std::fprintf(stderr, "pgsluice: invariant broken at %s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                                                      \
        }                                                                                                      \
    } while (false)
