// Whatever a client of the console sends: it is answered, what it asks for is allowed to its role, and the same bytes
// one by one lead to the same answers.
#include "fuzz.hpp"

#include <pgsluice/admin/console.hpp>

using namespace pgsluice;
using admin::Console;

namespace {

const admin::View view;
const config::Config config;

// False: the console has ended.
bool drive(Console& console, Bytes& in, Bytes& out, admin::Role role) {
    while (true) {
        const Console::Action action = console.resume(in, out);
        if (std::holds_alternative<Console::NeedMore>(action)) return true;
        const auto* asked = std::get_if<Console::Run>(&action);
        if (asked == nullptr) return false;
        const bool looks = asked->command.verb == admin::Verb::show;
        PGSLUICE_CHECK(looks || role == admin::Role::admin);
        if (looks)
            console.answer_table({view, config, "0", false}, out);
        else
            console.answer_done(out);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input = fuzz::view(data, size);
    const auto role = fuzz::choice(input) % 2 == 0 ? admin::Role::stats : admin::Role::admin;
    Console at_once(role), byte_by_byte(role);
    Bytes in(input), out;
    drive(at_once, in, out, role);
    Bytes others_in, others_out;
    for (const char byte : input) {
        others_in += byte;
        if (!drive(byte_by_byte, others_in, others_out, role)) break;
    }
    PGSLUICE_CHECK(out == others_out);
    return 0;
}
