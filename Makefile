# What is built here, and how. `make help` lists it.
GO ?= go
BENCH ?= .
COUNT ?= 6
FUZZ ?= .
FUZZTIME ?= 10s

# The packages whose tests have functions of this name.
having = $(shell grep -rl --include='*_test.go' '^func $(1)' cmd internal labs pipeline redfish steps | xargs -n1 dirname | sort -u | sed 's|^|./|')

.PHONY: help bin build test e2e sweep demo bench fuzz generate lint clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  \1	/p' $(MAKEFILE_LIST) | expand -t 14

bin: ## what the simulated lab and tests run on: kube-apiserver, kube-controller-manager, etcd, CRDs, sushy-tools, schemas (once; minutes)
	@cd internal/tools && $(GO) run ./cmd/assets -o $(CURDIR)/bin

build: ## bin/labrun and bin/labsim
	$(GO) build -ldflags '-s -w' -o bin/ ./cmd/labrun ./cmd/labsim

test: bin ## all tests, with the race detector
	$(GO) test -race -timeout 30m ./...
	cd internal/tools && $(GO) test ./cmd/...

e2e: bin ## all six labs and all simulated failures, each with what labrun says of it
	$(GO) test -timeout 60m ./internal/e2e -further

sweep: bin ## runs, rebuilds and destroys killed at every boundary, at each one of its own, and at random moments (hours)
	$(GO) test -timeout 12h ./internal/e2e -run TestSweep -parallel 4 -boundaries . -sweep 200 -v

demo: bin build ## a lab built from end to end on this machine, and taken down again
	@$(GO) run ./internal/demo

bench: ## all benchmarks, COUNT times each, as benchstat reads them: make bench > new.txt
	@$(GO) test -p 1 -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) $(call having,Benchmark)

fuzz: ## the fuzz targets whose names match FUZZ (all), each for FUZZTIME (10s): make fuzz FUZZTIME=60s
	@for d in $(call having,Fuzz); do \
	  for f in $$($(GO) test -list '^Fuzz' $$d | grep '^Fuzz' | grep -E '$(FUZZ)'); do \
	    $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$d || exit 1; \
	  done; \
	done

generate: ## docs/steps.md, facts.md, preflight.md, troubleshooting.md and schemas/lab.schema.json, from the Go types and lists
	$(GO) generate ./...

lint: ## formatting, vet and staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.7.0 ./...
	cd internal/tools && $(GO) vet ./cmd/...

clean: ## what build made; bin/ itself takes minutes and stays
	rm -f bin/labrun bin/labsim
