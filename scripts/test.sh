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
pytest -n 2 --dist loadfile --cov --cov-report=
scripts/coverage-gate.sh
