// "did you mean ...?" for words that are nearly right.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::config {

// The nearest of `known` where it is at most two typing errors away and shares half of the word; otherwise empty.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

// "a, b or c"
std::string one_of(const std::vector<std::string>& words);

// ", did you mean \"x\"?" where nearest() finds one, otherwise "; allowed are a, b or c".
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

}  // namespace pgsluice::config
