# Shared by the scripts of the make targets: stages with times, prerequisites, the build, the Jupyter environment.
# Sourced, never run. It writes to target/ and to the cache folder only.

set -euo pipefail
# Nothing started from here may reach a paid lane: the key would be somebody's money.
unset ANTHROPIC_API_KEY OPENROUTER_API_KEY OPENAI_API_KEY
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/ag"
VENV="$CACHE/venv"
MODELS="$CACHE/models"
AG="$PWD/target/release/ag"
# The lines of skipped parts; printed at the end, and in CI a failure.
export AG_SKIPS="$PWD/target/skips.txt"

# stage NAME COMMAND...: runs it between a heading and the time it took. In a subshell and outside any condition, because
# bash forgets `set -e` inside one.
stage() {
  local name="$1" began=$SECONDS status
  shift
  printf '\n== %s\n' "$name"
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  if [ $status -ne 0 ]; then
    printf '== %s failed after %s s\n' "$name" "$((SECONDS - began))" >&2
    return $status
  fi
  printf '== %s: %s s\n' "$name" "$((SECONDS - began))"
}

has() { command -v "$1" >/dev/null 2>&1; }

skip() {
  printf 'skipped: %s\n' "$1"
  printf '%s\n' "$1" >>"$AG_SKIPS"
}

may_install() { [ "$(id -u)" = 0 ] || [ "${CI:-}" = true ]; }

has_venv_module() { python3 -c 'import venv, ensurepip' 2>/dev/null; }

# What is missing, as the one line that installs it.
prerequisites() {
  local apt=() line=()
  has cc || apt+=(build-essential)
  has python3 || apt+=(python3)
  { has python3 && has_venv_module; } || apt+=(python3-venv)
  [ -f Cargo.lock ] || { echo "this is not the root of the sources: Cargo.lock is missing" >&2; return 1; }
  if [ ${#apt[@]} -gt 0 ]; then
    local install="apt-get install -y --no-install-recommends ${apt[*]}"
    if may_install && has apt-get; then
      echo "installing: $install"
      apt-get update -qq && DEBIAN_FRONTEND=noninteractive $install
    else
      line+=("sudo $install")
    fi
  fi
  has cargo || line+=("curl -sSf https://sh.rustup.rs | sh -s -- -y && . \"\$HOME/.cargo/env\"")
  if [ ${#line[@]} -gt 0 ]; then
    local joined
    joined=$(printf ' && %s' "${line[@]}")
    printf 'something is missing; this installs it:\n  %s\n' "${joined# && }" >&2
    return 1
  fi
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  found=$(rustc --version | cut -d' ' -f2)
  if [ "$(printf '%s\n%s\n' "$wanted" "${found%%-*}" | sort -V | head -1)" != "$wanted" ]; then
    printf 'rustc is %s, wanted is %s or later; this installs it:\n  rustup update stable\n' "$found" "$wanted" >&2
    return 1
  fi
  echo "rustc $found, $(python3 --version), cache in $CACHE"
}

# One optimised build for the demo and the tests: the same command and flags everywhere, so nothing is compiled twice.
build() { cargo build --release --locked --workspace --all-targets; }

# The environment with Jupyter, made once for each list of packages.
jupyter_environment() {
  local stamp="$VENV/.made-from"
  if cmp -s .ci/requirements.txt "$stamp"; then
    echo "cached in $VENV"
    return
  fi
  rm -rf "$VENV"
  mkdir -p "$CACHE"
  python3 -m venv "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check -r .ci/requirements.txt
  cp .ci/requirements.txt "$stamp"
  echo "made $VENV"
}

# Chromium, for the tests that look at JupyterLab and for `make picture`. Where it may not be installed the tests say so.
browser() {
  if has chromium || has chromium-browser || has google-chrome; then
    echo "found"
    return
  fi
  local install="apt-get install -y --no-install-recommends chromium fonts-dejavu-core"
  if may_install && has apt-get; then
    echo "installing: $install"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive $install >/dev/null
  else
    printf 'no Chromium; this installs it:\n  sudo %s\n' "$install"
  fi
}

# The models that run on this machine, downloaded once; what is there is only compared with its hashes.
models() { AG_MODELS="$MODELS" "$AG" models install; }
