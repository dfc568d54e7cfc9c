# laurel: `make help` lists the targets. Needs Go 1.26, gcc and make; cargo 1.75
# only where the tokenizer library's release cannot be fetched.

GO     ?= go
PYTHON ?= python3

# Go's SIMD package makes the pure-Go backend about four times as fast. It knows
# amd64 only.
ifeq ($(shell $(GO) env GOARCH 2>/dev/null),amd64)
export GOEXPERIMENT = simd
endif
# Plugins come from cmd/setup, pinned; go-xla would fetch its own unpinned.
export GOMLX_NO_AUTO_INSTALL = 1

# go with laurel's changes to go-xla, which cmd/setup leaves in build
# (docs/upstream.md). Plain go builds and passes too: slower.
GOX = GOFLAGS="$$(cat build/goflags 2>/dev/null)" $(GO)

FUZZTIME ?= 10s
BENCH    ?= .

.PHONY: help demo build setup setup-cuda tools check test axe race bench fuzz interop interop-serve gpu-check release clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: build ## set up, label, train a small model on the labels, evaluate, score, export
	@rm -rf runs/demo runs/demo-labels
	@echo "== label comparisons by the offline heuristic judge"
	bin/laurel label --judge heuristic --data data/demo/unlabelled.jsonl --gold data/demo/unlabelled_gold.jsonl --out runs/demo-labels
	@echo "== what the shortcuts reach on the pairs to be tested on"
	@$(GOX) run ./data/demo/generate -n
	@echo "== train"
	bin/laurel train --config configs/demo.yaml --out runs/demo
	@echo "== evaluate on held-out pairs"
	bin/laurel eval --model runs/demo --data data/demo/test.jsonl --out runs/demo/eval
	@echo "== score, export"
	bin/laurel score --model runs/demo --data data/demo/test.jsonl --out runs/demo/scores.parquet
	bin/laurel export --model runs/demo --out runs/demo/hf
	@echo
	@echo "report      runs/demo/eval/report.html (labels: runs/demo-labels/report.html, training: runs/demo/report.html)"
	@echo "plots       runs/demo/eval/plots, runs/demo/plots"
	@echo "checkpoint  runs/demo/checkpoints"
	@echo "scores      runs/demo/scores.parquet"
	@echo "export      runs/demo/hf"

build: setup ## bin/laurel, with the XLA and the Go backend
	$(GOX) build -o bin/laurel ./cmd/laurel

setup: tools ## the tokenizer library and XLA's plugins, into build/
	@$(GO) run ./cmd/setup

setup-cuda: tools ## the same, with the CUDA plugin (2.2 GB) even where no GPU is found
	@$(GO) run ./cmd/setup --cuda

tools:
	@command -v $(GO) >/dev/null || { echo "make: no $(GO): install Go 1.26 or newer" >&2; exit 1; }
	@$(GO) env GOVERSION | awk '{ v = $$1; sub(/^go/, "", v); split(v, n, "."); if (n[1] + 0 == 1 && n[2] + 0 < 26) { print "make: " $$1 " is too old: install Go 1.26 or newer" > "/dev/stderr"; exit 1 } }'
	@cc=$$($(GO) env CC); command -v $${cc%% *} >/dev/null || { echo "make: no $$cc: install gcc (or set CC), which cgo needs" >&2; exit 1; }

# staticcheck's version is pinned in tools/go.mod, apart from what laurel is made of.
check: setup ## gofmt, go vet, staticcheck
	@unformatted=$$($(GO) list -f '{{.Dir}}' ./... | xargs gofmt -l); test -z "$$unformatted" || { echo "gofmt -w is due on:"; echo "$$unformatted"; exit 1; }
	$(GOX) vet ./...
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

# Go's own 10 minutes a package are too few where other work fills the machine.
TEST_TIMEOUT ?= 60m
test: setup ## all tests: no network once set up, no GPU
	$(GOX) test -timeout $(TEST_TIMEOUT) ./...

# Tests of pages in Chromium run axe-core where it is there; npm checks its digest.
AXE ?= 4.14.1
axe: ## axe-core, with which the tests check pages for accessibility, into build/
	@mkdir -p build/axe
	@cd build/axe && npm pack --silent axe-core@$(AXE) >/dev/null && tar -xzf axe-core-$(AXE).tgz --strip-components 1 package/axe.min.js && rm axe-core-$(AXE).tgz

# The packages in which goroutines share memory. checkptr is off: the Go
# backend's SIMD kernels point past their slices, and it would stop there.
RACE ?= ./data/... ./feedback/... ./board ./localweb ./review ./serve ./trainer/...
race: setup ## the concurrent packages under the race detector
	$(GOX) test -race -timeout 60m -gcflags=all=-d=checkptr=0 $(RACE)

bench: setup ## benchmarks (BENCH=regexp selects)
	$(GOX) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

fuzz: setup ## each fuzz target for FUZZTIME (10s)
	@set -e; for package in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); do \
		for target in $$($(GOX) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; $(GOX) test -toolexec "$(CURDIR)/tools/instrument.sh" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; done

# An environment that has cmd/interop/requirements.txt already may be named:
# make interop INTEROP_PYTHON=/path/to/python
INTEROP_PYTHON ?= build/interop-venv/bin/python

build/interop-venv/bin/python: cmd/interop/requirements.txt
	$(PYTHON) -m venv build/interop-venv
	build/interop-venv/bin/python -m pip install --quiet --requirement $<
	touch $@

interop: build $(INTEROP_PYTHON) ## prove families, adapters, TRL, judges and the loop against PyPI (5 GB venv)
	$(INTEROP_PYTHON) cmd/interop/manifests.py
	rm -rf runs/interop
	bin/laurel train --config configs/demo-pairs.yaml --set train.max_steps=40 --out runs/interop
	bin/laurel export --model runs/interop --out runs/interop/hf
	bin/laurel score --model runs/interop/hf --data cmd/interop/texts.jsonl --out runs/interop/scores.parquet
	$(INTEROP_PYTHON) cmd/interop/check.py --model runs/interop/hf --scores runs/interop/scores.parquet --max-length 160 --card
	$(INTEROP_PYTHON) cmd/interop/families.py --laurel bin/laurel --work runs/interop/families
	$(INTEROP_PYTHON) cmd/interop/adapters.py --laurel bin/laurel --work runs/interop/adapters
	$(INTEROP_PYTHON) cmd/interop/configurations.py --laurel bin/laurel --work runs/interop/configurations
	$(INTEROP_PYTHON) cmd/interop/judges.py --laurel bin/laurel --work runs/interop/judges
	$(INTEROP_PYTHON) cmd/interop/loop.py --laurel bin/laurel --work runs/interop/loop
	$(INTEROP_PYTHON) cmd/interop/handoff.py --laurel bin/laurel --work runs/interop/handoff
	$(INTEROP_PYTHON) cmd/interop/peers.py --laurel bin/laurel --model runs/interop/hf --model runs/interop/handoff/decoder/pack/model --work runs/interop/peers
	$(INTEROP_PYTHON) cmd/interop/tensorboard_events.py --laurel bin/laurel --work runs/interop/tensorboard
	$(INTEROP_PYTHON) cmd/interop/benchmarks.py --golden eval/benchmarks/testdata/golden.json --laurel bin/laurel --model runs/interop/hf --work runs/interop/benchmarks
	LAUREL_GOLDENS=$(CURDIR)/runs/interop/configurations $(GOX) test ./model -run 'TestGolden(Logits|Gradients)$$' -count 1

# The load generator is built once, apart from what laurel is made of.
VEGETA ?= build/bin/vegeta

build/bin/vegeta:
	GOFLAGS= GOBIN=$(CURDIR)/build/bin $(GO) install github.com/tsenart/vegeta/v12@v12.13.0

# A minute of load on laurel serve and on FastAPI with the same model: leave the
# machine alone meanwhile. INTEROP_SERVE=clients,trl leaves parts out.
INTEROP_SERVE ?= clients,trl,schema,load

interop-serve: build $(INTEROP_PYTHON) $(VEGETA) ## laurel serve: TRL, openai, OpenRLHF's loop, schemathesis, load beside FastAPI
	rm -rf runs/interop-serve
	bin/laurel train --config configs/demo-pairs.yaml --set train.max_steps=20 --out runs/interop-serve/run
	bin/laurel export --model runs/interop-serve/run --out runs/interop-serve/hf
	$(INTEROP_PYTHON) cmd/interop/serve.py --laurel bin/laurel --model runs/interop-serve/hf --pairs data/demo/test.jsonl --work runs/interop-serve --vegeta $(VEGETA) --only $(INTEROP_SERVE)

# As INTEROP_PYTHON: GPU_PYTHON=/path/to/python has cmd/gpucheck/requirements.txt.
GPU_PYTHON ?= build/gpu-venv/bin/python

build/gpu-venv/bin/python: cmd/gpucheck/requirements.txt
	$(PYTHON) -m venv build/gpu-venv
	build/gpu-venv/bin/python -m pip install --quiet --requirement $<
	touch $@

# GPU_CHECK="--shapes minilm --tokens 512" checks a part (docs/gpu.md).
gpu-check: build $(GPU_PYTHON) ## hold the programs a GPU would run to limits, without a GPU (4.4 GB venv)
	$(GOX) build -o bin/gpucheck ./cmd/gpucheck
	$(GPU_PYTHON) cmd/gpucheck/check.py $(GPU_CHECK)

# One tarball: the binary, the CPU plugin where laurel looks for it, the shipped
# configurations. On a GPU machine laurel doctor --fix adds the CUDA plugin.
release: build ## dist/laurel-VERSION-OS-ARCH.tar.gz, with the CPU plugin
	@set -e; name=laurel-$$(git describe --tags --always --dirty)-$$($(GO) env GOOS)-$$($(GO) env GOARCH); \
	rm -rf dist/$$name; mkdir -p dist/$$name/bin dist/$$name/build/pjrt; \
	$(GOX) build -trimpath -ldflags='-s -w' -o dist/$$name/bin/laurel ./cmd/laurel; \
	if [ -d build/pjrt/cpu ]; then cp -R build/pjrt/cpu dist/$$name/build/pjrt/; fi; \
	cp -R README.md CHANGELOG.md LICENSE docs dist/$$name/; \
	mkdir dist/$$name/configs; cp -R configs/*.yaml configs/constitutions dist/$$name/configs/; \
	tar -C dist -czf dist/$$name.tar.gz $$name; rm -rf dist/$$name; ls -l dist/$$name.tar.gz

clean: ## remove what is built: bin, build, dist, the demo's and interop's runs
	rm -rf bin build dist runs/demo runs/demo-labels runs/interop runs/interop-serve
