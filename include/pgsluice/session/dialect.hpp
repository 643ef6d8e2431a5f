// How the server reads what one client writes: the settings that decide about the meaning of texts, as a digest and as
// the facts that readers need. It is taken from the settings themselves where they are known, and kept up with step by
// step while a transaction changes them. A step that has not been answered may have failed.
#pragma once

#include <pgsluice/protocol/parameter_set.hpp>
#include <pgsluice/protocol/statement.hpp>
#include <pgsluice/sql/facts.hpp>
#include <pgsluice/wire/backend_messages.hpp>

#include <cstdint>

namespace pgsluice::session {

class Dialect {
  public:
    // `statements` make the digests, and outlive this. A client whose statements are not shared needs none.
    Dialect(protocol::StatementCache& statements, bool is_shared) : statements_(statements), is_shared_(is_shared) {}

    // --- What is known of the settings.

    // They are these. Tables of the client's own hide others of the same name. `path_of_route`: search_path where the
    // settings have none.
    void adopt(const protocol::ParameterSet& settings, bool has_temporary_tables, ByteView path_of_route = {});
    // The text may change them, and is about to be sent.
    void step(ByteView text);
    // What is about to be sent may take steps back.
    void note_transaction_end() { is_uncertain_ |= has_stepped_; }
    // All that was sent has been answered.
    void note_answered() { is_uncertain_ = false; }
    // The server reports one that was changed since adopt(), or may have been.
    void note_reported(const wire::ParameterStatus& setting);
    // Something may take back what the settings are now.
    void note_steps_ahead() { has_stepped_ = true; }

    // --- What follows.

    // Of the settings that decide; without a meaning where is_uncertain().
    std::uint64_t digest() const { return digest_; }
    // By which what is parsed now is told from other clients' statements.
    std::uint64_t digest_of_parsed() const { return is_uncertain_ ? statements_.unshared() : digest_; }
    // Something may have changed them since adopt().
    bool has_stepped() const { return has_stepped_; }
    // And has not been answered.
    bool is_uncertain() const { return is_uncertain_; }

    sql::Reading reading() const { return {.standard_conforming_strings = !escapes_}; }
    // A backslash may mean something else than in standard SQL, or be a part of a character.
    bool is_out_of_standard() const { return escapes_ || hides_ascii_ || is_uncertain_; }
    // Only what follows a backslash, and what is not ASCII, can be read in two ways.
    bool is_read_as_written(ByteView text) const;
    bool is_utf8() const { return is_utf8_; }
    // search_path leads to the temporary schema: any CREATE may go there.
    bool creates_temporary() const { return creates_temporary_; }

  private:
    void note_encoding(ByteView client_encoding);

    protocol::StatementCache& statements_;
    std::uint64_t digest_ = 0;
    bool is_shared_;
    bool has_stepped_ = false;
    bool is_uncertain_ = false;
    bool escapes_ = false;      // standard_conforming_strings is off
    bool hides_ascii_ = false;  // client_encoding has characters with bytes that look like a quote or a backslash
    bool is_utf8_ = false;
    bool creates_temporary_ = false;
};

}  // namespace pgsluice::session
