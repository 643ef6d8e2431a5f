#include "fuzz.hpp"

#include <pgsluice/auth/credential.hpp>
#include <pgsluice/auth/saslprep.hpp>

using namespace pgsluice;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input = fuzz::view(data, size);
    if (const auto verifier = auth::ScramVerifier::parse(input)) {
        PGSLUICE_CHECK(verifier->iterations > 0 && !verifier->salt.empty());
        const auto again = auth::ScramVerifier::parse(verifier->format());
        PGSLUICE_CHECK(again && again->format() == verifier->format());
    }
    const Secret stored{Bytes(input)};
    const auto credential = auth::parse_credential(stored);
    PGSLUICE_CHECK(std::holds_alternative<auth::NoPassword>(credential) == input.empty());
    // No stored password lets an empty one in.
    const auto verdict = auth::check_password(credential, "user", Secret());
    PGSLUICE_CHECK(!std::get<bool>(verdict));
    auth::saslprep(input);
    return 0;
}
