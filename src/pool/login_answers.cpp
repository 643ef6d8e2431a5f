#include <pgsluice/pool/login_answers.hpp>
#include <pgsluice/pool/role.hpp>

#include <algorithm>

namespace pgsluice::pool {

namespace {

LoginAnswers::Greeting with_value(const LoginAnswers::Greeting& greeting, ByteView name, ByteView value) {
    std::vector<wire::Setting> reported = greeting.reported;
    for (wire::Setting& each : reported) {
        if (each.first == name) each.second = value;
    }
    std::vector<protocol::Parameter> baseline = greeting.baseline->all();
    for (protocol::Parameter& each : baseline) {
        if (each.name == name) each.value = value;
    }
    return {std::move(reported), std::make_shared<const protocol::ParameterSet>(std::move(baseline))};
}

}  // namespace

void LoginAnswers::learn(std::uint64_t fingerprint, Greeting greeting) {
    const std::lock_guard lock(mutex_);
    greeting_ = std::make_shared<const Greeting>(std::move(greeting));
    is_doubtful_.store(false, std::memory_order_relaxed);
    if (std::exchange(fingerprint_, fingerprint) != fingerprint) accepted_.clear();
}

void LoginAnswers::forget() {
    const std::lock_guard lock(mutex_);
    greeting_.reset();
    accepted_.clear();
}

void LoginAnswers::doubt() {
    is_doubtful_.store(true, std::memory_order_relaxed);
}

void LoginAnswers::note_default(std::uint64_t fingerprint, ByteView name, ByteView before, ByteView value) {
    const std::lock_guard lock(mutex_);
    if (greeting_ == nullptr || fingerprint_ != fingerprint || before == value) return;
    const protocol::Parameter* told = greeting_->baseline->find(name);
    if (told == nullptr || !told->reported) return;
    if (told->value == before) {
        greeting_ = std::make_shared<const Greeting>(with_value(*greeting_, name, value));
        // A value may count with the default: DateStyle.
        accepted_.clear();
    } else if (told->value != value) {
        return;
    }
    keep_default(name, value);
}

void LoginAnswers::note_standby(std::uint64_t fingerprint, ByteView before, ByteView value) {
    const std::lock_guard lock(mutex_);
    if (greeting_ == nullptr || fingerprint_ != fingerprint) return;
    const auto& reported = greeting_->reported;
    const auto told = std::find_if(reported.begin(), reported.end(),
                                   [](const wire::Setting& each) { return each.first == standby_setting; });
    if (told == reported.end() || told->second != before) return;
    greeting_ = std::make_shared<const Greeting>(with_value(*greeting_, standby_setting, value));
}

// Where a fresh server has told it first, those who are there still hear of it by this.
void LoginAnswers::keep_default(ByteView name, ByteView value) {
    const auto found = std::find_if(defaults_.begin(), defaults_.end(),
                                    [&](const Default& each) { return each.setting.first == name; });
    if (found != defaults_.end() && found->setting.second == value) return;
    const std::uint64_t number = noted_.load(std::memory_order_relaxed) + 1;
    Default kept{number, {std::string(name), std::string(value)}};
    if (found == defaults_.end())
        defaults_.push_back(std::move(kept));
    else
        *found = std::move(kept);
    noted_.store(number, std::memory_order_relaxed);
}

std::vector<wire::Setting> LoginAnswers::defaults_since(std::uint64_t seen) const {
    const std::lock_guard lock(mutex_);
    std::vector<wire::Setting> since;
    for (const Default& each : defaults_) {
        if (each.number > seen) since.push_back(each.setting);
    }
    return since;
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
