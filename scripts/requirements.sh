#!/bin/sh
# Prints what the cloud build installs: the locked packages of the function app alone.
set -eu

cd "$(dirname "$0")/.."
uv=$(scripts/setup.sh --uv)

echo "# Exported from uv.lock for the cloud build; refresh it with: make lock"
exec "$uv" export --quiet --locked --no-default-groups --group costs --group worker \
    --no-emit-project --no-header --no-annotate --format requirements-txt
