// Who may ask for /api/: whoever comes by the Unix socket, and whoever shows the token.
#pragma once

#include <pgsluice/http/answer.hpp>

#include <optional>
#include <string_view>

namespace pgsluice::http {

bool is_of_api(std::string_view path);

// nullopt: it may. Tells nothing of what is there, nor whether a token is nearly right.
std::optional<Answer> refusal_of_api(const Request& request, const Secret& token);

// A 401 to somebody who has shown something: worth a line in the log.
bool has_shown_a_wrong_token(const Request& request, const Answer& answer);

}  // namespace pgsluice::http
