#include "fuzz.hpp"

#include <pgsluice/wire/backend_messages.hpp>

using namespace pgsluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView body = fuzz::view(data, size);
    if (const auto authentication = wire::read_authentication(body)) {
        PGSLUICE_CHECK(authentication->data.size() + 4 == size);
        if (const auto mechanisms = wire::read_sasl_mechanisms(authentication->data)) {
            for (const ByteView name : *mechanisms) PGSLUICE_CHECK(!name.empty() && name.find('\0') == ByteView::npos);
        }
    }
    if (const auto status = wire::read_parameter_status(body)) {
        PGSLUICE_CHECK(status->name.size() + status->value.size() + 2 == size);
    }
    if (const auto key = wire::read_backend_key_data(body)) PGSLUICE_CHECK(key->secret.size() + 4 == size);
    if (wire::read_ready_for_query(body)) PGSLUICE_CHECK(size == 1);
    if (const auto row = wire::read_data_row(body)) {
        std::size_t total = 2;
        for (const auto& value : *row) total += 4 + (value ? value->size() : 0);
        PGSLUICE_CHECK(total == size);
    }
    return 0;
}
