#!/bin/sh
# All tests with branch coverage and its gates. `--quick` is what `make check` runs. Other
# arguments go to pytest, which then runs without the gates: `scripts/test.sh tests/localcloud -x`.
set -eu

cd "$(dirname "$0")/.."
PATH=$(pwd)/.venv/bin:$PATH
export PATH
# Hundreds of processes begin here, and without bytecode each would compile for seconds.
unset PYTHONDONTWRITEBYTECODE

# Load in numbers covers nothing more; `make soak` runs it.
load="--ignore=tests/scenarios/test_throttling.py --ignore=tests/system/test_many_exports.py"

if [ "${1:-}" = --quick ]; then
    exec pytest -n 2 --dist loadfile --no-loadscope-reorder -q -m "not slow" \
        --hypothesis-profile=check $load tests/unit tests/scenarios tests/system/docs
fi
if [ $# -gt 0 ]; then
    exec pytest "$@"
fi

coverage erase
# Three workers on two cores: tests of the real parts wait much of their time.
pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report= $load \
    --ignore=tests/system/test_simulation.py --ignore=tests/system/chaos/test_chaos.py
scripts/coverage-gate.sh
# Coverage would make these several times slower, and the crash test needs both cores.
pytest -n 2 tests/system/test_simulation.py
pytest -s tests/system/chaos/test_chaos.py
