// Paths, methods, and who may ask for what.
#include <pgsluice/http/answer.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace pgsluice::http {
namespace {

const Secret token("0123456789abcdef");

boost::asio::awaitable<Answer> no_answer(const ApiCall&) {
    co_return Answer{};
}

Handlers handlers() {
    return {.metrics = [] { return std::string("m 1\n"); },
            .healthy =
                [] {
                    return Health{true, "ok"};
                },
            .ready =
                [] {
                    return Health{false, "draining"};
                },
            .api = no_answer};
}

Answer answer(std::string_view method, std::string_view target, const Handlers& all) {
    return std::get<Answer>(http::answer({.method = method, .target = target}, all, token));
}

// What somebody with this header gets of /api/: 200 stands for a call of the handler.
Answer api(std::string_view authorization, const Secret& wanted = token, std::string_view target = "/api/overview",
           bool is_trusted = false) {
    const auto reply =
        http::answer({.method = "GET", .target = target, .authorization = authorization, .is_trusted = is_trusted},
                     handlers(), wanted);
    return std::holds_alternative<Answer>(reply) ? std::get<Answer>(reply) : Answer{};
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
    broken.api = nullptr;
    EXPECT_EQ(
        std::get<Answer>(http::answer({.method = "GET", .target = "/api/overview", .is_trusted = true}, broken, token))
            .status,
        500u);
    EXPECT_EQ(answer("GET", "/metrics", broken).status, 500u);
    EXPECT_EQ(answer("GET", "/readyz", broken).status, 500u);
}

TEST(Api, WantsTheTokenAndNothingElse) {
    for (const char* right : {"Bearer 0123456789abcdef", "bearer 0123456789abcdef", "BEARER   0123456789abcdef"})
        EXPECT_EQ(api(right).status, 200u) << right;
    for (const char* wrong :
         {"", "Bearer", "Bearer ", "Bearer 0123456789abcdeF", "Bearer 0123456789abcde", "Bearer 0123456789abcdef0",
          "Bearer 0123456789abcdef ", "Basic 0123456789abcdef", "0123456789abcdef", "Bearer0123456789abcdef",
          "Bearer\t0123456789abcdef", "Bearer x, Bearer 0123456789abcdef"})
        EXPECT_EQ(api(wrong).status, 401u) << wrong;
}

TEST(Api, SaysWhatItWantsAndNeverWhatItWasGiven) {
    EXPECT_EQ(api("").authenticate, "Bearer realm=\"pgsluice\"");
    const Answer refused = api("Bearer canary");
    EXPECT_EQ(refused.authenticate, "Bearer realm=\"pgsluice\", error=\"invalid_token\"");
    EXPECT_EQ((refused.body + refused.authenticate + refused.content_type).find("canary"), std::string::npos);
}

TEST(Api, IsClosedWithoutATokenInTheConfiguration) {
    for (const char* any : {"", "Bearer", "Bearer ", "Bearer 0123456789abcdef"}) {
        EXPECT_EQ(api(any, Secret()).status, 403u) << any;
        EXPECT_NE(api(any, Secret()).body.find("set admin.http.token"), std::string::npos);
    }
}

TEST(Api, TellsStrangersNothingOfWhatIsThere) {
    for (const char* path :
         {"/api/", "/api/nothing", "/api//overview", "/api/overview/", "/api/../metrics", "/api/?x"}) {
        EXPECT_EQ(api("", token, path).status, 401u) << path;
        EXPECT_EQ(api("", Secret(), path).status, 403u) << path;
        EXPECT_EQ(api("Bearer 0123456789abcdef", token, path).status, 404u) << path;
    }
    EXPECT_EQ(api("", token, "/api").status, 404u) << "no path of the API";
    EXPECT_EQ(api("", token, "/API/overview").status, 404u) << "nor this";
}

TEST(Api, WhoeverComesByTheUnixSocketNeedsNoToken) {
    EXPECT_EQ(api("", token, "/api/overview?pretty", true).status, 200u);
    EXPECT_EQ(api("", Secret(), "/api/overview", true).status, 200u);
    EXPECT_EQ(api("Bearer wrong", token, "/api/overview", true).status, 200u);
    EXPECT_EQ(api("", Secret(), "/api/nothing", true).status, 404u);
}

std::variant<Answer, ApiCall> trusted(std::string_view method, std::string_view target) {
    return http::answer({.method = method, .target = target, .caller = "unix", .is_trusted = true}, handlers(), token);
}

TEST(Api, what_only_looks_is_read_and_what_changes_something_is_posted) {
    for (const char* path : {"/api/overview", "/api/queries", "/api/sessions"}) {
        EXPECT_TRUE(std::holds_alternative<ApiCall>(trusted("GET", path))) << path;
        EXPECT_TRUE(std::holds_alternative<ApiCall>(trusted("HEAD", path))) << path;
        EXPECT_EQ(std::get<Answer>(trusted("POST", path)).status, 405u) << path;
        EXPECT_EQ(std::get<Answer>(trusted("POST", path)).allow, "GET, HEAD") << path;
    }
    EXPECT_TRUE(std::holds_alternative<ApiCall>(trusted("POST", "/api/queries/reset")));
    for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "post"}) {
        EXPECT_EQ(std::get<Answer>(trusted(method, "/api/queries/reset")).status, 405u) << method;
        EXPECT_EQ(std::get<Answer>(trusted(method, "/api/queries/reset")).allow, "POST") << method;
    }
}

TEST(Api, strangers_do_not_learn_methods_either) {
    for (const char* path : {"/api/overview", "/api/queries/reset", "/api/nothing"}) {
        for (const char* method : {"GET", "POST", "DELETE"}) EXPECT_EQ(answer(method, path, handlers()).status, 401u);
    }
}

TEST(Api, a_call_says_what_is_wanted_with_what_and_by_whom) {
    const auto call = std::get<ApiCall>(trusted("GET", "/api/queries?order=calls&limit=3?"));
    EXPECT_EQ(call.what, Api::queries);
    EXPECT_EQ(call.query, "order=calls&limit=3?");
    EXPECT_EQ(call.caller, "unix");
    EXPECT_EQ(std::get<ApiCall>(trusted("POST", "/api/queries/reset")).what, Api::reset_queries);
    EXPECT_EQ(std::get<ApiCall>(trusted("GET", "/api/sessions?")).what, Api::sessions);
    EXPECT_EQ(std::get<ApiCall>(trusted("GET", "/api/sessions?")).query, "");
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
