#include "codecs.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace pgsluice::config {
namespace {

bool is_boolean(const std::string& text) {
    return text == "true" || text == "false";
}

// The words that YAML 1.1 took for true and false, in lower case.
bool was_boolean(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    constexpr std::array<std::string_view, 8> words{"on", "off", "yes", "no", "y", "n", "true", "false"};
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool is_base64(std::string_view text) {
    return !text.empty() && text.size() % 4 == 0 &&
           text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
               std::string_view::npos;
}

// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
bool is_scram_verifier(std::string_view text) {
    const auto cut = [&text](char at) {
        const auto end = text.find(at);
        const std::string_view part = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        return part;
    };
    if (cut('$') != "SCRAM-SHA-256") return false;
    const auto iterations = parse_number(cut(':'));
    if (!iterations || *iterations == 0 || *iterations > 0x7FFFFFFF) return false;
    constexpr std::size_t key_characters = 44;  // base64 of 32 octets
    const auto salt = cut('$'), stored_key = cut(':'), server_key = text;
    return is_base64(salt) && is_base64(stored_key) && is_base64(server_key) && stored_key.size() == key_characters &&
           server_key.size() == key_characters;
}

std::string wrong(const Node& node, const std::string& what, const std::string& allowed) {
    return shown(node) + ' ' + what + "; allowed is " + allowed;
}

std::string duration_range(const Duration& d) {
    return (d.may_be_off ? "0 (off) or " : "") + duration_text(d.min) + " to " + duration_text(d.max) +
           ", with a unit: ms, s, m, h or d";
}

}  // namespace

std::optional<std::string> scalar_text(Reader& reader, const Node& node, const std::string& expected) {
    if (node.is(Node::Kind::scalar)) return node.text;
    reader.problem(node, expected + ", not a " + (node.is(Node::Kind::list) ? "list" : "map"));
    return std::nullopt;
}

std::optional<std::string> plain_text(Reader& reader, const Node& node, const std::string& expected) {
    if (!node.is(Node::Kind::scalar) || !node.quoted || node.interpolated) return scalar_text(reader, node, expected);
    reader.problem(node, expected + ", without quotes");
    return std::nullopt;
}

void Duration::read(Reader& reader, const Node& node, Milliseconds& out) const {
    const auto text = plain_text(reader, node, "must be a duration such as 500ms, 10s, 5m, 1h or 1d");
    if (!text) return;
    const auto value = parse_duration(*text);
    if (!value) return reader.problem(node, wrong(node, value.error(), duration_range(*this)));
    const bool fits = *value == Milliseconds::zero() ? may_be_off : *value >= min && *value <= max;
    if (!fits) return reader.problem(node, wrong(node, "is out of range", duration_range(*this)));
    out = *value;
}

void DurationOverride::read(Reader& reader, const Node& node, std::optional<Milliseconds>& out) const {
    out.emplace();
    Duration().read(reader, node, *out);
}

Node DurationOverride::print(const std::optional<Milliseconds>& value) const {
    return value ? Duration().print(*value) : Node();
}

void Size::read(Reader& reader, const Node& node, std::uint64_t& out) const {
    const auto text = plain_text(reader, node, "must be a size such as 4096, 16KiB or 1MiB");
    if (!text) return;
    const std::string allowed = size_text(min) + " to " + size_text(max) + ", in bytes or with a unit: KiB, MiB or GiB";
    const auto value = parse_size(*text);
    if (!value) return reader.problem(node, wrong(node, value.error(), allowed));
    if (*value < min || *value > max) return reader.problem(node, wrong(node, "is out of range", allowed));
    out = *value;
}

std::optional<std::uint64_t> Number::read_number(Reader& reader, const Node& node) const {
    const auto text = plain_text(reader, node, "must be a whole number");
    if (!text) return std::nullopt;
    const auto value = parse_number(*text);
    if (value && *value >= min && *value <= max) return *value;
    std::string allowed = std::to_string(min) + " to " + std::to_string(max);
    if (!zero.empty()) allowed += " (0: " + zero + ')';
    reader.problem(node, wrong(node, value ? "is out of range" : value.error(), allowed));
    return std::nullopt;
}

void Percent::read(Reader& reader, const Node& node, std::uint32_t& out) const {
    const auto text = plain_text(reader, node, "must be a percentage such as 50%");
    if (!text) return;
    const auto value = text->ends_with('%') ? parse_number(text->substr(0, text->size() - 1)) : parse_number("");
    if (value && *value <= 100) return void(out = static_cast<std::uint32_t>(*value));
    reader.problem(node, wrong(node, value ? "is out of range" : "is not a percentage", "0% to 100%"));
}

void NumberOr::read(Reader& reader, const Node& node, std::uint32_t& out) const {
    if (node.is(Node::Kind::scalar) && node.text == word) return void(out = 0);
    const auto text = plain_text(reader, node, "must be a whole number or " + word);
    if (!text) return;
    const auto value = parse_number(*text);
    if (value && *value >= 1 && *value <= max) return void(out = static_cast<std::uint32_t>(*value));
    reader.problem(node,
                   wrong(node, value ? "is out of range" : value.error(), word + " or 1 to " + std::to_string(max)));
}

void Boolean::read(Reader& reader, const Node& node, bool& out) const {
    const auto text = plain_text(reader, node, "must be true or false");
    if (!text) return;
    if (is_boolean(*text)) return void(out = *text == "true");
    const std::string what = was_boolean(*text) ? "is not a word of YAML 1.2 for yes or no" : "is not true or false";
    reader.problem(node, wrong(node, what, "true or false"));
}

void Text::read(Reader& reader, const Node& node, std::string& out) const {
    auto text = scalar_text(reader, node, "must be a text");
    if (!text) return;
    if (is_boolean(*text) && !node.quoted)
        return reader.problem(node, "must be a text; write \"" + *text + "\" in quotes");
    if (text->empty() && !may_be_empty) return reader.problem(node, "must not be empty");
    if (text->find('\0') != std::string::npos) return reader.problem(node, "must not contain a zero byte");
    out = std::move(*text);
}

void Password::read(Reader& reader, const Node& node, Secret& out) const {
    std::string text;
    Text().read(reader, node, text);
    if (text.starts_with("SCRAM-SHA-256$") && !is_scram_verifier(text)) {
        return reader.problem(node,
                              "begins like a SCRAM verifier and is none; allowed is "
                              "SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, md5 and 32 hexadecimal "
                              "digits, or a plain password");
    }
    if (text.empty()) return;
    if (!node.interpolated && !is_scram_verifier(text)) reader.holds_a_password(node);
    out = Secret(std::move(text));
}

void Password::read(Reader& reader, const Node& node, std::optional<Secret>& out) const {
    Secret secret;
    read(reader, node, secret);
    if (!secret.empty()) out = std::move(secret);
}

void Path::read(Reader& reader, const Node& node, std::string& out) const {
    std::string text;
    Text().read(reader, node, text);
    if (text.empty()) return out.clear();
    out = reader.absolute(text);
    if (is == Is::any) return;
    if (is == Is::written) return reader.expect_writable(out, node);
    reader.expect_readable(out, node, is == Is::secret ? Reader::Holds::secrets : Reader::Holds::nothing_secret);
}

// A YAML 1.2 reader takes a bare 0770 for the decimal 770; here it can only mean one thing, with or without quotes.
void FileMode::read(Reader& reader, const Node& node, std::uint32_t& out) const {
    const auto text = scalar_text(reader, node, "must be a file mode such as \"0770\"");
    if (!text) return;
    const bool octal =
        text->size() == 4 && text->front() == '0' && text->find_first_not_of("01234567") == std::string::npos;
    if (!octal)
        return reader.problem(node, wrong(node, "is not a file mode", "four octal digits, \"0000\" to \"0777\""));
    out = static_cast<std::uint32_t>(std::stoul(*text, nullptr, 8));
}

Node FileMode::print(std::uint32_t mode) const {
    char text[16];
    std::snprintf(text, sizeof text, "%04o", mode);
    return Node::quoted_text(text);
}

void IpAddress::read(Reader& reader, const Node& node, std::string& out) const {
    const auto text = scalar_text(reader, node, "must be an IP address");
    if (!text) return;
    const bool fits = text->empty() ? may_be_empty : Address::parse(*text).has_value();
    if (!fits) {
        return reader.problem(node, wrong(node, "is not an IP address",
                                          "an IPv4 or IPv6 address such as 127.0.0.1, ::1, or "
                                          "0.0.0.0 and :: for all"));
    }
    out = *text;
}

void NetworkBlock::read(Reader& reader, const Node& node, Network& out) const {
    const auto text = scalar_text(reader, node, "must be a network such as 10.0.0.0/8");
    if (!text) return;
    const auto network = Network::parse(*text);
    if (!network) {
        return reader.problem(node,
                              wrong(node, "is not a network", "ADDRESS, ADDRESS/BITS or unix, such as 10.0.0.0/8"));
    }
    out = *network;
}

}  // namespace pgsluice::config
