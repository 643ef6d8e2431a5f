#include <pgsluice/http/answer.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace pgsluice::http {
namespace {

Handlers handlers() {
    return {.metrics = [] { return std::string("m 1\n"); },
            .healthy =
                [] {
                    return Health{true, "ok"};
                },
            .ready =
                [] {
                    return Health{false, "draining"};
                }};
}

TEST(Answer, ServesItsThreePaths) {
    EXPECT_EQ(answer("GET", "/metrics", handlers()).body, "m 1\n");
    EXPECT_EQ(answer("GET", "/metrics", handlers()).content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(answer("GET", "/healthz", handlers()).status, 200u);
    EXPECT_EQ(answer("GET", "/readyz", handlers()).status, 503u);
    EXPECT_EQ(answer("GET", "/readyz", handlers()).body, "draining\n");
    EXPECT_EQ(answer("HEAD", "/readyz?verbose=1", handlers()).status, 503u);
}

TEST(Answer, RefusesOtherPathsAndMethods) {
    for (const char* path : {"/", "", "/metrics/", "/metricsx", "//metrics", "*", "/../metrics", "?/metrics"})
        EXPECT_EQ(answer("GET", path, handlers()).status, 404u) << path;
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "BREW", ""}) {
        EXPECT_EQ(answer(method, "/metrics", handlers()).status, 405u) << method;
        EXPECT_EQ(answer(method, "/metrics", handlers()).allow, "GET, HEAD") << method;
    }
}

TEST(Answer, AHandlerThatThrowsOrIsMissingIsAnInternalError) {
    Handlers broken = handlers();
    broken.metrics = []() -> std::string { throw std::runtime_error("boom"); };
    broken.ready = nullptr;
    EXPECT_EQ(answer("GET", "/metrics", broken).status, 500u);
    EXPECT_EQ(answer("GET", "/readyz", broken).status, 500u);
}

TEST(LoopsHealthy, NamesTheWorkersThatHang) {
    const TimePoint now{std::chrono::seconds(100)};
    const Milliseconds limit{2000};
    EXPECT_TRUE(loops_healthy({now, now - limit}, now, limit).ok);
    const Health hanging = loops_healthy({now, now - std::chrono::milliseconds(12100), std::nullopt}, now, limit);
    EXPECT_FALSE(hanging.ok);
    EXPECT_EQ(hanging.text, "worker 1 has not come round for 12.1 s; worker 2 has not come round yet");
}

}  // namespace
}  // namespace pgsluice::http
