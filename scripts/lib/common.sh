# Sourced by the scripts beside it: words for people, and the user that servers run as.
set -euo pipefail
export LC_ALL=C.UTF-8 # a bare machine has no other locale, and the servers' messages are read by scripts

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The comment at the head of a script is its help.
help_of() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1"; }

say() { printf '\033[1m==> %s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi; }

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Wrong words on the command line end with 2, as the daemon's do.
misused() {
    printf '%s: %s (see %s --help)\n' "$(basename "$0")" "$*" "$0" >&2
    exit 2
}

# PostgreSQL refuses to run as root, so root lends such programs another user; anybody else runs them as himself.
# A prefix rather than a function: of "${unprivileged[@]}" COMMAND &, $! is the command's own process.
unprivileged=(env HOME=/nonexistent)
if [ "$(id -u)" -eq 0 ]; then
    unprivileged=(setpriv --reuid=postgres --regid=postgres --clear-groups -- "${unprivileged[@]}")
fi

build() { # PRESET TARGET...
    local preset=$1
    shift
    mkdir -p "$top/build"
    (cd "$top" && cmake --preset "$preset" >"$top/build/$preset.log" 2>&1) || {
        cat "$top/build/$preset.log" >&2
        die "cmake could not configure the preset '$preset'; its words are above"
    }
    cmake --build "$top/build/$preset" ${1:+--target "$@"} || die "the build of the preset '$preset' failed; the first error stands above"
}
