# Everything installs itself into this folder; `make demo` and `make test` need nothing before.
.POSIX:
.PHONY: setup up trouble demo check test soak simulate chaos bench screenshots texts lint format lock lock-check package

PYTHON = .venv/bin/python

demo: setup
	@$(PYTHON) -m localcloud.demo

setup:
	@scripts/setup.sh

up: setup
	@$(PYTHON) -m localcloud up

# The same, with stuck, failed, held and throttled replications to be seen on the dashboard.
trouble: setup
	@$(PYTHON) -m localcloud trouble

# For every save.
check: setup lint
	@scripts/test.sh --quick

# Everything that gates.
test: setup lock-check lint
	@scripts/test.sh

# For the night: load, 100,000 seeds and ten minutes of chaos; SEEDS, MINUTES and SEED as below.
soak: setup
	@seeds="$(SEEDS)"; scripts/soak.sh "$${seeds:-100000}" "$(MINUTES)" "$(SEED)"

# The whole app on a fake clock, 20,000 seeds; `make simulate SEEDS=100000` for others.
SEEDS =

simulate: setup
	@seeds="$(SEEDS)"; $(PYTHON) -m tools.simulation --seeds "$${seeds:-20000}"

# The benchmarks; `make bench BENCH=ledger` for one of them.
BENCH =

bench: setup
	@$(PYTHON) -m bench $(BENCH)

# Ten minutes of kills, faults and restarts; `make chaos MINUTES=30 SEED=7` for others.
MINUTES = 10
SEED =

chaos: setup
	@seed="$(SEED)"; $(PYTHON) -m tools.chaos --minutes "$(MINUTES)" $${seed:+--seed "$$seed"}

# What goes into Azure, as .funcignore lists it: build/gallery-replicator.zip.
package: setup
	@$(PYTHON) -m tools.package

# The pictures of docs/images, of a local cloud full of trouble.
screenshots: setup
	@$(PYTHON) -m tools.screenshots

# After a change of the pages' texts: keeps the translations in step, and compiles them.
texts: setup
	@$(PYTHON) -m tools.texts

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

format: setup
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock-check: setup
	@scripts/lock-check.sh

# After a change of dependencies in pyproject.toml.
lock: setup
	"$$(scripts/setup.sh --uv)" lock
	scripts/requirements.sh > requirements.txt
