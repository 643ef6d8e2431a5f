#include "crypto.hpp"

#include <pgsluice/auth/scram_verifier.hpp>

#include <charconv>

namespace pgsluice::auth {
namespace {

constexpr std::uint32_t most_iterations = 0x7FFFFFFF;  // PostgreSQL keeps the count in an int

// The text before `separator`, which is dropped with it; nullopt where there is none.
std::optional<std::string_view> field(std::string_view& rest, char separator) {
    const auto end = rest.find(separator);
    if (end == std::string_view::npos) return std::nullopt;
    const auto text = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return text;
}

}  // namespace

std::optional<ScramVerifier> ScramVerifier::parse(std::string_view text) {
    const auto mechanism = field(text, '$');
    const auto count = field(text, ':');
    const auto salt_text = field(text, '$');
    const auto stored_text = field(text, ':');
    if (!mechanism || *mechanism != scram_sha_256 || !count || !salt_text || !stored_text) return std::nullopt;

    ScramVerifier verifier;
    const auto [end, problem] = std::from_chars(count->data(), count->data() + count->size(), verifier.iterations);
    if (problem != std::errc() || end != count->data() + count->size()) return std::nullopt;
    if (verifier.iterations == 0 || verifier.iterations > most_iterations) return std::nullopt;

    auto salt = from_base64(*salt_text);
    auto stored = from_base64(*stored_text);
    auto server = from_base64(text);
    if (!salt || salt->empty()) return std::nullopt;
    if (!stored || stored->size() != scram_key_bytes || !server || server->size() != scram_key_bytes)
        return std::nullopt;
    verifier.salt = std::move(*salt);
    verifier.stored_key = Secret(std::move(*stored));
    verifier.server_key = Secret(std::move(*server));
    return verifier;
}

ScramVerifier ScramVerifier::from_keys(const ScramKeys& keys, ByteView salt, std::uint32_t iterations) {
    return {iterations, Bytes(salt), Secret(sha256({keys.client_key.reveal()})), keys.server_key};
}

std::string ScramVerifier::format() const {
    std::string text(scram_sha_256);
    text += '$' + std::to_string(iterations) + ':' + base64(salt);
    text += '$' + base64(stored_key.reveal()) + ':' + base64(server_key.reveal());
    return text;
}

std::string hash_password(std::string_view password, ByteView salt, std::uint32_t iterations) {
    return ScramVerifier::from_keys(derive(password, salt, iterations), salt, iterations).format();
}

}  // namespace pgsluice::auth
