# What the scripts of `cargo xtask templates` share. They run with bash in an empty folder outside of the checkout, and find
#   KUBEOPS                the checkout
#   KUBEOPS_CONTROL_PLANE  the folder of etcd and kube-apiserver, for kubeops-control-plane
#   PATH                   with cargo, cargo-generate, kubeops-control-plane, kubectl, helm and curl
# shellcheck shell=bash

set -euo pipefail
scratch=$PWD
# To be shown if something fails.
logs=()

step() { printf '\n-- %s\n' "$*"; }

fail() {
    echo "$*" >&2
    exit 1
}

# What is typed is shown.
try() {
    printf '$ %s\n' "$*"
    "$@"
}

# However a script ends, nothing that it started goes on.
clean_up() {
    local code=$?
    trap - EXIT
    if ((code != 0)); then
        for log in "${logs[@]}"; do
            printf '\n-- the end of %s\n' "$log"
            tail -n 40 "$log"
        done >&2
    fi
    local process
    for process in $(jobs -p); do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    exit "$code"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits for at most so many seconds until a command succeeds.
within() {
    local seconds=$1 until=$((SECONDS + $1))
    shift
    until "$@" >"$scratch/last-try" 2>&1; do
        ((SECONDS < until)) || fail "not within $seconds s: $*: $(cat "$scratch/last-try")"
        sleep 0.1
    done
}

# As `cargo generate --git <repository> templates/<template> --name <project>`, with this checkout instead of the repository.
generate() {
    local template=$1 project=$2
    shift 2
    try cargo generate --path "$KUBEOPS/templates" "$template" --name "$project" --vcs none --silent \
        --define kubeops=path --define "kubeops-path=$KUBEOPS" "$@" >"$scratch/$project.generated" || return
    # What the checkout was built with need not be built again.
    cp "$KUBEOPS/Cargo.lock" "$project/"
}

# Writes all that `generate` can.
generate_all() {
    try cargo run --quiet -- generate manifests --out deploy
    try cargo run --quiet -- generate helm
    try cargo run --quiet -- generate dockerfile
    try cargo run --quiet -- generate crds --out crds
}

# The commands of the project's own CI.
workflow() {
    local lines line
    mapfile -t lines < <(sed -n 's/^[- ]*run: //p' .github/workflows/ci.yml)
    ((${#lines[@]} > 0)) || fail "there is nothing to run in the workflow"
    for line in "${lines[@]}"; do
        printf '$ %s\n' "$line"
        bash -e -c "$line"
    done
}

# Starts an API server, and points kubectl to it.
control_plane() {
    local log=$scratch/control-plane.log
    kubeops-control-plane >"$log" 2>&1 &
    logs+=("$log")
    within 120 grep -q '^export KUBECONFIG=' "$log"
    eval "$(grep '^export KUBECONFIG=' "$log")"
    export KUBECACHEDIR=$scratch/kubectl-cache
}

# Whether the server takes what the chart makes.
check_chart() {
    printf '$ helm template %s chart | kubectl apply --dry-run=server -f -\n' "$1"
    helm template "$1" chart | kubectl apply --dry-run=server -f -
}
