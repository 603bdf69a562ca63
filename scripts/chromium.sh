#!/bin/sh
# Prints the path of a Chromium that runs, for the tests that open pages: the machine's own, else
# one that it installs (by apt as root on Debian, else Playwright's download). Asks nothing.
set -eu

cd "$(dirname "$0")/.."
python=.venv/bin/python

say() { printf '%s\n' "$*" >&2; }

# Being found is not enough: a stub may only say which package to install.
works() { "$1" --version >/dev/null 2>&1; }

own() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        path=$(command -v "$name") || continue
        works "$path" && printf '%s\n' "$path" && return
    done
    return 1
}

playwrights() {
    path=$("$python" - <<'PY'
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
PY
    ) || return 1
    works "$path" && printf '%s\n' "$path"
}

by_apt() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 1
    say "chromium: installing with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    # Another apt may be at work: wait for it.
    apt-get --quiet --option DPkg::Lock::Timeout=300 update >&2 &&
        apt-get --quiet --option DPkg::Lock::Timeout=300 \
            install --yes --no-install-recommends chromium fonts-liberation >&2
}

by_playwright() {
    say "chromium: downloading Playwright's"
    "$python" -m playwright install chromium >&2
}

own && exit
playwrights && exit
# Ubuntu's package of that name is a stub, hence the look whether it runs.
by_apt && own && exit
by_playwright && playwrights && exit
say "chromium: there is none that runs, and none could be installed (the reasons are above)."
say "chromium: install Chromium or Chrome by hand, so that one of chromium, chromium-browser and"
say "chromium: google-chrome is on the PATH. Playwright's also needs its system libraries, which"
say "chromium: \`playwright install-deps chromium\` installs as root."
exit 1
