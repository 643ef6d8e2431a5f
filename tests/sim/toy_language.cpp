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
    {"select where pg_catalog.set_config($1, $2, false) is null", Kind::restore},
};

// One field stands between a head and a tail; the first that fits decides.
struct Pattern {
    Kind kind;
    std::string_view head, tail;
    std::string Toy::*field;
};
constexpr std::array<Pattern, 9> patterns{{
    {Kind::create_temporary, "create temp table t as select '", "'", &Toy::tag},
    {Kind::prepare, "prepare p as select '", "'", &Toy::tag},
    {Kind::declare, "declare c cursor for select '", "'", &Toy::tag},
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
    if (!text.starts_with(head)) return false;
    text.remove_prefix(head.size());
    toy.local = text.starts_with(local);
    if (toy.local) text.remove_prefix(local.size());
    const std::size_t at = text.find(middle);
    toy.kind = Kind::set;
    toy.name = text.substr(0, at);
    toy.value = text.substr(at + middle.size(), text.size() - at - middle.size() - 1);
    return true;
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
        static_cast<void>(read_series(toy, text) || read_by_pattern(toy, text) || read_assignment(toy, text));
    }
    return toy;
}

}  // namespace pgsluice::sim
