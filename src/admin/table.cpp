#include <pgsluice/admin/table.hpp>
#include <pgsluice/base/check.hpp>

#include <algorithm>

namespace pgsluice::admin {
namespace {

std::int32_t type_of(char letter) {
    switch (letter) {
        case 's': return 25;
        case 'i': return 23;
        case 'q': return 20;
        case 'N': return 1700;
        case 'b': return 17;
        default: break;
    }
    PGSLUICE_CHECK(false);
    return 0;
}

}  // namespace

Columns columns(std::string_view list) {
    Columns all;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        const std::string_view one = list.substr(0, end);
        const std::size_t space = one.rfind(' ');
        const std::size_t begin = one.find_first_not_of(' ');
        all.push_back({std::string(one.substr(begin, space - begin)), type_of(one.back())});
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return all;
}

}  // namespace pgsluice::admin
