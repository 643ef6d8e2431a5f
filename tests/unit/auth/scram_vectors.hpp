// One exchange between libpq 15 and PostgreSQL 15.20, as recorded on the wire: password "secret", the verifier as it
// stood in pg_authid.
#pragma once

#include <string_view>

namespace pgsluice::auth::recorded {

constexpr std::string_view password = "secret";
constexpr std::string_view verifier =
    "SCRAM-SHA-256$4096:XQSIU1mSFv04hAx+pgtBXQ==$LV/PcqfjIacuc0T12trjgDsYr/9JgnZOPBlmZoz3ePE=:"
    "8v/0IDiTa8wyzOloq+MiUuMFkM3C9gEs4wCxobUUeIM=";
constexpr std::string_view client_nonce = "OSzUbxXd0xJ7kadpLa3+Vq7M";
constexpr std::string_view server_nonce = "KRpzQb3p0+A9ZtH/vxjkZpit";
constexpr std::string_view client_first = "n,,n=,r=OSzUbxXd0xJ7kadpLa3+Vq7M";
constexpr std::string_view server_first =
    "r=OSzUbxXd0xJ7kadpLa3+Vq7MKRpzQb3p0+A9ZtH/vxjkZpit,s=XQSIU1mSFv04hAx+pgtBXQ==,i=4096";
constexpr std::string_view client_final =
    "c=biws,r=OSzUbxXd0xJ7kadpLa3+Vq7MKRpzQb3p0+A9ZtH/vxjkZpit,p=CfwE+qthU7ceye4H5fI8DFC5tCngPTgB9xJjD5VMu0g=";
constexpr std::string_view server_final = "v=VllbyaPZ+dKK9Mm1ZNqbuvXM16Cs0EyvQHgAEJ7AYZo=";

}  // namespace pgsluice::auth::recorded
