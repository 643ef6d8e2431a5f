// Prepared statements as text, shared by every client of a worker that prepares the same. A Statement lives as long as
// somebody holds a StatementRef: a client's name for it, a server on which it is prepared, or a reply that is still
// owed. On servers it goes by a name of ours, which a client never sees. The name is made from the text, so that two
// workers call the same text by the same name, and a server that moves between them keeps what is prepared on it.
//
// What a text means is decided when it is parsed: how its literals read, which tables its names stand for, what types
// its columns have, what time it is. So it is shared only where its Environment is the same too.
#pragma once

#include <pgsluice/base/bytes.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace pgsluice::protocol {

class StatementCache;

// What decides, beside the text, what a statement means.
struct Environment {
    std::uint64_t settings = 0;        // a digest: see StatementCache::then
    std::uint64_t schema_changes = 0;  // how many had been seen
    std::uint64_t parse = 0;           // of a text that may read the clock: which of its Parses; else 0
    friend bool operator==(const Environment&, const Environment&) = default;
};

// What a server says of a statement. Kept with the statement on that server, and with the name of the client that was
// told so: what it binds and decodes by must not change behind its back.
struct Description {
    std::string parameter_types{};  // resolved: the count and the OIDs, as in Parse; empty where unknown
    std::uint64_t result = 0;       // a digest, see StatementCache::result_of

    // Of a result that is not compared: too long, not understood, or of rows that are found by a name.
    static constexpr std::uint64_t any_result = 1;

    // As far as both are known.
    bool agrees_with(const Description& other) const {
        const bool has_types = !parameter_types.empty() && !other.parameter_types.empty();
        const bool has_results = result > any_result && other.result > any_result;
        return (!has_types || parameter_types == other.parameter_types) && (!has_results || result == other.result);
    }
};
using DescriptionRef = std::shared_ptr<const Description>;

struct Statement {
    const std::string text;
    const std::string parameter_types;  // as in Parse: the count and the OIDs
    const Environment environment;
    const std::string server_name;  // "pgsluice_" and 32 hexadecimal digits
    const std::uint8_t nature;      // what StatementCache::Judge says of the text

  private:
    friend class StatementCache;
    friend void intrusive_ptr_add_ref(Statement* statement);
    friend void intrusive_ptr_release(Statement* statement);
    Statement(StatementCache& owner, ByteView statement_text, ByteView types, Environment where, std::string name,
              std::size_t hash);

    const std::size_t hash_;
    StatementCache& cache_;
    std::uint32_t references_ = 0;
};

using StatementRef = boost::intrusive_ptr<Statement>;

// Names that begin so belong to us on every server.
constexpr ByteView reserved_prefix = "pgsluice_";
// Of a statement's name there: the digest in hexadecimal follows the prefix.
constexpr std::size_t statement_name_bytes = reserved_prefix.size() + 32;
// Never prepared: to close it asks a server for an answer and changes nothing.
constexpr ByteView absent_name = "pgsluice_proof";
// Prepared only for a client that gives a name twice: another Parse of it fails as the client's own must.
constexpr ByteView taken_name = "pgsluice_taken";
// Prepared only to be deallocated: in the place of a name that the client knows and no server does.
constexpr ByteView gone_name = "pgsluice_gone";
// What deallocates that.
constexpr ByteView deallocate_name = "pgsluice_deallocate";

// The statements of one worker, by text, parameter types and environment. Outlives every StatementRef; not locked.
class StatementCache {
  public:
    // Keys the digest that names are made from, so that nobody can choose texts that collide: 16 random bytes, the same
    // for every worker of a process.
    struct Seed {
        std::uint64_t a = 0, b = 0;
    };
    // Asked once for each text, for something that its users want to know of it.
    using Judge = std::uint8_t (*)(ByteView text);
    // `number` tells it from the others of the same seed.
    explicit StatementCache(Seed seed, Judge judge = nullptr, std::size_t number = 0)
        : seed_(seed), judge_(judge), next_unshared_(std::uint64_t{number} << 48) {}
    StatementCache(const StatementCache&) = delete;
    StatementCache& operator=(const StatementCache&) = delete;

    StatementRef intern(ByteView text, ByteView parameter_types, Environment environment = {});
    std::size_t size() const { return statements_.size(); }

    // Digests of settings. The same steps from the same beginning lead to the same digest, in every worker.
    std::uint64_t then(std::uint64_t before, ByteView step) const;
    // One that no other is equal to, in any worker.
    std::uint64_t unshared();
    // What PostgreSQL compares before it says "cached plan must not change result type": names, types, lengths and
    // modifiers of the columns, whatever format they come in. `row_description`: the body; empty for NoData. Names
    // that are not ASCII are left out: in another client_encoding they are other bytes.
    std::uint64_t result_of(ByteView row_description) const;

  private:
    friend void intrusive_ptr_release(Statement* statement);
    friend struct Statement;

    struct Key {
        ByteView text, parameter_types;
        Environment environment;
        std::size_t hash;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(const Key& key) const { return key.hash; }
        std::size_t operator()(const Statement* statement) const { return statement->hash_; }
    };
    struct Equal {
        using is_transparent = void;
        bool operator()(const Statement* a, const Statement* b) const { return a == b; }
        bool operator()(const Key& key, const Statement* s) const {
            return key.environment == s->environment && key.text == s->text &&
                   key.parameter_types == s->parameter_types;
        }
        bool operator()(const Statement* s, const Key& key) const { return (*this)(key, s); }
    };

    const Seed seed_;
    const Judge judge_;
    std::uint64_t next_unshared_;
    boost::unordered_flat_set<Statement*, Hash, Equal> statements_;
};

}  // namespace pgsluice::protocol
