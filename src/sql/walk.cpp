#include "walk.hpp"

#include "command_tag.hpp"

namespace pgsluice::sql {

namespace {

const Steps& all_steps() {
    static const Steps all = [] {
        Steps made;
        for (const Steps* each : {&query_steps(), &change_steps(), &name_steps(), &utility_steps()}) {
            made.insert(each->begin(), each->end());
        }
        return made;
    }();
    return all;
}

// No name has a NUL.
std::string key_of(std::string_view qualifier, std::string_view name) {
    std::string key(qualifier);
    key += '\0';
    key += name;
    return key;
}

}  // namespace

Place Place::in(const Scope* other) const {
    Place place = *this;
    place.scope = other;
    return place;
}

Place Place::reading() const {
    Place place = *this;
    place.reads = true;
    place.writes = false;
    return place;
}

Place Place::writing() const {
    Place place = *this;
    place.writes = true;
    return place;
}

Place Place::kept() const {
    Place place = *this;
    place.happens = false;
    return place;
}

bool Walk::run(const Message& statement) {
    has_read_ = false;
    stack_.push_back({&statement, Place{.scope = keep(Scope(nullptr))}, true});
    while (!stack_.empty()) {
        const Left left = stack_.back();
        stack_.pop_back();
        step(left);
        // Last in, first out: in reverse, so that facts come in the order of the text.
        stack_.insert(stack_.end(), pushed_.rbegin(), pushed_.rend());
        pushed_.clear();
    }
    return has_read_;
}

void Walk::step(const Left& left) {
    if (left.is_statement && left.place.happens) {
        facts_.kinds |= kinds_of_statement(*left.node);
        facts_.may_write = facts_.may_write || !only_reads(*left.node);
    }
    const auto found = all_steps().find(left.node->descriptor);
    if (found == all_steps().end()) return children_later(*left.node, left.place);
    found->second(*this, *left.node, left.place);
}

Scope* Walk::keep(Scope scope) {
    scopes_.push_back(std::move(scope));
    Scope& kept = scopes_.back();
    return &kept;
}

void Walk::later(const Message* node, const Place& place) {
    node = unwrapped(node);
    if (node != nullptr) pushed_.push_back({node, place, false});
}

void Walk::later(NodeList nodes, const Place& place) {
    for (const PgQuery__Node* node : nodes) later(message_of(node), place);
}

void Walk::children_later(const Message& node, const Place& place) {
    for_each_child(node, [this, &place](const Message& child) { later(&child, place); });
}

void Walk::statement_later(const Message* node, const Place& place) {
    node = unwrapped(node);
    if (node != nullptr) pushed_.push_back({node, place, true});
}

void Walk::add(const PgQuery__RangeVar& relation, const Place& place) {
    const std::string_view schema = text(relation.schemaname);
    const std::string_view name = text(relation.relname);
    // Only what is read can be a CTE.
    const bool may_be_cte = place.reads && !place.writes && schema.empty();
    if (may_be_cte && place.scope->sees_cte(name)) return;
    add_relation(schema, name, place);
}

void Walk::add_relation(std::string_view schema, std::string_view name, const Place& place) {
    const auto [found, is_new] = relations_.try_emplace(key_of(schema, name), facts_.relations.size());
    if (is_new) facts_.relations.push_back({.schema = std::string(schema), .name = std::string(name)});
    Relation& relation = facts_.relations[found->second];
    has_read_ = has_read_ || place.reads;
    relation.is_read = relation.is_read || place.reads;
    relation.is_written = relation.is_written || (place.writes && place.happens);
}

void Walk::add_function(std::string_view schema, std::string_view name) {
    if (functions_.insert(key_of(schema, name)).second) {
        facts_.functions.push_back({.schema = std::string(schema), .name = std::string(name)});
    }
}

void Walk::add_column(std::string_view relation, std::string_view name) {
    if (columns_.insert(key_of(relation, name)).second) {
        facts_.columns.push_back({.relation = std::string(relation), .name = std::string(name)});
    }
}

void Walk::add_star(const Scope& scope) {
    if (!starred_.insert(&scope).second) return;
    for (const Entry& entry : scope.entries()) {
        if (entry.source != Entry::Source::derived) add_column(entry.relation, "*");
    }
}

void Walk::add_owned_column(const Scope& scope, std::string_view name) {
    const Scope::Owner owner = scope.owner_of_column();
    if (owner.exists) add_column(owner.relation, name);
}

}  // namespace pgsluice::sql
