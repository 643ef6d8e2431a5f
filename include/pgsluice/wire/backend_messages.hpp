// Backend messages that pgsluice looks into or makes itself. Read functions give nothing where the body is malformed;
// what they give are views into the body.
#pragma once

#include <pgsluice/base/bytes.hpp>
#include <pgsluice/wire/tags.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pgsluice::wire {

enum class AuthenticationCode : std::int32_t {
    ok = 0,
    cleartext_password = 3,
    md5_password = 5,
    sasl = 10,
    sasl_continue = 11,
    sasl_final = 12,
};

struct Authentication {
    std::int32_t code;  // an AuthenticationCode, or one that we do not speak
    ByteView data;      // md5: 4 bytes of salt; sasl: mechanism names; continue and final: the SCRAM message
};
struct ParameterStatus {
    ByteView name, value;
};
struct BackendKeyData {
    std::int32_t process_id = 0;
    ByteView secret;
};

std::optional<Authentication> read_authentication(ByteView body);
// The mechanisms that an AuthenticationSASL offers.
std::optional<std::vector<ByteView>> read_sasl_mechanisms(ByteView data);
std::optional<ParameterStatus> read_parameter_status(ByteView body);
bool is_notification(ByteView body);           // NotificationResponse, well formed
bool is_parameter_description(ByteView body);  // likewise; its body is the count and OIDs of Parse
std::optional<BackendKeyData> read_backend_key_data(ByteView body);
std::optional<TransactionStatus> read_ready_for_query(ByteView body);
// Values of a DataRow; nullopt inside stands for NULL.
std::optional<std::vector<std::optional<ByteView>>> read_data_row(ByteView body);

void write_authentication(Bytes& out, AuthenticationCode code, ByteView data = {});
void write_authentication_sasl(Bytes& out, std::span<const ByteView> mechanisms);
void write_negotiate_protocol_version(Bytes& out, std::int32_t newest_minor, std::span<const ByteView> unknown_options);
void write_parameter_status(Bytes& out, ByteView name, ByteView value);
void write_backend_key_data(Bytes& out, std::int32_t process_id, ByteView secret);
void write_ready_for_query(Bytes& out, TransactionStatus status);
void write_command_complete(Bytes& out, ByteView command);
void write_empty(Bytes& out, BackendTag tag);  // ParseComplete, BindComplete, CloseComplete, NoData, EmptyQueryResponse

}  // namespace pgsluice::wire
