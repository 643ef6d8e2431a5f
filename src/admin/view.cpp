#include <pgsluice/admin/view.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace pgsluice::admin {
namespace {

constexpr std::array<std::uint64_t Totals::*, 12> every_total{
    &Totals::assignments,   &Totals::transactions,     &Totals::queries,    &Totals::bytes_in,
    &Totals::bytes_out,     &Totals::transaction_time, &Totals::query_time, &Totals::wait_time,
    &Totals::client_parses, &Totals::server_parses,    &Totals::binds,      &Totals::logins};

template <class Element>
void append(std::vector<Element>& to, std::vector<Element>& from) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
}

void append(TotalsByDatabase& to, const TotalsByDatabase& from) {
    for (const auto& [database, totals] : from) to[database] += totals;
}

void append(insight::Picture& to, insight::Picture& from) {
    std::vector<insight::Picture> both;
    both.push_back(std::move(to));
    both.push_back(std::move(from));
    to = insight::merge(std::move(both));
}

}  // namespace

Totals& Totals::operator+=(const Totals& other) {
    for (const auto total : every_total) this->*total += other.*total;
    return *this;
}

Totals Totals::operator-(const Totals& other) const {
    Totals difference;
    for (const auto total : every_total) difference.*total = this->*total - other.*total;
    return difference;
}

void View::add(View other) {
    append(clients, other.clients);
    append(consoles, other.consoles);
    append(servers, other.servers);
    append(pools, other.pools);
    append(totals, other.totals);
    append(last_period, other.last_period);
    append(queries, other.queries);
}

}  // namespace pgsluice::admin
