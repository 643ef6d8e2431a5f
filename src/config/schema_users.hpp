// users, users_file and query: the same keys under `auth` and under a cluster.
#pragma once

#include "codecs.hpp"
#include "schemas.hpp"

namespace pgsluice::config {

const Schema<User>& user_schema();
const Schema<AuthQuery>& auth_query_schema();

// Users out of users_file are left to that file.
struct InlineUser : Object<User> {
    InlineUser() : Object<User>{user_schema} {}
    Node print(const User& user) const { return user.from_file ? Node() : Object<User>::print(user); }
};

struct OptionalAuthQuery {
    void read(Reader& reader, const Node& node, std::optional<AuthQuery>& out) const {
        read_map(reader, node, auth_query_schema(), out.emplace());
    }
    Node print(const std::optional<AuthQuery>& query) const {
        return query ? print_map(auth_query_schema(), *query) : Node();
    }
    void change(Change& change, std::optional<AuthQuery>& out) const {
        if (out) change_map(change, auth_query_schema(), *out);
    }
    void list(const std::string& path, std::vector<KeyInfo>& keys) const {
        Object<AuthQuery>{auth_query_schema}.list(path, keys);
    }
};

// `source` leads from a T to its UserSource.
template <class T, class Source>
void add_user_source_keys(Schema<T>& schema, Source source) {
    const auto users = [source](auto& t) -> auto& {
        return std::invoke(source, t).users;
    };
    const auto users_file = [source](auto& t) -> auto& {
        return std::invoke(source, t).users_file;
    };
    const auto query = [source](auto& t) -> auto& {
        return std::invoke(source, t).query;
    };
    schema.push_back(section<T>("users", users, ListOf<InlineUser>{}));
    schema.push_back(key<T>("users_file", users_file, Path{}, Changes::new_connections));
    schema.push_back(section<T>("query", query, OptionalAuthQuery{}));
}

}  // namespace pgsluice::config
