// Threads that parse SQL: libpg_query goes down into a text as deep as it is nested, without a check that works.
#pragma once

#include <pgsluice/sql/facts.hpp>

#include <pthread.h>

namespace pgsluice::daemon {

// Threads that are started while it lives have the stack for it: address space, of which they use what they touch.
class ParserStack {
  public:
    ParserStack() {
        pthread_getattr_default_np(&before_);
        pthread_attr_t large;
        pthread_attr_init(&large);
        pthread_attr_setstacksize(&large, sql::parser_stack_bytes);
        pthread_setattr_default_np(&large);
        pthread_attr_destroy(&large);
    }
    ~ParserStack() {
        pthread_setattr_default_np(&before_);
        pthread_attr_destroy(&before_);
    }
    ParserStack(const ParserStack&) = delete;
    ParserStack& operator=(const ParserStack&) = delete;

  private:
    pthread_attr_t before_{};
};

}  // namespace pgsluice::daemon
