#!/bin/sh
# For the night: `scripts/soak.sh SEEDS MINUTES [SEED]`. Load, junk, calls, the vendor's clients,
# exports without their storage, the simulation, then the crash test; all of them run whatever comes
# of the others, and their figures stand together at the end.
set -eu

cd "$(dirname "$0")/.."
PATH=$(pwd)/.venv/bin:$PATH
export PATH
# Hundreds of processes begin here, and without bytecode each would compile for seconds.
unset PYTHONDONTWRITEBYTECODE

seeds=$1
minutes=$2
seed=${3:-}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

part() {
    name=$1
    shift
    echo "== $name: $*"
    { "$@" || echo "$name" >> "$logs/failed"; } 2>&1 | tee "$logs/$name.log"
}

part load pytest -s -v tests/scenarios/test_throttling.py tests/system/test_many_exports.py
part junk env JUNK_EVENTS=100000 pytest -v tests/system/test_junk.py
# Where callers need keys, as a deployed app's do; `make test` runs these in development.
part keys env HOST_MODE=Production pytest -n 2 tests/system/test_app.py tests/system/test_command.py \
    tests/system/test_costs_api.py tests/system/test_desk.py tests/system/test_event_queue.py \
    tests/system/test_export.py tests/system/test_foreign_arm.py tests/system/test_inferred.py \
    tests/system/test_logs.py tests/system/test_outcomes.py tests/system/test_restored.py \
    tests/system/test_sweep.py tests/system/test_telemetry.py tests/system/test_topic.py
part calls pytest -v --hypothesis-profile=night tests/system/test_any_call.py
part clients python -m tools.vendor_clients
part away python -m tools.storage_away
part simulation python -m tools.simulation --seeds "$seeds"
part chaos python -m tools.chaos --minutes "$minutes" ${seed:+--seed "$seed"}

echo "== Figures"
for name in load junk keys calls clients away simulation chaos; do
    tail -n 60 "$logs/$name.log"
done
if [ -e "$logs/failed" ]; then
    echo "Failed: $(tr '\n' ' ' < "$logs/failed")"
    exit 1
fi
