# Each target is one script or one cmake preset; the work is theirs.
PREFIX     ?= /usr
SYSCONFDIR ?= /etc
DESTDIR    ?=
BUILD      ?= build/release

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12
deps: ## install what building and testing need (Debian 12)
	scripts/deps build test
build: ## the release build: build/release/bin/pgsluice
	scripts/deps build
	cmake --preset release
	cmake --build --preset release
profile: ## the same, laid out by a load: build/profiled/bin/pgsluice (BUILD=build/profiled installs it)
	scripts/profile
run: ## a throwaway PostgreSQL with pgsluice in front of it, until Ctrl-C
	scripts/run
test: ## unit and end-to-end tests
	scripts/test
check: ## format, layers, sizes, clang-tidy on changed files, unit tests
	scripts/check
bench: ## compare with PgBouncer and HAProxy, and write docs/benchmarks.md
	scripts/bench
fuzz: ## run every libFuzzer target for five minutes
	scripts/fuzz
install: ## install $(BUILD) below $(DESTDIR)$(PREFIX), and a configuration where there is none
	DESTDIR="$(DESTDIR)" SYSCONFDIR="$(SYSCONFDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)" --strip
	@# Into a package's folder it is the package that makes the account.
	test -n "$(DESTDIR)" || systemd-sysusers "$(PREFIX)/lib/sysusers.d/pgsluice.conf"
	test -n "$(DESTDIR)" || find "$(SYSCONFDIR)/pgsluice" -maxdepth 1 \( -name pgsluice.yaml -o -name userlist.txt \) \
	    -exec chgrp pgsluice {} +
package: ## the Debian package, below build/package
	scripts/package
clean: ## remove every build
	rm -rf build

.PHONY: help deps build profile run test check bench fuzz install package clean
.DEFAULT_GOAL := help
