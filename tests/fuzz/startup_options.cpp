#include "fuzz.hpp"

#include <pgsluice/wire/startup_options.hpp>

using namespace pgsluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView options = fuzz::view(data, size);
    std::size_t total = 0;
    for (const auto& word : wire::split_options(options)) total += word.size();
    PGSLUICE_CHECK(total <= size);

    const auto read = wire::read_options(options);
    if (const auto* error = std::get_if<wire::SqlError>(&read)) {
        PGSLUICE_CHECK(error->severity == wire::Severity::fatal && !error->message.empty());
    } else {
        // No switch of two bytes makes more than the five settings of -d5.
        PGSLUICE_CHECK(std::get<std::vector<wire::Setting>>(read).size() <= 5 * size);
    }
    return 0;
}
