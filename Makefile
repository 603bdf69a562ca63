# Everything installs itself into this folder; `make demo` and `make test` need nothing before.
.POSIX:
.PHONY: setup up trouble demo check test simulate chaos bench screenshots texts lint format lock lock-check

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

# For every save: the quick half of `test`.
check: setup lint
	@scripts/test.sh --quick

test: setup lock-check lint
	@scripts/test.sh

# The whole app on a fake clock; `make simulate SEEDS=100000` for the long run.
SEEDS = 20000

simulate: setup
	@$(PYTHON) -m tools.simulation --seeds "$(SEEDS)"

# The benchmarks; `make bench BENCH=ledger` for one of them.
BENCH =

bench: setup
	@$(PYTHON) -m bench $(BENCH)

# Ten minutes of kills, faults and restarts; `make chaos MINUTES=30 SEED=7` for others.
MINUTES = 10
SEED =

chaos: setup
	@seed="$(SEED)"; $(PYTHON) -m tools.chaos --minutes "$(MINUTES)" $${seed:+--seed "$$seed"}

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
