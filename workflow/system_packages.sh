#!/usr/bin/env bash
# system_packages.sh pdf|browser|slurm: see to the programs that pip cannot bring.
# Names the Debian packages that are missing; installs them as root, else prints the line to run.
set -euo pipefail

missing=()

program() { command -v "$1" >/dev/null || missing+=("$2"); }
tex_file() { kpsewhich "$1" >/dev/null 2>&1 || missing+=("$2"); }

find_missing() {
    missing=()
    case "$1" in
    pdf)
        program latexmk latexmk
        program xelatex texlive-xetex
        program xindy xindy
        tex_file booktabs.sty texlive-latex-recommended
        tex_file tabulary.sty texlive-latex-extra
        tex_file phvr8t.tfm texlive-fonts-recommended
        tex_file FreeSerif.otf fonts-freefont-otf
        ;;
    browser)
        command -v chromium-browser >/dev/null || program chromium chromium
        ;;
    slurm)
        program slurmctld slurm-wlm
        program munged munge
        ;;
    *)
        echo "usage: $0 pdf|browser|slurm" >&2
        exit 2
        ;;
    esac
}

find_missing "${1:-}"
[ "${#missing[@]}" -gt 0 ] || exit 0

install="apt-get install --yes --no-install-recommends ${missing[*]}"
echo "Missing for '$1': ${missing[*]}"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Install with: sudo $install"
    exit 1
fi
echo "Installing: $install"
apt-get update --quiet=2
DEBIAN_FRONTEND=noninteractive $install --quiet=2 >/dev/null

find_missing "$1"
if [ "${#missing[@]}" -gt 0 ]; then
    echo "Still missing for '$1': ${missing[*]}" >&2
    exit 1
fi
