#include <pgsluice/base/ascii.hpp>
#include <pgsluice/session/dialect.hpp>
#include <pgsluice/sql/session_effect.hpp>

#include <algorithm>
#include <array>

namespace pgsluice::session {

namespace {

constexpr ByteView standard_conforming_strings = "standard_conforming_strings";

// Encodings in which a byte of a character may look like a quote or a backslash. No server uses them itself.
bool hides_ascii(ByteView encoding) {
    static constexpr std::array<ByteView, 6> hiding{"SJIS", "BIG5", "GBK", "UHC", "GB18030", "JOHAB"};
    return encoding == "SHIFT_JIS_2004" || std::find(hiding.begin(), hiding.end(), encoding) != hiding.end();
}

ByteView value_of(const protocol::ParameterSet& settings, ByteView name) {
    const protocol::Parameter* setting = settings.find(name);
    return setting == nullptr ? ByteView() : ByteView(setting->value);
}

}  // namespace

void Dialect::adopt(const protocol::ParameterSet& settings, bool has_temporary_tables, ByteView path_of_route) {
    has_stepped_ = is_uncertain_ = false;
    escapes_ = value_of(settings, standard_conforming_strings) == "off";
    note_encoding(value_of(settings, "client_encoding"));
    const protocol::Parameter* path = settings.find("search_path");
    creates_temporary_ = sql::speaks_of_temporary_schema(path == nullptr ? path_of_route : ByteView(path->value));
    if (!is_shared_) return;
    digest_ = 0;
    for (const protocol::Parameter& setting : settings.all()) {
        if (!sql::is_decisive(setting.name)) continue;
        digest_ = statements_.then(statements_.then(digest_, setting.name), setting.value);
        if (!setting.encoding.empty()) digest_ = statements_.then(digest_, setting.encoding);
    }
    if (has_temporary_tables) digest_ = statements_.unshared();
}

// Clients that come from the same settings by the same SETs have the same. What else a text may do cannot be told from
// it.
void Dialect::step(ByteView text) {
    const bool is_known = sql::is_plain_set(text) && !is_uncertain_;
    digest_ = is_known ? statements_.then(digest_, text) : statements_.unshared();
    has_stepped_ = is_uncertain_ = true;
}

void Dialect::note_reported(const wire::ParameterStatus& setting) {
    digest_ = statements_.then(statements_.then(digest_, setting.name), setting.value);
    if (setting.name == "client_encoding") note_encoding(setting.value);
    if (setting.name == standard_conforming_strings) escapes_ = setting.value == "off";
}

bool Dialect::is_read_as_written(ByteView text) const {
    if (!is_uncertain_ && !hides_ascii_) return true;
    return std::none_of(text.begin(), text.end(), [](char c) { return c == '\\' || is_beyond_ascii(c); });
}

void Dialect::note_encoding(ByteView client_encoding) {
    hides_ascii_ = hides_ascii(client_encoding);
    is_utf8_ = client_encoding == "UTF8";
}

}  // namespace pgsluice::session
