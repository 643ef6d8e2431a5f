# Warnings, hardening and sanitizers, as interface targets and global flags. Presets turn them on.
option(PGSLUICE_WERROR "Treat warnings as errors" OFF)
option(PGSLUICE_TESTS "Build the unit tests" ON)
option(PGSLUICE_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(PGSLUICE_BENCH "Build the micro-benchmarks" OFF)
option(PGSLUICE_HARDEN "Compile and link with hardening flags" OFF)
set(PGSLUICE_SANITIZE "" CACHE STRING "Value for -fsanitize=, e.g. address,undefined or thread")

add_library(pgsluice_warnings INTERFACE)
target_compile_options(pgsluice_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wimplicit-fallthrough -Wold-style-cast
  $<$<BOOL:${PGSLUICE_WERROR}>:-Werror>)

# Coroutine frames and Asio's hidden templates trip these two g++ 12 warnings inside system headers.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(pgsluice_warnings INTERFACE -Wno-maybe-uninitialized -Wno-mismatched-new-delete)
endif()

# ThreadSanitizer does not model the fences in Asio's headers; what they guard is guarded by locks as well.
if(PGSLUICE_SANITIZE STREQUAL "thread")
  target_compile_options(pgsluice_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
endif()

if(PGSLUICE_SANITIZE)
  add_compile_options(-fsanitize=${PGSLUICE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PGSLUICE_SANITIZE})
endif()

# Every layer reports its coverage to the fuzzer; only the fuzz targets link its main().
if(PGSLUICE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(PGSLUICE_HARDEN)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  add_compile_options(-fstack-protector-strong -fcf-protection=full -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_link_options(-pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
