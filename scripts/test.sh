#!/bin/sh
# All tests with branch coverage and its gates. Arguments go to pytest, which then runs without
# the gates: `scripts/test.sh tests/localcloud -x`. `--quick` is what `make check` runs.
set -eu

cd "$(dirname "$0")/.."
PATH=$(pwd)/.venv/bin:$PATH
export PATH

if [ "${1:-}" = --quick ]; then
    exec pytest -n 3 --dist loadfile --no-loadscope-reorder -q tests/unit tests/scenarios \
        --ignore=tests/scenarios/test_throttling.py
fi
if [ $# -gt 0 ]; then
    exec pytest "$@"
fi
# Seeds and load in numbers cover nothing more, and coverage would make them several times slower.
load="tests/scenarios/test_throttling.py tests/system/test_many_exports.py"

coverage erase
# Three workers on two cores: tests of the real parts wait much of their time.
pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report= \
    --ignore=tools/simulation --ignore=tools/chaos $(printf -- '--ignore=%s ' $load)
scripts/coverage-gate.sh
pytest -n 2 tools/simulation $load
# The crash test needs both cores.
pytest tests/system/chaos
