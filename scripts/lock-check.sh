#!/bin/sh
# Fails when uv.lock or requirements.txt no longer follows from pyproject.toml.
set -eu

cd "$(dirname "$0")/.."
uv=$(scripts/setup.sh --uv)

"$uv" lock --check --quiet || {
    echo "uv.lock is stale; refresh it with: make lock" >&2
    exit 1
}
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
scripts/requirements.sh >"$fresh"
if ! diff -u requirements.txt "$fresh" >&2; then
    echo "requirements.txt is stale; refresh it with: make lock" >&2
    exit 1
fi
