#include <pgsluice/insight/query_text.hpp>

namespace pgsluice::insight {

FingerprintText::FingerprintText(std::uint64_t fingerprint) {
    for (auto digit = digits_.rbegin(); digit != digits_.rend(); ++digit, fingerprint >>= 4) {
        *digit = "0123456789abcdef"[fingerprint & 0xF];
    }
}

}  // namespace pgsluice::insight
