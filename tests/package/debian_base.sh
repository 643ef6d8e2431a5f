# Sourced: a minimal Debian 12, made with debootstrap from the mirror that this machine's apt uses.

# The address of the main archive, whatever the form of the machine's sources.
mirror() {
    local found
    found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' 'Release: bookworm' | head -n 1)
    [ -n "$found" ] || { echo "apt knows no mirror of Debian 12 (bookworm main)" >&2; return 1; }
    echo "$found"
}

# make_base FOLDER: bash, apt and what Debian calls essential; it finds the same mirror, resolver and apt proxy as we do.
make_base() {
    debootstrap --variant=minbase bookworm "$1" "$(mirror)" >"$1.log" 2>&1 || {
        tail -n 20 "$1.log" >&2
        echo "debootstrap failed" >&2
        return 1
    }
    cp /etc/resolv.conf "$1/etc/resolv.conf"
    apt-config dump | grep -iE '^Acquire::https?::Proxy ' >"$1/etc/apt/apt.conf.d/90proxy" || true
}
