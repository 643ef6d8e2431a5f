// A server that does not know the password, or is none: what we hold of it by the first byte.
#include "fuzz.hpp"

#include <pgsluice/auth/md5.hpp>
#include <pgsluice/protocol/server_login.hpp>

using namespace pgsluice;
using protocol::ServerLogin;

namespace {

ServerLogin::Password held(unsigned variant) {
    switch (variant % 4) {
        case 0: return auth::ScramKeys{Secret(Bytes(32, 'c')), Secret(Bytes(32, 's'))};
        case 1: return auth::PlainPassword{Secret("secret")};
        case 2: return auth::Md5Password{auth::md5_hash("secret", "user")};
        default: return auth::NoPassword{};
    }
}

struct Verdict {
    std::size_t kind;
    Bytes out;
    std::string text;
    friend bool operator==(const Verdict&, const Verdict&) = default;
};

Verdict run(ByteView input, ServerLogin::Setup setup, std::size_t portion) {
    ServerLogin login(std::move(setup));
    Bytes buffer, out;
    auto action = login.begin(out);
    bool has_unread = false;
    while (true) {
        if (std::holds_alternative<ServerLogin::Derive>(action)) {
            action = login.resume(auth::ScramKeys{Secret(Bytes(32, 'x')), Secret(Bytes(32, 'y'))}, out);
            has_unread = true;
            continue;
        }
        if (!std::holds_alternative<ServerLogin::NeedMore>(action) || (input.empty() && !has_unread)) break;
        if (!has_unread) {
            buffer += input.substr(0, portion);
            input.remove_prefix(std::min(portion, input.size()));
        }
        has_unread = false;
        auto step = login.resume(ByteView(buffer), out);
        PGSLUICE_CHECK(step.consumed <= buffer.size());
        buffer.erase(0, step.consumed);
        action = std::move(step.action);
    }
    Verdict verdict{action.index(), out, {}};
    if (const auto* failed = std::get_if<ServerLogin::Failed>(&action)) {
        verdict.text = failed->text;
        const bool refused = failed->reason == ServerLogin::Reason::refused;
        PGSLUICE_CHECK(refused == (failed->sqlstate.size() == 5));
    }
    return verdict;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteView input = fuzz::view(data, size);
    const unsigned variant = fuzz::choice(input);
    ServerLogin::Setup setup;
    setup.user = "user";
    setup.database = "database";
    setup.password = held(variant);
    setup.nonce = Bytes(auth::scram_nonce_bytes, 'n');
    setup.allow_cleartext = (variant & 4) == 0;
    if (variant >= 128) setup.channel_binding = Bytes(32, 'h');

    // '@' stands for our nonce, so that the fuzzer gets past the first check of it.
    const Bytes stream = fuzz::with_nonce(input, "bm5ubm5ubm5ubm5ubm5ubm5u");
    const auto whole = run(stream, setup, stream.size() + 1);
    PGSLUICE_CHECK(whole == run(stream, setup, 1));
    return 0;
}
