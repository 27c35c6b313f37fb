# Sluice, a layer-4 TCP load balancer. Times are for 2 processors.
#
#   make               this help
#   make build         bin/sluice                                     1 minute at first, then seconds
#   make demo          build, then two sites behind one balancer      as build; runs until Ctrl-C
#   make test          vet and all tests; installs what they use      5 minutes
#   make simulate      the engine on a model of the kernel, for FOR=1m; SEED=n repeats a run,
#                      PLAN=text the world that a failure has printed
#   make simulate-proof  takes mends out of the engine; the simulation must miss each  5 minutes
#   make race          all tests with the race detector               10 minutes
#   make fuzz          each fuzz target for FUZZTIME=100000x inputs   10 minutes
#   make lint          golangci-lint, with the rules for imports      5 minutes at first, then 1
#   make syscalls      count the system calls of one connection       1 minute
#   make bench         Sluice, HAProxy, nginx and a floor in C        1 hour (BENCH=flags)
#   make bench-quick   the same in short                              4 minutes
#   make bench-compare compare the working tree with REF=main         10 minutes (BENCH=flags)
#   make clean         remove what the above made                     at once
#
# All but help and clean need Go 1.26 or newer, or an older Go that may fetch it
# (https://go.dev/dl). As root on Debian, test and race install missing programs.

GO       ?= go
FUZZTIME ?= 100000x
FOR      ?= 1m
PROCESSES ?= 2
REF      ?= main

# What tests and measurements use beside Go, by Debian's names: haproxy is the
# judge of log lines, gcc and libc6-dev make the race detector, strace counts;
# the second line holds the clients and servers whose protocols pass through.
PACKAGES = haproxy gcc libc6-dev strace \
           iproute2 curl wrk apache2-utils nodejs openssl nginx python3-eventlet redis-server redis-tools

GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

build: have-go
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/sluice ./cmd/sluice

demo: build
	bin/sluice demo

test: have-go packages
	$(GO) vet ./...
	$(GO) test ./...

race: have-go packages
	$(GO) test -race -shuffle=on -count=1 ./...

# The packages that the tag simulation changes. Their other tests need a real kernel.
SIMULATED = ./engine/... ./pool/...

simulate: have-go
	$(GO) vet -tags simulation $(SIMULATED)
	$(GO) test -tags simulation -count=1 $(SIMULATED)
	$(GO) test -tags simulation -count=1 -timeout 0 -v -run '^TestSimulation$$' ./engine -old=false \
	  -for $(FOR) -processes $(PROCESSES) $(if $(SEED),-seed $(SEED)) $(if $(PLAN),-plan "$(PLAN)")

simulate-proof: have-go
	GO=$(GO) .ci/prove

# Inputs are counted, as Go may report its own deadline as a failure where the
# fuzz time is a duration (golang/go#75804).
fuzz: have-go
	@set -e; for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
	  done; done

lint: have-go
	$(GO) run $(GOLANGCI) run
	$(GO) run $(GOLANGCI) run --build-tags simulation $(SIMULATED)

syscalls: build
	$(GO) run ./bench/syscalls

bench: have-go
	$(GO) run ./bench $(BENCH)

bench-quick: have-go
	$(GO) run ./bench -quick $(BENCH)

bench-compare: have-go
	$(GO) run ./bench/compare -ref $(REF) $(BENCH)

clean:
	rm -rf bin bench/out

have-go:
	@command -v $(GO) >/dev/null || { \
	  echo "make $(MAKECMDGOALS) needs Go 1.26 or newer, and there is no '$(GO)' here:" >&2; \
	  echo "install it from https://go.dev/dl, or say where it is: make $(MAKECMDGOALS) GO=/usr/local/go/bin/go" >&2; exit 1; }

# RUNLEVEL=1 keeps Debian from starting the daemons it installs. Without root,
# or without apt, the tests that lack a program say so and are skipped.
packages:
	@command -v dpkg-query >/dev/null || exit 0; \
	missing=$$(for p in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q ' installed$$' || echo $$p; done | xargs); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ]; then \
	  echo "make: some tests want: sudo apt-get install --no-install-recommends $$missing" >&2; exit 0; fi; \
	export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
	apt-get -q update && apt-get -qy install --no-install-recommends $$missing

.PHONY: help build demo test simulate simulate-proof race fuzz lint syscalls bench bench-quick bench-compare clean have-go packages
