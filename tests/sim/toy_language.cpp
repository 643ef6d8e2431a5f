#include "toy_language.hpp"

#include <pgsluice/protocol/inspection.hpp>

#include <array>
#include <map>

namespace pgsluice::sim {
namespace {

using Kind = Toy::Kind;

const std::map<std::string_view, Kind> fixed{
    {"", Kind::empty},
    {"begin", Kind::begin},
    {"commit", Kind::commit},
    {"rollback", Kind::rollback},
    {"discard all", Kind::discard_all},
    {"deallocate all", Kind::deallocate_all},
    {"drop table t", Kind::drop_temporary},
    {"table t", Kind::read_temporary},
    {"execute p", Kind::execute_prepared},
    {"deallocate p", Kind::deallocate},
    {"fetch c", Kind::fetch},
    {"copy sink from stdin", Kind::copy},
    {"savepoint one", Kind::savepoint},
    {"rollback to one", Kind::rollback_to},
    {"release one", Kind::release},
    {"listen news", Kind::listen},
    {"unlisten news", Kind::unlisten},
    {"unlisten *", Kind::unlisten},
    {"select c from pg_listening_channels() c", Kind::show_channels},
    {"select pg_advisory_lock(7)", Kind::lock},
    {"select pg_advisory_unlock(7)", Kind::unlock},
    {"select pg_advisory_unlock_all()", Kind::unlock_all},
    {"select count(*) from pg_locks where pid = pg_backend_pid()", Kind::count_locks},
    {"fetch h", Kind::fetch_held},
    {"close h", Kind::close_held},
    {"select where pg_catalog.set_config($1, $2, false) is null", Kind::restore},
};

// One field stands between a head and a tail; the first that fits decides.
struct Pattern {
    Kind kind;
    std::string_view head, tail;
    std::string Toy::*field;
};
constexpr std::array<Pattern, 10> patterns{{
    {Kind::create_temporary, "create temp table t as select '", "'", &Toy::tag},
    {Kind::prepare, "prepare p as select '", "'", &Toy::tag},
    {Kind::declare, "declare c cursor for select '", "'", &Toy::tag},
    {Kind::declare_held, "declare h cursor with hold for select '", "'", &Toy::tag},
    {Kind::sleep, "select '", "' from pg_sleep(1)", &Toy::tag},
    {Kind::division, "select '", "', 1/0", &Toy::tag},
    {Kind::rows, "select '", "'", &Toy::tag},
    {Kind::show, "show ", "", &Toy::name},
    {Kind::reset, "reset \"", "\"", &Toy::name},
    {Kind::reset, "reset ", "", &Toy::name},
}};

bool read_by_pattern(Toy& toy, std::string_view text) {
    for (const Pattern& each : patterns) {
        if (!text.starts_with(each.head) || !text.ends_with(each.tail)) continue;
        if (text.size() < each.head.size() + each.tail.size()) continue;
        toy.kind = each.kind;
        toy.*each.field = text.substr(each.head.size(), text.size() - each.head.size() - each.tail.size());
        return true;
    }
    return false;
}

bool read_series(Toy& toy, std::string_view text) {
    constexpr std::string_view head = "select '", middle = "' from generate_series(1, ";
    const std::size_t at = text.find(middle);
    if (!text.starts_with(head) || at == std::string_view::npos) return false;
    toy.kind = Kind::rows;
    toy.tag = text.substr(head.size(), at - head.size());
    toy.rows = std::stoul(std::string(text.substr(at + middle.size())));
    return true;
}

bool read_assignment(Toy& toy, std::string_view text) {
    constexpr std::string_view head = "set ", local = "local ", middle = " = '";
    constexpr std::string_view authorization = "session authorization '";
    if (!text.starts_with(head)) return false;
    text.remove_prefix(head.size());
    toy.kind = Kind::set;
    if (text.starts_with(authorization)) {
        toy.name = "session_authorization";
        toy.value = text.substr(authorization.size(), text.size() - authorization.size() - 1);
        return true;
    }
    toy.local = text.starts_with(local);
    if (toy.local) text.remove_prefix(local.size());
    const std::size_t at = text.find(middle);
    toy.name = text.substr(0, at);
    toy.value = text.substr(at + middle.size(), text.size() - at - middle.size() - 1);
    return true;
}

// select set_config('NAME', 'VALUE', true)
bool read_call(Toy& toy, std::string_view text) {
    constexpr std::string_view head = "select set_config('", middle = "', '", tail = "', ";
    const std::size_t second = text.find(middle), third = text.find(tail, second + middle.size());
    if (!text.starts_with(head) || second == std::string_view::npos || third == std::string_view::npos) return false;
    toy.kind = Kind::configure;
    toy.name = text.substr(head.size(), second - head.size());
    toy.value = text.substr(second + middle.size(), third - second - middle.size());
    toy.local = text.ends_with("true)");
    return true;
}

// "app"."one", as pgsluice writes a name, and the one that is of two words.
void unquote(std::string& name) {
    if (name == "session authorization") name = "session_authorization";
    const std::size_t dot = name.find("\".\"");
    if (dot != std::string::npos) name.replace(dot, 3, ".");
}

}  // namespace

bool Toy::has_rows() const {
    switch (kind) {
        case Kind::rows:
        case Kind::sleep:
        case Kind::division:
        case Kind::show:
        case Kind::read_temporary:
        case Kind::execute_prepared:
        case Kind::fetch:
        case Kind::configure:
        case Kind::show_channels:
        case Kind::lock:
        case Kind::unlock:
        case Kind::unlock_all:
        case Kind::count_locks:
        case Kind::fetch_held:
        case Kind::inspect: return true;
        default: return false;
    }
}

Toy read_toy(const std::string& text) {
    Toy toy;
    if (const auto found = fixed.find(text); found != fixed.end()) {
        toy.kind = found->second;
    } else if (text == protocol::isolation_text()) {
        toy.kind = Kind::isolate;
    } else if (text == protocol::inspection_text()) {
        toy.kind = Kind::inspect;
    } else {
        static_cast<void>(read_series(toy, text) || read_call(toy, text) || read_by_pattern(toy, text) ||
                          read_assignment(toy, text));
        if (toy.kind == Kind::reset) unquote(toy.name);
    }
    return toy;
}

}  // namespace pgsluice::sim
