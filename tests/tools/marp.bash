# Marp, from npm, in build/marp; and the browser it draws with.

# install_marp: as slides/package-lock.json says, if that is not what is there. Status 77: npm's registry cannot be reached.
install_marp() {
    tests/tools/setup slides
    local lock
    mkdir -p build
    exec {lock}>build/marp.lock
    flock "$lock" # one of those that run side by side installs it
    cmp -s slides/package-lock.json build/marp/package-lock.json && [[ -e build/marp/installed ]] && exec {lock}>&- && return
    echo "installing Marp in build/marp" >&2
    rm -rf build/marp
    mkdir -p build/marp
    cp slides/package.json slides/package-lock.json build/marp/
    npm ci --prefix build/marp --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000 >build/marp/log 2>&1 || {
        grep -E '^npm (ERR!|error)' build/marp/log | head -n 3 >&2
        ! grep -qE 'request to .* failed|network' build/marp/log || return 77
        return 1
    }
    touch build/marp/installed
    exec {lock}>&-
}

# marp ARGUMENT...: quiet unless it fails. Chromium refuses to be its own sandbox for root.
marp() {
    local said
    said=$(CHROME_NO_SANDBOX=$((EUID == 0)) CHROME_PATH=$(browser) PUPPETEER_TIMEOUT=60000 \
        build/marp/node_modules/.bin/marp --no-stdin --theme slides/theme.css "$@" 2>&1) && return
    tail -n 5 <<<"$said" >&2
    return 1
}

browser() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}
