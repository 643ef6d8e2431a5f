// A password, key or token. It cannot be printed or compared by accident, and its memory is cleansed when it goes.
#pragma once

#include <string>
#include <string_view>

namespace pgsluice {

class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret other) noexcept;
    ~Secret();

    bool empty() const { return value_.empty(); }
    // The secret itself: for the code that must use it, never for logs, errors or metrics.
    std::string_view reveal() const { return value_; }

    // Constant-time in the content; lengths may be told apart.
    friend bool operator==(const Secret& a, const Secret& b) { return equal_in_constant_time(a.value_, b.value_); }

    static bool equal_in_constant_time(std::string_view a, std::string_view b);

  private:
    void cleanse();
    std::string value_;
};

}  // namespace pgsluice
