# What is built here, and how. `make help` lists it.
GO ?= go

.PHONY: help bin build test demo bench generate lint clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  \1	/p' $(MAKEFILE_LIST) | expand -t 14

bin: ## what the simulated lab runs on: kube-apiserver, kube-controller-manager, etcd, CRDs, sushy-tools (once; minutes)
	@cd internal/tools && $(GO) run ./cmd/assets -o $(CURDIR)/bin

build: ## bin/labrun and bin/labsim
	$(GO) build -trimpath -ldflags '-s -w' -o bin/ ./cmd/labrun ./cmd/labsim

test: bin ## all tests, with the race detector
	$(GO) test -race -timeout 20m ./...
	cd internal/tools && $(GO) test ./cmd/...

demo: bin build ## a lab built from end to end on this machine, and taken down again
	@$(GO) run ./internal/demo

bench: ## the engine's benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

generate: ## docs/steps.md and docs/facts.md, from the Go types
	$(GO) generate ./...

lint: ## formatting, vet and staticcheck
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@v0.7.0 ./...
	cd internal/tools && $(GO) vet ./cmd/...

clean: ## what build made; bin/ itself takes minutes and stays
	rm -f bin/labrun bin/labsim
