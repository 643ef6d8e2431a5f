// Messages of a server that does not know the password, separated by newlines. '@' stands for the client's nonce.
#include "fuzz.hpp"

#include <pgsluice/auth/scram_client.hpp>

using namespace pgsluice;
using auth::ScramClient;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input = fuzz::view(data, size);
    const unsigned variant = fuzz::choice(input);
    const auth::ScramKeys keys{Secret(Bytes(32, 'c')), Secret(Bytes(32, 's'))};
    ScramClient::Source source = keys;
    if ((variant & 1) != 0) source = Secret("not to be guessed");
    const bool bound = (variant & 2) != 0;
    ScramClient client(
        {std::move(source), Bytes(auth::scram_nonce_bytes, 'n'), 4096, bound ? Bytes(32, 'h') : Bytes(), bound});
    const std::string first = client.first_message();
    const std::string nonce = first.substr(first.rfind("r=") + 2);

    while (!input.empty()) {
        auto step = client.resume(fuzz::with_nonce(fuzz::part(input, '\n'), nonce));
        if (const auto* wanted = std::get_if<auth::Derivation>(&step)) {
            PGSLUICE_CHECK(wanted->iterations > 0 && wanted->iterations <= 4096 && !wanted->salt.empty());
            step = client.resume(keys);
        }
        PGSLUICE_CHECK(!client.verified());
        if (std::holds_alternative<ScramClient::Failed>(step)) return 0;
    }
    return 0;
}
