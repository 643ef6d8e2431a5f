#include <pgsluice/sql/facts.hpp>

namespace pgsluice::sql {
namespace {

constexpr std::size_t block = 16;  // what malloc() adds and rounds up to

std::size_t heap_of(const std::string& text) {
    return text.capacity() > std::string().capacity() ? text.capacity() + 1 + block : 0;
}

template <class T>
std::size_t heap_of(const std::vector<T>& values) {
    return values.capacity() == 0 ? 0 : values.capacity() * sizeof(T) + block;
}

}  // namespace

std::size_t memory_of(const Facts& facts) {
    std::size_t bytes = sizeof(Facts);
    bytes += heap_of(facts.normalized) + heap_of(facts.relations) + heap_of(facts.functions) + heap_of(facts.columns);
    for (const Relation& relation : facts.relations) bytes += heap_of(relation.schema) + heap_of(relation.name);
    for (const Function& function : facts.functions) bytes += heap_of(function.schema) + heap_of(function.name);
    for (const Column& column : facts.columns) bytes += heap_of(column.relation) + heap_of(column.name);
    return bytes;
}

}  // namespace pgsluice::sql
