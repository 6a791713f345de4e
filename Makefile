# What is built here, and how. `make help` lists it.
GO ?= go

.PHONY: help bin build test demo bench generate lint clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  \1	/p' $(MAKEFILE_LIST) | expand -t 14

bin: ## what the simulated lab runs on: kube-apiserver, kube-controller-manager, etcd, CRDs, sushy-tools (once; minutes)
	@cd internal/tools && $(GO) run ./cmd/assets -o $(CURDIR)/bin

build: ## bin/labrun and bin/labsim
	$(GO) build -o bin/ ./cmd/labrun ./cmd/labsim

test: ## all tests, with the race detector
	$(GO) test -race ./...
	cd internal/tools && $(GO) test ./cmd/...

demo: build bin ## a lab built from end to end on this machine
	@echo "make demo: not there yet"; exit 1

bench: ## the engine's benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

generate: ## schemas and golden files
	$(GO) generate ./...

lint: ## formatting and vet
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) vet ./...
	cd internal/tools && $(GO) vet ./cmd/...

clean: ## what build made; bin/ itself takes minutes and stays
	rm -f bin/labrun bin/labsim
