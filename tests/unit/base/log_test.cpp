#include <pgsluice/base/log.hpp>

#include <gtest/gtest.h>

namespace pgsluice::log {
namespace {

// Keeps what it is given as "event message key=value"; takes `least` and above.
class Recorder final : public Backend {
  public:
    bool enabled(Level level) const override { return level >= least; }
    void write(const Record& record) override {
        std::string line = std::string(record.event) + ' ' + std::string(record.message);
        for (const Field& field : record.fields) {
            line += ' ' + std::string(field.key) + '=';
            if (const auto* text = std::get_if<std::string_view>(&field.value)) line += *text;
            if (const auto* number = std::get_if<std::int64_t>(&field.value)) line += std::to_string(*number);
            if (const auto* flag = std::get_if<bool>(&field.value)) line += *flag ? "true" : "false";
        }
        lines.push_back(line);
    }
    Level least = Level::info;
    std::vector<std::string> lines;
};

class Log : public testing::Test {
  protected:
    ~Log() override {
        install(nullptr);
        install_audit(nullptr);
    }
    Recorder recorder_, audit_;
};

}  // namespace

TEST_F(Log, goes_nowhere_without_a_backend) {
    EXPECT_FALSE(enabled(Level::error));
    error("nothing", "nobody hears this");
}

TEST_F(Log, hands_records_to_the_backend) {
    install(&recorder_);
    info("client_connected", "client connected", {{"session", std::int64_t{7}}, {"user", "ann"}, {"tls", true}});
    warning("a", "b");
    error("c", "d");
    EXPECT_EQ(recorder_.lines, (std::vector<std::string>{
                                   "client_connected client connected session=7 user=ann tls=true", "a b", "c d"}));
}

TEST_F(Log, writes_what_the_backend_enables) {
    install(&recorder_);
    debug("a", "b");
    EXPECT_TRUE(recorder_.lines.empty());
    EXPECT_FALSE(enabled(Level::debug));
    recorder_.least = Level::debug;
    EXPECT_TRUE(enabled(Level::debug));
    debug("a", "b");
    EXPECT_EQ(recorder_.lines.size(), 1U);
}

TEST_F(Log, text_fields_are_text_and_not_bool) {
    install(&recorder_);
    const char* text = "value";
    info("e", "m", {{"key", text}});
    EXPECT_EQ(recorder_.lines.at(0), "e m key=value");
}

TEST_F(Log, without_an_audit_log_nothing_is_audited) {
    EXPECT_FALSE(is_audited());
    audit(Level::error, "nothing", "nobody hears this");
}

TEST_F(Log, what_is_audited_stands_in_the_audit_log_whatever_the_log_takes) {
    install(&recorder_);
    install_audit(&audit_);
    recorder_.least = audit_.least = Level::error;
    EXPECT_TRUE(is_audited());
    write_audited(Level::info, "a", "b", {{"user", "ann"}});
    audit(Level::error, "c", "d");
    write_audited(Level::error, "e", "f");
    EXPECT_EQ(recorder_.lines, std::vector<std::string>{"e f"});
    EXPECT_EQ(audit_.lines, (std::vector<std::string>{"a b user=ann", "c d", "e f"}));
}

}  // namespace pgsluice::log
