# Sluice, a layer-4 TCP load balancer.
#
#   make            this help
#   make build      bin/sluice
#   make demo       build, then run two sites behind one balancer on 127.0.0.1
#   make test       vet and all tests; first installs what they use, where it may
#   make race       all tests under the race detector, in random order
#   make fuzz       every fuzz target for a while: FUZZTIME=20s each
#   make lint       golangci-lint, with the rules that keep the rooms apart
#   make syscalls   count the system calls of one short connection (strace)
#   make bench      Sluice beside HAProxy, nginx and a floor in C: 40 minutes (BENCH=flags)
#   make bench-quick            its outline, in under three minutes
#   make bench-compare REF=main what a change costs: the working tree against REF (BENCH=flags)
#   make clean      remove what the above made
#
# Needs Go 1.26 or newer, or an older one that may fetch it (https://go.dev/dl).

GO       ?= go
FUZZTIME ?= 20s
REF      ?= main

# What tests and measurements use beside Go, by Debian's names: haproxy is the
# judge of log lines, gcc and libc6-dev make the race detector, strace counts;
# the second line holds the clients and servers whose protocols pass through.
PACKAGES = haproxy gcc libc6-dev strace \
           iproute2 curl wrk apache2-utils nodejs openssl nginx python3-eventlet redis-server redis-tools

GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/sluice ./cmd/sluice

demo: build
	bin/sluice demo

test: packages
	$(GO) vet ./...
	$(GO) test ./...

race: packages
	$(GO) test -race -shuffle=on -count=1 ./...

fuzz:
	@set -e; for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
	  done; done

lint:
	$(GO) run $(GOLANGCI) run

syscalls: build
	$(GO) run ./bench/syscalls

bench:
	$(GO) run ./bench $(BENCH)

bench-quick:
	$(GO) run ./bench -quick $(BENCH)

bench-compare:
	$(GO) run ./bench/compare -ref $(REF) $(BENCH)

clean:
	rm -rf bin bench/out

# RUNLEVEL=1 keeps Debian from starting the daemons it installs. Without root,
# or without apt, the tests that lack a program say so and are skipped.
packages:
	@command -v $(GO) >/dev/null || { echo "make: no $(GO) here: install Go 1.26 from https://go.dev/dl" >&2; exit 1; }
	@command -v dpkg-query >/dev/null || exit 0; \
	missing=$$(for p in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q ' installed$$' || echo $$p; done | xargs); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ]; then \
	  echo "make: some tests want: sudo apt-get install --no-install-recommends $$missing" >&2; exit 0; fi; \
	export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
	apt-get -q update && apt-get -qy install --no-install-recommends $$missing

.PHONY: help build demo test race fuzz lint syscalls bench bench-quick bench-compare clean packages
