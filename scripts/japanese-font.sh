#!/bin/sh
# Succeeds where a browser can write Japanese: with a font of this machine, else with one that it
# installs (by apt as root on Debian). Asks nothing.
set -eu

say() { printf '%s\n' "$*" >&2; }

there() { command -v fc-list >/dev/null && [ -n "$(fc-list :lang=ja family)" ]; }

by_apt() {
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 1
    say "font: installing Noto Sans CJK with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    # Another apt may be at work: wait for it.
    apt-get --quiet --option DPkg::Lock::Timeout=300 update >&2 &&
        apt-get --quiet --option DPkg::Lock::Timeout=300 \
            install --yes --no-install-recommends fontconfig fonts-noto-cjk >&2
}

there && exit
by_apt && there && exit
say "font: there is none with Japanese letters; install one (Debian: apt install fonts-noto-cjk)."
exit 1
