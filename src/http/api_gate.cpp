#include "api_gate.hpp"

#include <pgsluice/base/lower_case.hpp>

#include <algorithm>

namespace pgsluice::http {
namespace {

constexpr unsigned unauthorized = 401;
constexpr std::string_view scheme = "bearer";

// The token of "Bearer TOKEN"; empty where the header says anything else.
std::string_view bearer_token(std::string_view header) {
    const bool is_bearer = header.size() > scheme.size() && header[scheme.size()] == ' ' &&
                           std::equal(scheme.begin(), scheme.end(), header.begin(),
                                      [](char wanted, char found) { return lower_case(found) == wanted; });
    if (!is_bearer) return {};
    header.remove_prefix(scheme.size());
    header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
    return header;
}

}  // namespace

bool is_of_api(std::string_view path) {
    return path.starts_with("/api/");
}

std::optional<Answer> refusal_of_api(const Request& request, const Secret& token) {
    if (request.is_trusted) return std::nullopt;
    if (token.empty()) {
        return Answer{.status = 403,
                      .body =
                          "/api/ is closed here: set admin.http.token and send it as \"Authorization: Bearer "
                          "TOKEN\", or set admin.http.unix and ask there\n"};
    }
    if (Secret::equal_in_constant_time(bearer_token(request.authorization), token.reveal())) return std::nullopt;
    Answer refused{.status = unauthorized, .body = "/api/ wants the token of admin.http.token\n"};
    refused.authenticate = "Bearer realm=\"pgsluice\"";
    if (!request.authorization.empty()) refused.authenticate += ", error=\"invalid_token\"";
    return refused;
}

bool has_shown_a_wrong_token(const Request& request, const Answer& answer) {
    return answer.status == unauthorized && !request.authorization.empty();
}

}  // namespace pgsluice::http
