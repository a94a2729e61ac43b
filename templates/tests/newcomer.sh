#!/usr/bin/env bash
# The newcomer's path: from an empty folder to three replicas on an API server, with the commands that the README of the template
# tells, in that order. `cargo xtask templates` runs it.

. "$KUBEOPS/templates/tests/common.sh"
. "$KUBEOPS/templates/tests/kubelet.sh"

namespace=website-operator-system
lock=website-operator-leader
declare -A pods

# The pod that holds the lock.
holder() {
    local identity
    identity=$(kubectl --namespace $namespace get lease $lock --output jsonpath='{.spec.holderIdentity}')
    [[ $identity = *_* ]] && echo "${identity%%_*}"
}

# Exactly one of the pods says that it leads, and it is the one that holds the lock.
one_leads() {
    local pod leading=()
    for pod in "${!pods[@]}"; do
        if probe "$pod" /readyz/leading; then leading+=("$pod"); fi
    done
    [[ ${#leading[@]} = 1 && ${leading[0]} = "$(holder)" ]]
}

step "a project"
generate operator website-operator
cd website-operator
try cargo test --quiet

step "on a cluster in memory"
try cargo run --quiet -- dev --exit-after 3s | tee "$scratch/dev.log"
grep -q '1 of 1 websites are Ready' "$scratch/dev.log" || fail "dev says nothing of the sample"

step "what a cluster needs"
generate_all

step "what the project's CI says"
workflow

step "an API server, with authorization and all of the usual admission"
control_plane
check_chart website-operator
echo '{ "Pages": { "Footer": "kept in production" } }' >deploy/overlays/example/appsettings.Production.json
try kubectl apply -k deploy/overlays/example
try kubectl wait --for condition=Established --timeout 60s crd/websites.example.com
try kubectl apply -f samples/website.yaml

step "three replicas under the generated ServiceAccount, with the generated settings"
program=${CARGO_TARGET_DIR:-target}/debug/website-operator
for pod in pod-a pod-b pod-c; do
    start_pod $namespace website-operator $pod "$program"
done
for pod in "${!pods[@]}"; do
    within 60 probe "$pod" /readyz
done
try kubectl wait --for condition=Ready --timeout 60s website/hello
[[ $(kubectl get configmap hello --output jsonpath='{.data.page\.txt}') = $'Hello!\nkept in production' ]] ||
    fail "the page is not as spec and settings want it"
within 60 one_leads

step "the leader is killed"
leader=$(holder)
kill -KILL "${pods[$leader]}"
# bash tells of it otherwise.
wait "${pods[$leader]}" 2>/dev/null || true
unset "pods[$leader]"
sed 's/name: hello/name: second/' samples/website.yaml | kubectl apply -f -
# Its lease must run out first: 15 s.
within 60 one_leads
try kubectl wait --for condition=Ready --timeout 60s website/second
kubectl get websites
echo "$leader led, now $(holder) does"

# Nothing was refused that the operator asked for.
if grep -Ei 'forbidden|not allowed' "$scratch"/pods/*/log; then fail "the generated rights are not enough"; fi

step "an orderly end"
for pod in "${!pods[@]}"; do
    kill -TERM "${pods[$pod]}"
    wait "${pods[$pod]}" || fail "$pod ended with $?"
done
