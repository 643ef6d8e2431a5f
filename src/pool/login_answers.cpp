#include <pgsluice/pool/login_answers.hpp>

namespace pgsluice::pool {

void LoginAnswers::learn(std::uint64_t fingerprint, Greeting greeting) {
    const std::lock_guard lock(mutex_);
    greeting_ = std::make_shared<const Greeting>(std::move(greeting));
    if (std::exchange(fingerprint_, fingerprint) != fingerprint) accepted_.clear();
}

std::shared_ptr<const LoginAnswers::Greeting> LoginAnswers::greeting(std::uint64_t fingerprint) const {
    const std::lock_guard lock(mutex_);
    return fingerprint_ == fingerprint ? greeting_ : nullptr;
}

void LoginAnswers::accept(std::uint64_t fingerprint, const wire::Setting& setting, AcceptedSettings::Result result) {
    const std::lock_guard lock(mutex_);
    if (greeting_ != nullptr && fingerprint_ == fingerprint) accepted_.add(setting, std::move(result));
}

std::optional<AcceptedSettings::Result> LoginAnswers::find(std::uint64_t fingerprint,
                                                           const wire::Setting& setting) const {
    const std::lock_guard lock(mutex_);
    if (greeting_ == nullptr || fingerprint_ != fingerprint) return std::nullopt;
    const auto* known = accepted_.find(setting);
    return known == nullptr ? std::nullopt : std::optional(*known);
}

}  // namespace pgsluice::pool
