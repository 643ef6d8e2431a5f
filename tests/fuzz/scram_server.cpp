// Two messages of a client that does not know the password, separated by a newline. '@' stands for the nonce.
#include "fuzz.hpp"

#include <pgsluice/auth/scram_server.hpp>

using namespace pgsluice;
using auth::ScramServer;

namespace {

const auth::ScramVerifier& verifier() {
    static const auto made = auth::ScramVerifier::from_keys(auth::derive("not to be guessed", "salt", 1), "salt", 1);
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input = fuzz::view(data, size);
    const unsigned variant = fuzz::choice(input);
    const bool bound = (variant & 1) != 0, has_channel = bound || (variant & 2) != 0;
    ScramServer server({verifier(), (variant & 4) != 0, Bytes(auth::scram_nonce_bytes, 'n'),
                        has_channel ? Bytes(32, 'h') : Bytes(), bound});

    std::string nonce = "nonce";
    while (!input.empty()) {
        const auto message = fuzz::with_nonce(fuzz::part(input, '\n'), nonce);
        const auto step = server.resume(message);
        PGSLUICE_CHECK(!std::holds_alternative<ScramServer::Accepted>(step));
        const auto* next = std::get_if<ScramServer::Continue>(&step);
        if (next == nullptr) return 0;
        PGSLUICE_CHECK(next->message.starts_with("r="));
        nonce = next->message.substr(2, next->message.find(',') - 2);
    }
    return 0;
}
