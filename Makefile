# pairflow: `make run` and `make test` do it all, each from a fresh clone.
PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)
PEER_PYTHON ?= $(shell for p in python3.12 python3; do \
	  $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
DEMO := .pairflow/demo
SESSION := $(DEMO)/session.itch
EPOCH_S ?= 2

export BYTEWAX_SNAPSHOT_INTERVAL ?= $(EPOCH_S)
export BYTEWAX_RECOVERY_BACKUP_INTERVAL ?= 0

.PHONY: run binance test check soak fuzz bench bench-peers clean
.DELETE_ON_ERROR:

run: .venv/ready $(SESSION)   ## the main job: a simulated session, traded, in embedded ClickHouse
	$(BIN)/python -m bytewax.run "flows.trade:build('config/demo.yaml')" -r $(DEMO)/recovery

binance: .venv/ready          ## the same flow on real recordings; PAIRFLOW_DATA names the folder that holds binance/
	$(BIN)/python -m bytewax.run "flows.trade:build('config/binance_basis.yaml')" -r .pairflow/binance/recovery

$(SESSION): | .venv/ready
	$(BIN)/pairflow simulate --out $(DEMO)

test: .venv/ready             ## every test but the soak
	$(BIN)/python -m pytest -m "not soak" -n 2 --dist loadfile

check: .venv/ready            ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

soak: .venv/ready             ## 200 kills, long runs
	$(BIN)/python -m pytest -m soak --timeout 7200

fuzz: .venv/ready             ## a million inputs over all decoders, guided by coverage (on Linux)
	$(BIN)/python -m tests.fuzz 1000000

bench: .venv/ready            ## the table of docs/benchmarks.md and benchmarks/results.json
	$(BIN)/python -m benchmarks

bench-peers: .venv/ready .venv-peers/ready  ## the same strategy on NautilusTrader, in an environment of its own
	$(BIN)/python -m benchmarks.peers

.venv/ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "pairflow needs Python 3.11 or 3.12 on the PATH (or make PYTHON=/path/to/it)" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv-peers/ready: benchmarks/peers.txt
	@test -n "$(PEER_PYTHON)" || { echo "NautilusTrader needs Python 3.12 on the PATH (or make bench-peers PEER_PYTHON=/path/to/it)" >&2; exit 1; }
	test -x .venv-peers/bin/python3.12 || $(PEER_PYTHON) -m venv --clear .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers.txt
	@touch $@

clean:                        ## forget every run (data, checkpoints), keep the environment
	rm -rf .pairflow operators/__pycache__/kernels-*
