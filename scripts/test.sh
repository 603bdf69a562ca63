#!/bin/sh
# All tests with branch coverage and its gates. Arguments go to pytest, which then runs without
# the gates: `scripts/test.sh tests/localcloud -x`.
set -eu

cd "$(dirname "$0")/.."
PATH=$(pwd)/.venv/bin:$PATH
export PATH

if [ $# -gt 0 ]; then
    exec pytest "$@"
fi
coverage erase
# Three workers on two cores: tests of the real parts wait much of their time.
pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report= \
    --ignore=tests/simulation --ignore=tests/chaos --ignore=tests/scenarios/test_throttling.py
scripts/coverage-gate.sh
# Coverage would make these several times slower; the crash test needs both cores.
pytest -n 2 tests/simulation tests/scenarios/test_throttling.py
pytest tests/chaos
