#include "sql_condition.hpp"

#include <pgsluice/base/ascii.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <type_traits>

namespace pgsluice::policy {
namespace {

using Errors = SqlCondition::Errors;

std::string item(const char* key, std::size_t position) {
    return std::string(key) + '[' + std::to_string(position) + ']';
}

std::vector<NamePattern> names_of(const std::vector<std::string>& texts, const char* key, const char* example,
                                  Errors& errors) {
    std::vector<NamePattern> patterns;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (auto pattern = NamePattern::parse(texts[i]))
            patterns.push_back(std::move(*pattern));
        else
            errors.emplace_back(item(key, i), '"' + texts[i] + "\" is not a name; allowed is " + example);
    }
    return patterns;
}

sql::Kinds kinds_of(const std::vector<std::string>& words, Errors& errors) {
    sql::Kinds kinds;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (const auto named = sql::kinds_named(words[i]))
            kinds |= *named;
        else
            errors.emplace_back(item("statements", i),
                                '"' + words[i] +
                                    "\" is not a kind of statement; allowed are command tags such as "
                                    "\"delete\" and \"create table\", and ddl, write, transaction, create, "
                                    "alter, drop");
    }
    return kinds;
}

std::vector<std::uint64_t> fingerprints_of(const std::vector<std::string>& texts, Errors& errors) {
    constexpr std::size_t digits = 16;
    std::vector<std::uint64_t> fingerprints;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::string& text = texts[i];
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
        if (error == std::errc() && end == text.data() + text.size() && text.size() == digits)
            fingerprints.push_back(value);
        else
            errors.emplace_back(item("fingerprints", i),
                                '"' + text + "\" is not a fingerprint; it has 16 hexadecimal digits");
    }
    return fingerprints;
}

// What depends on a pattern and the session or the text alone, and costs more the more they name: asked once for each
// pattern, however many names are held against it.
class OncePerPattern {
  public:
    explicit OncePerPattern(const std::vector<NamePattern>& patterns) : patterns_(patterns) {}

    template <class Ask>
    bool operator()(const NamePattern& pattern, Ask ask) {
        if (answers_.empty()) answers_.resize(patterns_.size());
        std::optional<bool>& answer = answers_[static_cast<std::size_t>(&pattern - patterns_.data())];
        if (!answer) answer = ask();
        return *answer;
    }

  private:
    const std::vector<NamePattern>& patterns_;
    std::vector<std::optional<bool>> answers_;
};

// A relation or a function.
template <class Named>
bool fits_name(const NamePattern& pattern, const Named& named, const SearchPath& path, bool must_be_certain,
               OncePerPattern& leads) {
    if (!glob_matches(pattern.name, named.name)) return false;
    if (!pattern.is_qualified()) return true;
    if (!named.schema.empty()) return glob_matches(pattern.qualifier, named.schema);
    if (!must_be_certain) return leads(pattern, [&] { return path.may_lead_to(pattern.qualifier); });
    // PostgreSQL's own relations begin so, and its functions begin with anything: it looks there first.
    const bool is_in_catalog = std::is_same_v<Named, sql::Function> || named.name.starts_with("pg_");
    if (is_in_catalog && !glob_matches(pattern.qualifier, "pg_catalog")) return false;
    return leads(pattern, [&] { return path.leads_only_to(pattern.qualifier); });
}

// All columns of a table are each of them, and a column whose table the text does not tell may be of any table that it
// names, or that functions read.
bool fits_column(const NamePattern& pattern, const sql::Column& column, const sql::Facts& facts, bool must_be_certain,
                 OncePerPattern& may_be_of_any) {
    if (!glob_matches(pattern.name, column.name) && (must_be_certain || column.name != "*")) return false;
    if (!pattern.is_qualified()) return true;
    if (!column.relation.empty()) return glob_matches(pattern.qualifier, column.relation);
    if (must_be_certain) return false;
    return facts.has_rows_of_functions || may_be_of_any(pattern, [&] {
               return std::any_of(facts.relations.begin(), facts.relations.end(), [&](const sql::Relation& relation) {
                   return glob_matches(pattern.qualifier, relation.name);
               });
           });
}

// `fits` some of what there is; of a rule that allows, all of it, and there must be something.
template <class Things, class Fits>
bool fit(const Things& things, bool all, Fits fits) {
    if (!all) return std::any_of(things.begin(), things.end(), fits);
    return !things.empty() && std::all_of(things.begin(), things.end(), fits);
}

template <class Fits>
bool any_pattern(const std::vector<NamePattern>& patterns, Fits fits) {
    return std::any_of(patterns.begin(), patterns.end(), fits);
}

}  // namespace

SqlCondition::SqlCondition(const config::PolicyCondition& when, bool fits_all, Errors& errors)
    : kinds_(kinds_of(when.statements, errors)),
      tables_(names_of(when.tables, "tables", "\"table\" or \"schema.table\"", errors)),
      reads_(names_of(when.reads, "reads", "\"table\" or \"schema.table\"", errors)),
      writes_(names_of(when.writes, "writes", "\"table\" or \"schema.table\"", errors)),
      functions_(names_of(when.functions, "functions", "\"function\" or \"schema.function\"", errors)),
      columns_(names_of(when.columns, "columns", "\"column\" or \"table.column\"", errors)),
      fingerprints_(fingerprints_of(when.fingerprints, errors)),
      without_where_(when.without_where),
      without_limit_(when.without_limit),
      fits_all_(fits_all),
      is_empty_(when.statements.empty() && when.tables.empty() && when.reads.empty() && when.writes.empty() &&
                when.functions.empty() && when.columns.empty() && when.fingerprints.empty() && !when.without_where &&
                !when.without_limit) {}

bool SqlCondition::asks_for_schemas() const {
    const auto asks = [](const Patterns& patterns) {
        return any_pattern(patterns, [](const NamePattern& pattern) { return pattern.is_qualified(); });
    };
    return asks(tables_) || asks(reads_) || asks(writes_) || asks(functions_);
}

bool SqlCondition::names_beyond_ascii() const {
    const auto name = [](const NamePattern& pattern) {
        return !is_ascii(pattern.qualifier) || !is_ascii(pattern.name);
    };
    return any_pattern(tables_, name) || any_pattern(reads_, name) || any_pattern(writes_, name) ||
           any_pattern(functions_, name) || any_pattern(columns_, name);
}

bool SqlCondition::matches_kinds(const sql::Facts& facts) const {
    if (kinds_.none()) return true;
    return fits_all_ ? facts.kinds.any() && (facts.kinds & ~kinds_).none() : (facts.kinds & kinds_).any();
}

bool SqlCondition::matches_tables(const sql::Facts& facts, const SearchPath& path) const {
    OncePerPattern leads(tables_);
    const auto fits = [&](const sql::Relation& relation) {
        return any_pattern(
            tables_, [&](const NamePattern& pattern) { return fits_name(pattern, relation, path, fits_all_, leads); });
    };
    return tables_.empty() || fit(facts.relations, fits_all_, fits);
}

bool SqlCondition::matches_those(const Patterns& patterns, bool sql::Relation::*how, const sql::Facts& facts,
                                 const SearchPath& path) const {
    if (patterns.empty()) return true;
    std::vector<const sql::Relation*> those;
    for (const sql::Relation& relation : facts.relations) {
        if (relation.*how) those.push_back(&relation);
    }
    OncePerPattern leads(patterns);
    return fit(those, fits_all_, [&](const sql::Relation* each) {
        return any_pattern(
            patterns, [&](const NamePattern& pattern) { return fits_name(pattern, *each, path, fits_all_, leads); });
    });
}

bool SqlCondition::matches_functions(const sql::Facts& facts, const SearchPath& path) const {
    OncePerPattern leads(functions_);
    const auto fits = [&](const sql::Function& function) {
        return any_pattern(functions_, [&](const NamePattern& pattern) {
            return fits_name(pattern, function, path, fits_all_, leads);
        });
    };
    return functions_.empty() || fit(facts.functions, fits_all_, fits);
}

bool SqlCondition::matches_columns(const sql::Facts& facts) const {
    OncePerPattern may_be_of_any(columns_);
    const auto fits = [&](const sql::Column& column) {
        return any_pattern(columns_, [&](const NamePattern& pattern) {
            return fits_column(pattern, column, facts, fits_all_, may_be_of_any);
        });
    };
    return columns_.empty() || fit(facts.columns, fits_all_, fits);
}

const char* SqlCondition::unmet(const sql::Facts& facts, const SearchPath& path) const {
    // Drivers ask with an empty text whether a connection lives. No server does anything for it.
    if (fits_all_ && facts.statements == 0) return nullptr;
    if (!matches_kinds(facts)) return "statements";
    if (without_where_ && !facts.without_where) return "without_where";
    if (without_limit_ && !facts.without_limit) return "without_limit";
    const bool is_listed =
        std::find(fingerprints_.begin(), fingerprints_.end(), facts.fingerprint) != fingerprints_.end();
    if (!fingerprints_.empty() && !is_listed) return "fingerprints";
    if (!matches_tables(facts, path)) return "tables";
    if (!matches_those(reads_, &sql::Relation::is_read, facts, path)) return "reads";
    if (!matches_those(writes_, &sql::Relation::is_written, facts, path)) return "writes";
    if (!matches_functions(facts, path)) return "functions";
    return matches_columns(facts) ? nullptr : "columns";
}

}  // namespace pgsluice::policy
