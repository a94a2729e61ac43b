#!/usr/bin/env bash
# A project without a first kind. `cargo xtask templates` runs it.

. "$KUBEOPS/templates/tests/common.sh"

step "a project"
generate operator-empty empty-operator
cd empty-operator
try cargo test --quiet

step "on a cluster in memory"
try cargo run --quiet -- dev --exit-after 2s | tee "$scratch/dev.log"
grep -q '^dev *| leaders: replica-' "$scratch/dev.log" || fail "dev says nothing of the leader"

step "what a cluster needs"
generate_all

step "what the project's CI says"
workflow

step "an API server"
control_plane
check_chart empty-operator
try kubectl apply -k deploy/base
